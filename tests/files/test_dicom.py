import zlib
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from capitate.errors import CorruptFileError, FilmTooLargeError, NotARadiographError, UnsupportedFormatError
from capitate.files import Limits, read
from capitate.types import Sex, Side

from . import film_makers as make

RAMP = make.film16(12)
EXPECTED = make.unit(RAMP, 4095)


def codes(film):
    return [finding.code for finding in film.findings]


def one_item(**attributes):
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_little_endian_is_exact(syntax):
    film = read(make.dicom(syntax=syntax))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-7)
    assert (film.format, film.bits, film.findings) == ("dicom", 12, ())


def test_big_endian_is_exact():
    data = make.dataset()
    data.PixelData = RAMP.astype(">u2").tobytes()
    film = read(make.written(data, syntax=ExplicitVRBigEndian, implicit_vr=False, little_endian=False))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-7)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
def test_every_depth_without_a_window_runs_from_its_lowest_to_its_highest_value(bits):
    stored = make.film16(bits)
    if bits == 8:
        stored = stored.astype(np.uint8)
    film = read(make.dicom(stored, bits=bits))
    np.testing.assert_allclose(film.pixels, make.unit(stored, 2**bits - 1), atol=1e-6)
    assert film.bits == bits


def test_signed_values():
    film = read(make.dicom(RAMP.astype(np.int16) - 2048, bits=12))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-6)


def test_unused_high_bits_do_not_count():
    film = read(make.dicom(RAMP | np.uint16(0xA000)))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-6)


def test_monochrome1_is_inverted_once_whatever_the_presentation_says():
    for attributes in ({}, {"PresentationLUTShape": "INVERSE"}, {"PresentationLUTShape": "IDENTITY"}):
        film = read(make.dicom(PhotometricInterpretation="MONOCHROME1", **attributes))
        np.testing.assert_allclose(film.pixels, 1 - EXPECTED, atol=1e-6)


def test_monochrome2_with_inverse_presentation_is_inverted_with_a_warning():
    film = read(make.dicom(PresentationLUTShape="INVERSE"))
    np.testing.assert_allclose(film.pixels, 1 - EXPECTED, atol=1e-6)
    assert codes(film) == ["presentation_inverse"]


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        ("LINEAR", lambda x, c, w: np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1)),
        ("LINEAR_EXACT", lambda x, c, w: np.clip((x - c) / w + 0.5, 0, 1)),
        ("SIGMOID", lambda x, c, w: 1 / (1 + np.exp(-4 * (x - c) / w))),
    ],
)
def test_window_functions_after_rescale(function, formula):
    film = read(
        make.dicom(
            RescaleSlope="2",
            RescaleIntercept="-100",
            WindowCenter=["3000", "1"],
            WindowWidth=["2000", "2"],
            VOILUTFunction=function,
        )
    )
    np.testing.assert_allclose(film.pixels, formula(RAMP * 2.0 - 100, 3000, 2000), atol=1e-6)
    assert film.findings == ()


def test_linear_window_meets_the_standard_at_its_ends():
    # PS3.3 C.11.2.1.2.1, first example: centre 2048, width 4096 maps 0 to black and 4095 to white.
    film = read(make.dicom(WindowCenter="2048", WindowWidth="4096"))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-6)


def test_window_of_width_one_is_a_threshold():
    film = read(make.dicom(WindowCenter="2000", WindowWidth="1"))
    np.testing.assert_array_equal(film.pixels, (RAMP > 1999.5).astype(np.float32))


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"WindowCenter": "90000", "WindowWidth": "10"}, "window_unusable"),
        ({"WindowCenter": "100", "WindowWidth": "0"}, "dicom_value_malformed"),
        ({"RescaleSlope": "0", "RescaleIntercept": "5"}, "dicom_value_malformed"),
    ],
)
def test_unusable_tone_falls_back_to_the_range_and_says_so(attributes, code):
    film = read(make.dicom(**attributes))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-6)
    assert codes(film) == [code]


def test_voi_lut_comes_before_the_window():
    curve = np.round(np.linspace(0, 1, 4096) ** 2 * 1023).astype(np.uint16)
    sequence = one_item(LUTDescriptor=[4096, 0, 10], LUTData=curve.tobytes())
    film = read(make.dicom(VOILUTSequence=sequence, WindowCenter="10", WindowWidth="10"))
    np.testing.assert_allclose(film.pixels, curve[RAMP] / 1023, atol=1e-6)


def test_modality_lut_and_values_outside_it():
    sequence = one_item(
        LUTDescriptor=[256, 100, 16], LUTData=np.arange(1000, 1256, dtype=np.uint16).tobytes(), ModalityLUTType="US"
    )
    film = read(make.dicom(ModalityLUTSequence=sequence))
    np.testing.assert_allclose(film.pixels, np.clip(RAMP.astype(float) - 100, 0, 255) / 255, atol=1e-6)


