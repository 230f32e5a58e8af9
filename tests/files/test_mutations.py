import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from . import film_makers as make
from .test_compressed_dicom import recoded

pytest.importorskip("resource", reason="this system does not tell the memory of a process")

FILM = make.film8(160, 120)
DEEP = make.film16(12, 160, 120)


def refused(*paths, count=500, seed=20):
    """Read damaged copies in a process of its own, check what must hold for each, and count those that are refused."""
    tests = os.path.dirname(os.path.dirname(__file__))
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "files.mutations", str(count), str(seed), *map(str, paths)],
        cwd=tests, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, f"the process died with {finished.returncode}: {finished.stderr[-2000:]}"
    result = json.loads(finished.stdout)
    assert not [outcome for outcome in result["outcomes"] if outcome.startswith("FOREIGN")], result
    assert sum(result["outcomes"].values()) == count * len(paths)
    assert result["slowest_s"] < 10, result
    assert result["peak_bytes"] < 1 << 30, result
    return sum(result["outcomes"].values()) - result["outcomes"].get("read", 0)


def rasters():
    deep_colour = np.stack([make.film16(16, 160, 120)] * 3, axis=2)
    return {
        "grey.png": make.saved(FILM, "PNG"),
        "deep.png": make.png(make.film16(16, 160, 120)),
        "colour.png": make.png(deep_colour),
        "film.jpg": make.saved(FILM, "JPEG"),
        "progressive.jpg": make.saved(FILM, "JPEG", mode="RGB", progressive=True),
        "film.tif": make.saved(FILM, "TIFF"),
        "lzw.tif": make.saved(make.film16(16, 160, 120), "TIFF", compression="tiff_lzw"),
        "float.tif": make.saved(make.unit(FILM, 255), "TIFF", compression="tiff_deflate"),
        "film.webp": make.saved(FILM, "WEBP"),
        "lossless.webp": make.saved(FILM, "WEBP", lossless=True, mode="RGBA"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", list(rasters()))
def test_damaged_rasters(name, tmp_path):
    (tmp_path / name).write_bytes(rasters()[name])
    assert refused(tmp_path / name) > 0


@pytest.mark.slow
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_damaged_dicom(syntax, tmp_path):
    film = make.dicom(
        DEEP, syntax=syntax, WindowCenter="2000", WindowWidth="4000", RescaleSlope="1", RescaleIntercept="0",
        PatientSex="F", PatientBirthDate="20100101", StudyDate="20200101", PixelPaddingValue=0,
    )  # fmt: skip
    (tmp_path / "film.dcm").write_bytes(film)
    assert refused(tmp_path / "film.dcm") > 0


@pytest.mark.slow
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLossless, JPEGLSLossless, JPEG2000Lossless])
def test_damaged_compressed_dicom(syntax, tmp_path):
    plain = make.dicom(FILM if syntax == JPEGBaseline8Bit else DEEP)
    (tmp_path / "film.dcm").write_bytes(recoded(plain, syntax, tmp_path))
    isolated = syntax != JPEGBaseline8Bit  # each of these starts a process
    assert refused(tmp_path / "film.dcm", count=40 if isolated else 500) > 0


@pytest.mark.slow
def test_damaged_rle_dicom(tmp_path):
    film = make.dataset(DEEP)
    compress(film, RLELossless, encoding_plugin="pydicom")
    (tmp_path / "film.dcm").write_bytes(make.written(film, syntax=RLELossless))
    assert refused(tmp_path / "film.dcm") > 0


@pytest.mark.slow
@pytest.mark.films
@pytest.mark.parametrize("format", ["PNG", "WEBP", "JPEG", "TIFF", "DICOM"])
def test_damaged_real_films(format, films_root, tmp_path):
    native = sorted((films_root / "rsna-highres" / "native").glob("*.png"))[0]
    smaller = sorted((films_root / "rsna-highres").glob("*.webp"))[0]
    if format in ("PNG", "WEBP"):
        assert refused(native if format == "PNG" else smaller) > 0
        return
    pixels = np.ascontiguousarray(np.asarray(Image.open(native))[::3, ::3])
    data = make.dicom(pixels) if format == "DICOM" else make.saved(pixels, format)
    (tmp_path / "film").write_bytes(data)
    assert refused(tmp_path / "film") > 0
