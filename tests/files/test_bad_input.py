import hashlib
import os
import stat
import struct
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

from capitate.errors import (
    CorruptFileError,
    FilmTooLargeError,
    NotARadiographError,
    UnreadablePathError,
    UnsupportedFormatError,
)
from capitate.files import Limits, read
from capitate.files.quiet import quiet

from . import film_makers as make

FILM = make.film8()


def test_empty_file():
    with pytest.raises(CorruptFileError, match="0 bytes"):
        read(b"")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"%PDF-1.7 and so on", "PDF"),
        (b"GIF89a", "GIF"),
        (b"PK\x03\x04zip", "ZIP"),
        (b"<html>", "text"),
        (b"\x01\x02\x03\x04abcdefgh", "01 02 03 04"),
        (b"\x89PNG", "89 50 4e 47"),
    ],
)
def test_other_formats_are_named(data, shown):
    with pytest.raises(UnsupportedFormatError, match=shown):
        read(data)


def test_wrong_extension_still_reads_and_is_remarked(tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(make.saved(FILM, "PNG"))
    film = read(path)
    assert (film.name, film.format) == ("film.dcm", "png")
    assert [finding.code for finding in film.findings] == ["extension_mismatch"]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_one_pixel_is_no_radiograph(format):
    with pytest.raises(NotARadiographError, match="1 x 1"):
        read(make.saved(np.zeros((1, 1), np.uint8), format))


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_blank_rasters_are_no_radiographs(format, value):
    with pytest.raises(NotARadiographError, match="black" if value == 0 else "white"):
        read(make.saved(np.full((64, 48), value, np.uint8), format))


@pytest.mark.parametrize("value", [0, 4095])
def test_blank_dicom_is_no_radiograph(value):
    with pytest.raises(NotARadiographError, match=f"value {value}"):
        read(make.dicom(np.full((64, 48), value, np.uint16)))


def huge_headers():
    png = b"\x89PNG\r\n\x1a\n" + make.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0))
    yield "png", png + make.png_chunk(b"IDAT", b"") + make.png_chunk(b"IEND", b"")
    jpeg = bytearray(make.saved(FILM, "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 40000, 40000)
    yield "jpeg", bytes(jpeg)
    tiff = make.saved(FILM, "TIFF", tiffinfo={})
    for tag, value in ((256, 48), (257, 64)):
        for kind, packed in ((3, struct.pack("<HH", 40000, 0)), (4, struct.pack("<I", 40000))):
            entry = struct.pack("<HHI", tag, kind, 1)
            old = entry + (struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))
            tiff = tiff.replace(old, entry + packed)
    yield "tiff", tiff
    webp = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + (39999).to_bytes(3, "little") * 2
    yield "webp", b"RIFF" + struct.pack("<I", len(webp)) + webp
    yield "dicom", make.dicom(Rows=40000, Columns=40000)


@pytest.mark.parametrize(("kind", "data"), list(huge_headers()), ids=lambda value: value if len(value) < 9 else "")
def test_huge_header_is_refused(kind, data):
    with pytest.raises(FilmTooLargeError, match="40,000 x 40,000"):
        read(data)


def test_limits_are_the_callers():
    data = make.saved(FILM, "PNG")
    with pytest.raises(FilmTooLargeError, match="limit of 100"):
        read(data, limits=Limits(max_bytes=100))
    with pytest.raises(FilmTooLargeError, match="48 x 64"):
        read(data, limits=Limits(max_pixels=1000))
    with pytest.raises(FilmTooLargeError, match="48 x 64"):
        read(data, limits=Limits(max_side=50))


def test_webp_and_deep_colour_have_half_the_limit():
    deep = np.repeat(make.film16()[..., None], 3, axis=2)
    limits = Limits(max_pixels=FILM.size)
    assert read(make.saved(FILM, "PNG"), limits=limits).height == 64
    for data in (make.saved(FILM, "WEBP"), make.png(deep)):
        with pytest.raises(FilmTooLargeError, match="48 x 64"):
            read(data, limits=limits)


def test_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "sparse.png"
    with path.open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(FilmTooLargeError, match="1,000,000,000,000"):
        read(path)


def test_unreadable_paths_are_named(tmp_path):
    for path in (tmp_path / "missing.png", tmp_path, "/dev/null", "a\0b"):
        with pytest.raises(UnreadablePathError) as caught:
            read(path)
        assert repr(os.fspath(path)) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "film.png")
    with pytest.raises(UnreadablePathError, match="pipe"):
        read(tmp_path / "film.png")


def test_no_permission(tmp_path):
    path = tmp_path / "film.png"
    path.write_bytes(make.saved(FILM, "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(UnreadablePathError, match="permission denied"):
        read(path)
    path.chmod(stat.S_IRUSR)


def test_bytes_take_a_name_and_paths_their_own(tmp_path):
    data = make.saved(FILM, "PNG")
    assert read(data).name == "film"
    assert read(data, name="hand.png").name == "hand.png"
    (tmp_path / "15.png").write_bytes(data)
    from_path = read(str(tmp_path / "15.png"))
    assert from_path.name == "15.png"
    assert from_path.sha256 == read(data).sha256 == hashlib.sha256(data).hexdigest()


def test_out_of_memory_is_an_error_of_the_film(monkeypatch):
    def exhausted(*_arguments, **_options):
        raise MemoryError

    monkeypatch.setattr("capitate.files.reading.decode_raster", exhausted)
    with pytest.raises(FilmTooLargeError, match="memory"):
        read(make.saved(FILM, "PNG"))


def test_unforeseen_errors_of_decoders_are_ours(monkeypatch):
    def broken(*_arguments, **_options):
        raise KeyError("Secret^Name")

    monkeypatch.setattr("capitate.files.reading.decode_raster", broken)
    with pytest.raises(CorruptFileError, match="KeyError") as caught:
        read(make.saved(FILM, "PNG"))
    assert "Secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)


def test_warnings_are_silenced_in_threads_and_restored():
    before = list(warnings.filters)

    def many():
        for _ in range(50):
            with quiet():
                warnings.warn("decoder", stacklevel=1)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_huge_header_costs_no_memory():
    """40,000 x 40,000 pixels would be 1.6 GB: reading must work in an address space of 1.5 GB with all its modules."""
    pytest.importorskip("resource", reason="this system cannot limit memory")
    script = (
        "import resource, sys; sys.path.insert(0, sys.argv[1])\n"
        "import capitate.files; from files import test_bad_input as bad\n"
        "from capitate.errors import FilmTooLargeError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))\n"
        "for kind, data in bad.huge_headers():\n"
        "    try: capitate.files.read(data)\n"
        "    except FilmTooLargeError as error: assert 'announces' in str(error), error\n"
        "    else: raise SystemExit(kind)\n"
    )
    here = os.path.dirname(os.path.dirname(__file__))
    subprocess.run([sys.executable, "-c", script, here], check=True, timeout=60)