def test_short_lut_is_ignored_with_a_remark():
    film = read(make.dicom(VOILUTSequence=one_item(LUTDescriptor=[4096, 0, 10], LUTData=bytes(6))))
    np.testing.assert_allclose(film.pixels, EXPECTED, atol=1e-6)
    assert codes(film) == ["dicom_value_malformed"]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_takes_no_part_in_the_range(photometric):
    stored = RAMP // 4 + 1000
    stored[:8] = 4000
    film = read(make.dicom(stored, PhotometricInterpretation=photometric, PixelPaddingValue=4000))
    inside = stored[8:].astype(float)
    unit = (inside - inside.min()) / np.ptp(inside)
    assert (film.pixels[:8] == 0).all()
    np.testing.assert_allclose(film.pixels[8:], unit if photometric == "MONOCHROME2" else 1 - unit, atol=1e-6)


def test_padding_beyond_the_stored_bits_and_as_a_range():
    stored = RAMP.astype(np.int16) // 4 + 500
    stored[:4], stored[4:8] = -2000, -1990
    film = read(make.dicom(stored, bits=12, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990))
    assert (film.pixels[:8] == 0).all()
    assert film.pixels[8:].max() == 1
    assert film.pixels[8, 0] < 0.01 + (stored[8, 0] - stored[8:].min()) / np.ptp(stored[8:])


def test_nothing_but_padding_is_no_radiograph():
    with pytest.raises(NotARadiographError, match="padding"):
        read(make.dicom(np.full((40, 40), 7, np.uint16), PixelPaddingValue=7))


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_capture(planar):
    grey = make.film8()
    stored = np.repeat(grey[..., None], 3, axis=2)
    content = stored if planar == 0 else stored.transpose(2, 0, 1)
    film = read(make.dicom(stored, PixelData=content.tobytes(), PlanarConfiguration=planar))
    np.testing.assert_array_equal(film.pixels, make.unit(grey, 255))


def test_ycbcr_capture():
    stored = np.full((*make.film8().shape, 3), 128, np.uint8)
    stored[..., 0] = make.film8()
    film = read(make.dicom(stored, PhotometricInterpretation="YBR_FULL"))
    np.testing.assert_allclose(film.pixels, make.unit(make.film8(), 255), atol=1.5 / 255)


def test_palette_capture():
    tables = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in (
            ("Descriptor", [256, 0, 16]),
            ("Data", (np.arange(256)[::-1] * 257).astype("<u2").tobytes()),
        )
    }
    film = read(make.dicom(make.film8(), PhotometricInterpretation="PALETTE COLOR", **tables))
    np.testing.assert_allclose(film.pixels, 1 - make.unit(make.film8(), 255), atol=1e-6)


def test_facts():
    film = read(
        make.dicom(
            PatientSex="F",
            PatientBirthDate="20100131",
            StudyDate="20200102",
            AcquisitionDate="20200101",
            ImageLaterality="L",
            ImagerPixelSpacing=["0.15", "0.14"],
            PixelSpacing=["0.3", "0.3"],
        )
    )
    assert (film.sex, film.side) == (Sex.FEMALE, Side.LEFT)
    assert (film.birth_date, film.study_date) == (date(2010, 1, 31), date(2020, 1, 1))
    assert film.spacing_mm == (0.15, 0.14)
    assert film.findings == ()


def test_no_facts():
    film = read(make.dicom())
    assert (film.sex, film.side, film.birth_date, film.study_date, film.spacing_mm) == (
        Sex.UNKNOWN, Side.UNKNOWN, None, None, None,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # pydicom warns while the malformed film is being made
@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientSex": "Mrs Secret"},
        {"PatientBirthDate": "secret"},
        {"PatientBirthDate": "20101399"},
        {"PatientBirthDate": "00010101"},
        {"StudyDate": "2020"},
        {"ImageLaterality": "SECRET"},
        {"ImagerPixelSpacing": ["0.1"]},
        {"ImagerPixelSpacing": ["-1", "0"]},
        {"ImagerPixelSpacing": ["1e30", "1e30"]},
    ],
)
def test_malformed_facts_are_remarked_without_their_value(attributes):
    film = read(make.dicom(**attributes))
    assert codes(film) == ["dicom_value_malformed"]
    assert next(iter(attributes)) in film.findings[0].message
    assert "ecret" not in film.findings[0].message


def test_numbers_that_are_none():
    data = make.dicom(ImagerPixelSpacing=["0.15", "0.14"]).replace(b"0.15\\0.14", b"zero\\nil ")
    film = read(data)
    assert film.spacing_mm is None
    assert codes(film) == ["dicom_value_malformed"]


def test_later_dates_stand_in_for_earlier_ones():
    film = read(make.dicom(AcquisitionDate="", ContentDate="20200103"))
    assert film.study_date == date(2020, 1, 3)


