"""Compressed DICOM: written by GDCM itself and, as a foreign peer, by dcmtk."""

import os
import shutil
import subprocess

import numpy as np
import pytest
from pydicom.pixels import compress
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from capitate.errors import CorruptFileError, FilmError, UnsupportedFormatError
from capitate.files import read
from capitate.files.dicom import codec

from . import film_makers as make

LOSSLESS = [JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless]


def recoded(data, syntax, folder):
    """Compress a DICOM file with GDCM."""
    gdcm = pytest.importorskip("gdcm", reason="python-gdcm is not installed")
    source, target = folder / "plain.dcm", folder / "compressed.dcm"
    source.write_bytes(data)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    content = target.read_bytes()
    assert str(UID(syntax)).encode() in content
    return content


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: UID(syntax).keyword)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_syntaxes_are_exact(syntax, bits, tmp_path):
    stored = make.film16(bits) if bits > 8 else make.film8()
    data = make.dicom(stored, bits=bits)
    film = read(recoded(data, syntax, tmp_path))
    np.testing.assert_array_equal(film.pixels, read(data).pixels)
    assert film.bits == bits


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000], ids=lambda syntax: UID(syntax).keyword)
def test_lossy_syntaxes_are_close(syntax, tmp_path):
    data = make.dicom(make.film8())
    film = read(recoded(data, syntax, tmp_path))
    assert np.abs(film.pixels - read(data).pixels).mean() < 0.03


@pytest.mark.parametrize("bits", [8, 16])
def test_rle_is_exact(bits):
    stored = make.film16(bits) if bits > 8 else make.film8()
    film = make.dataset(stored, bits=bits)
    plain = read(make.written(film))
    compress(film, RLELossless, encoding_plugin="pydicom")
    np.testing.assert_array_equal(read(make.written(film, syntax=RLELossless)).pixels, plain.pixels)


def test_missing_gdcm_is_an_error_of_the_film_that_names_the_command(tmp_path, monkeypatch):
    data = recoded(make.dicom(make.film8()), JPEGLossless, tmp_path)
    monkeypatch.setattr(codec, "is_available", lambda _uid: False)
    with pytest.raises(UnsupportedFormatError, match=r"pip install 'capitate\[dicom\]'") as caught:
        read(data)
    assert isinstance(caught.value, FilmError)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: UID(syntax).keyword)
def test_a_stream_of_another_size_than_its_header_is_refused(syntax, tmp_path):
    data = recoded(make.dicom(make.film8(), bits=8), syntax, tmp_path)
    rows = b"\x28\x00\x10\x00US\x02\x00"
    at = data.index(rows) + len(rows)
    with pytest.raises(CorruptFileError, match="48 x 64"):
        read(data[:at] + (63).to_bytes(2, "little") + data[at + 2 :])


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: UID(syntax).keyword)
def test_truncated_streams_are_refused(syntax, tmp_path):
    data = recoded(make.dicom(), syntax, tmp_path)
    for length in (len(data) * 3 // 4, len(data) // 2 + 300):
        with pytest.raises((CorruptFileError, UnsupportedFormatError)):
            read(data[:length])


def peer(program):
    """Path of a dcmtk program, or skip with the reason; required where CAPITATE_REQUIRE_PEERS is set."""
    found = shutil.which(program) or shutil.which(program, path="/usr/bin")
    if found is None and os.environ.get("CAPITATE_REQUIRE_PEERS") == "1":
        pytest.fail(f"{program} of dcmtk is required and not installed; run: apt-get install dcmtk")
    if found is None:
        pytest.skip(f"{program} of dcmtk is not installed")
    return found


@pytest.mark.peer
@pytest.mark.parametrize(
    ("program", "options", "syntax"),
    [
        ("dcmcjpeg", ["+e1"], JPEGLosslessSV1),
        ("dcmcjpeg", ["+el"], JPEGLossless),
        ("dcmcjpls", ["+el"], JPEGLSLossless),
        ("dcmcrle", [], RLELossless),
    ],
)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_what_dcmtk_compresses_without_loss_is_exact(program, options, syntax, bits, tmp_path):
    stored = make.film16(bits) if bits > 8 else make.film8()
    data = make.dicom(stored, bits=bits)
    film = read(compressed_by(program, options, data, tmp_path, syntax=syntax))
    np.testing.assert_array_equal(film.pixels, read(data).pixels)


@pytest.mark.peer
@pytest.mark.parametrize(
    ("program", "options", "syntax"),
    [("dcmcjpeg", ["+eb", "+q", "95"], JPEGBaseline8Bit), ("dcmcjpls", ["+en", "+md", "2"], JPEGLSNearLossless)],
)
def test_what_dcmtk_compresses_with_loss_is_close(program, options, syntax, tmp_path):
    data = make.dicom(make.film8())
    film = read(compressed_by(program, options, data, tmp_path, syntax=syntax))
    assert np.abs(film.pixels - read(data).pixels).mean() < 0.03


def compressed_by(program, options, data, folder, *, syntax):
    """Compress a DICOM file with dcmtk."""
    source, target = folder / "plain.dcm", folder / "compressed.dcm"
    source.write_bytes(data)
    subprocess.run([peer(program), *options, source, target], check=True, capture_output=True, timeout=30)
    content = target.read_bytes()
    assert str(syntax).encode() in content
    return content
