import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

from capitate.errors import CorruptFileError, NotARadiographError, UnsupportedFormatError
from capitate.files import read

from . import film_makers as make

FILM = make.film8()
EXPECTED = make.unit(FILM, 255)


def codes(film):
    return [finding.code for finding in film.findings]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_lossless_grey_is_exact(format):
    options = {"lossless": True} if format == "WEBP" else {}
    film = read(make.saved(FILM, format, **options))
    np.testing.assert_array_equal(film.pixels, EXPECTED)
    assert (film.format, film.bits, film.findings) == (format.lower(), 8, ())
    assert film.pixels.dtype == np.float32
    assert film.pixels.flags.c_contiguous


def test_jpeg_is_close():
    film = read(make.saved(FILM, "JPEG", quality=95))
    assert film.format == "jpeg"
    assert np.abs(film.pixels - EXPECTED).mean() < 0.02


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_equal_channels_and_palettes_of_grey_are_exact(mode):
    film = read(make.saved(FILM, "PNG", mode=mode))
    np.testing.assert_array_equal(film.pixels, EXPECTED)
    assert film.findings == ()


def test_one_bit():
    bright = FILM > 128
    np.testing.assert_array_equal(read(make.saved(bright, "PNG")).pixels, bright.astype(np.float32))
    assert read(make.saved(bright, "PNG")).bits == 1


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("array", [FILM, make.film16()], ids=["8 bit", "16 bit"])
def test_tiff_compressions_are_exact(compression, array):
    film = read(make.saved(array, "TIFF", compression=compression))
    np.testing.assert_array_equal(film.pixels, make.unit(array, 2 ** (8 * array.dtype.itemsize) - 1))


def test_16_bit_grey_keeps_its_low_bits():
    film = read(make.png(make.film16()))
    np.testing.assert_array_equal(film.pixels, make.unit(make.film16(), 65535))
    assert film.bits == 16
    assert len(np.unique(film.pixels)) == make.film16().size


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bit_colour_and_alpha_png_keep_their_low_bits(channels):
    grey = make.film16()
    samples = np.repeat(grey[..., None], channels, axis=2)
    if channels in (2, 4):
        samples[..., -1] = 65535
    film = read(make.png(samples))
    np.testing.assert_array_equal(film.pixels, make.unit(grey, 65535))
    assert film.bits == 16


def test_16_bit_channels_are_told_apart():
    grey = make.film16()
    samples = np.stack([grey, grey[::-1], grey[:, ::-1]], axis=2)
    wanted = samples.astype(np.float64) @ [0.299, 0.587, 0.114] / 65535
    film = read(make.png(samples))
    np.testing.assert_allclose(film.pixels, wanted, atol=1e-6)
    assert codes(film) == ["coloured"]


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_colour_tiff_keeps_its_low_bits(order):
    grey = make.film16()
    samples = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(colour_tiff(samples, order=order)).pixels, make.unit(grey, 65535))


def test_16_bit_colour_tiff_in_planes_is_refused():
    samples = np.repeat(make.film16()[..., None], 3, axis=2)
    with pytest.raises(UnsupportedFormatError, match="without loss"):
        read(colour_tiff(samples, order="<", planar=2))


def colour_tiff(samples, *, order, planar=1):
    """An uncompressed RGB TIFF of 16 bits a sample, which Pillow cannot write."""
    height, width = samples.shape[:2]
    body = samples.astype(f"{order}u2").tobytes()
    bits_at, data_at = 8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 6
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, data_at), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(body)), (284, 3, 1, planar),
    ]  # fmt: skip
    directory = struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        packed = struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value)
        directory += struct.pack(f"{order}HHI", tag, kind, count) + packed
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}I", 8) + directory + struct.pack(f"{order}I", 0)
    return head + struct.pack(f"{order}3H", 16, 16, 16) + body


@settings(max_examples=40, deadline=None)
@given(samples=arrays.arrays(np.uint8, (33, 35), elements=st.integers(0, 255)).filter(lambda a: np.ptp(a) > 0))
def test_8_bit_and_the_same_film_at_16_bit_are_identical(samples):
    deep = samples.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(make.png(samples)).pixels, read(make.png(deep)).pixels)


@settings(max_examples=25, deadline=None)
@given(samples=arrays.arrays(np.uint8, (33, 35, 3), elements=st.integers(0, 255)).filter(lambda a: np.ptp(a) > 0))
def test_8_bit_colour_and_the_same_at_16_bit_are_identical(samples):
    deep = samples.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(make.png(samples)).pixels, read(make.png(deep)).pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(orientation, format):
    upright = FILM
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(format, {})
    film = read(make.saved(np.ascontiguousarray(stored), format, exif=exif, **options))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=0.05 if format == "JPEG" else 0)