def test_contradictions_are_remarked():
    film = read(make.dicom(ImageLaterality="L", Laterality="R", PatientBirthDate="20200101", StudyDate="20190101"))
    assert (film.side, film.birth_date) == (Side.UNKNOWN, None)
    assert sorted(codes(film)) == ["dates_contradict", "laterality_contradicts"]


def test_unexpected_modality_is_remarked():
    assert codes(read(make.dicom(Modality="MR"))) == ["unexpected_modality"]


def test_film_without_preamble():
    data = make.dicom()
    np.testing.assert_allclose(read(data[132:]).pixels, EXPECTED, atol=1e-7)
    bare = make.written(make.dataset(), syntax=ImplicitVRLittleEndian)
    start = 132 + 12 + int.from_bytes(bare[140:144], "little")
    np.testing.assert_allclose(read(bare[start:]).pixels, EXPECTED, atol=1e-7)


def test_odd_length_is_padded():
    stored = np.arange(33 * 35, dtype=np.uint16).reshape(33, 35).astype(np.uint8)
    film = read(make.dicom(stored, PixelData=stored.tobytes() + b"\0"))
    np.testing.assert_allclose(film.pixels, make.unit(stored, 255), atol=1e-7)


@pytest.mark.parametrize("missing", [2, 1000, 6000])
def test_short_pixels_are_refused(missing):
    with pytest.raises(CorruptFileError, match=r"announces 6,144"):
        read(make.dicom(PixelData=RAMP.tobytes()[:-missing]))


def test_pixels_cut_off_with_the_file_are_refused():
    with pytest.raises(CorruptFileError):
        read(make.dicom()[:-100])


def test_far_too_many_pixels_are_refused():
    with pytest.raises(CorruptFileError, match="holds 12,288 bytes"):
        read(make.dicom(PixelData=RAMP.tobytes() * 2))


def test_object_without_pixels():
    report = make.dataset(PixelData=None, Rows=None, Columns=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    with pytest.raises(UnsupportedFormatError, match="Basic Text SR Storage"):
        read(make.written(report))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.3.4.5"])
def test_unknown_transfer_syntax(syntax):
    data = make.dataset()
    data.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0"
    content = make.written(data, syntax=syntax, implicit_vr=False, little_endian=True)
    with pytest.raises(UnsupportedFormatError, match=syntax.replace(".", r"\.")):
        read(content)


def test_several_frames_are_refused():
    with pytest.raises(UnsupportedFormatError, match="3 frames"):
        read(make.dicom(NumberOfFrames=3))


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"Rows": None}, CorruptFileError),
        ({"BitsAllocated": 32}, UnsupportedFormatError),
        ({"BitsStored": 17, "HighBit": 16}, CorruptFileError),
        ({"HighBit": 15}, CorruptFileError),
        ({"SamplesPerPixel": 4}, CorruptFileError),
        ({"PhotometricInterpretation": "HSV"}, UnsupportedFormatError),
        ({"Rows": 0}, CorruptFileError),
        ({"Rows": 40000, "Columns": 40000}, FilmTooLargeError),
        ({"Rows": 1, "Columns": 1}, NotARadiographError),
    ],
)
def test_headers_that_cannot_be(attributes, error):
    with pytest.raises(error):
        read(make.dicom(**attributes))


def test_deflate_bomb_is_bounded():
    data = make.dicom(syntax=DeflatedExplicitVRLittleEndian)
    start = data.index(b"1.2.840.10008.1.2.1.99") + 22
    start += start % 2
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    flood = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(30)) + bomb.flush()
    with pytest.raises(FilmTooLargeError, match="1,000,000"):
        read(data[:start] + flood, limits=Limits(max_bytes=1_000_000))


@settings(max_examples=30, deadline=None)
@given(bits=st.integers(8, 16), signed=st.booleans(), slope=st.floats(0.01, 100), intercept=st.floats(-5000, 5000))
def test_rescale_alone_never_changes_the_picture(bits, signed, slope, intercept):
    stored = make.film16(bits)
    wanted = make.unit(stored, 2**bits - 1)
    if signed:
        stored = (stored.astype(np.int32) - 2 ** (bits - 1)).astype(np.int16)
    film = read(make.dicom(stored, bits=bits, RescaleSlope=f"{slope:.6g}", RescaleIntercept=f"{intercept:.6g}"))
    np.testing.assert_allclose(film.pixels, wanted, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_no_message_holds_the_name(caplog):
    for attributes in ({"Rows": 0}, {"PixelData": b"12"}, {"NumberOfFrames": 2}, {"PatientSex": "Secret^Name"}):
        try:
            data = make.dicom(**attributes)
            caplog.clear()  # pydicom logs the value when the malformed film is made
            messages = [finding.message for finding in read(data).findings]
        except (CorruptFileError, UnsupportedFormatError) as error:
            messages = [str(error)]
        assert not any("Secret" in message for message in [*messages, caplog.text])