def test_damaged_exif_costs_a_finding_only():
    data = make.saved(FILM, "PNG", exif=b"Exif\0\0MM\0*\0\0")
    film = read(data)
    np.testing.assert_array_equal(film.pixels, EXPECTED)


def test_embedded_profile_is_not_applied_and_remarked():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for format in ("PNG", "TIFF", "JPEG", "WEBP"):
        options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(format, {})
        film = read(make.saved(FILM, format, icc_profile=profile, **options))
        assert codes(film) == ["colour_profile_ignored"]
        np.testing.assert_allclose(film.pixels, EXPECTED, atol=0.05 if format == "JPEG" else 0)


def test_transparent_parts_become_black():
    alpha = np.full(FILM.shape, 255, np.uint8)
    alpha[:10] = 0
    for data in (make.png(np.stack([FILM, alpha], axis=2)), make.png(np.stack([FILM, FILM, FILM, alpha], axis=2))):
        film = read(data)
        assert (film.pixels[:10] == 0).all()
        np.testing.assert_array_equal(film.pixels[10:], EXPECTED[10:])
        assert codes(film) == ["alpha_composited"]


def test_a_transparent_grey_value_becomes_black():
    level = int(FILM[5, 5])
    for samples, key in ((FILM, level), (FILM.astype(np.uint16) * 257, level * 257)):
        film = read(make.png(samples, extra=make.png_chunk(b"tRNS", key.to_bytes(2, "big"))))
        np.testing.assert_array_equal(film.pixels, np.where(level == FILM, 0, EXPECTED))


def test_coloured_picture_is_luma_with_a_warning():
    samples = np.zeros((*FILM.shape, 3), np.uint8)
    samples[..., 0] = FILM
    film = read(make.png(samples))
    assert codes(film) == ["coloured"]
    np.testing.assert_allclose(film.pixels, EXPECTED * 0.299, atol=1e-6)


def test_float_tiff_in_unit_range_is_kept_and_else_stretched():
    kept = read(make.saved(EXPECTED, "TIFF"))
    np.testing.assert_array_equal(kept.pixels, EXPECTED)
    stretched = read(make.saved(EXPECTED * 3e38 - np.float32(1e38), "TIFF"))
    np.testing.assert_allclose(stretched.pixels, EXPECTED, atol=1e-6)
    assert codes(stretched) == ["range_stretched"]


def test_white_is_zero_tiff_is_inverted_at_every_depth():
    for array in (FILM, make.film16(), EXPECTED):
        plain = make.saved(array, "TIFF")
        inverted = make.saved(array, "TIFF", tiffinfo={262: 0})
        if array.dtype == np.uint8:  # Pillow's writer inverts these itself
            np.testing.assert_array_equal(read(inverted).pixels, read(plain).pixels)
        else:
            np.testing.assert_array_equal(read(inverted).pixels, 1 - read(plain).pixels)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_float_tiff_is_refused(bad):
    array = EXPECTED.copy()
    array[3, 4] = bad
    with pytest.raises(NotARadiographError, match="1 of 3,072 samples are not finite"):
        read(make.saved(array, "TIFF"))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_refused(format):
    with pytest.raises(UnsupportedFormatError, match="CMYK"):
        read(make.saved(FILM, format, mode="CMYK"))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused_with_their_number(format):
    frames = [Image.fromarray(np.roll(FILM, 3 * index, axis=1)) for index in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, format, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormatError, match="3 frames"):
        read(stream.getvalue())


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_every_truncation_is_refused(format):
    data = make.saved(FILM, format)
    for length in (len(data) - 1, len(data) * 3 // 4, len(data) // 2, 40):
        if format == "TIFF" and length == len(data) - 1:
            continue  # the directory's last byte may not matter
        with pytest.raises((CorruptFileError, UnsupportedFormatError)):
            read(data[:length])


def test_a_flipped_byte_of_a_png_is_found_by_its_checksum():
    data = bytearray(make.png(FILM))
    data[200] ^= 1
    with pytest.raises(CorruptFileError, match="checksum"):
        read(bytes(data))


def test_jpeg_that_lost_its_end_is_refused():
    data = make.saved(FILM, "JPEG")
    with pytest.raises(CorruptFileError):
        read(data[:-2])


@pytest.mark.films
def test_published_films_are_exact(films_root):
    for path in sorted((films_root / "rsna-highres" / "native").glob("*.png"))[:4]:
        film = read(path)
        with Image.open(path) as image:
            np.testing.assert_array_equal(film.pixels, make.unit(np.asarray(image), 255))
        assert film.findings == ()
