"""Films that cannot be read, through the whole command: a code and a sentence each, and whole reports."""

from __future__ import annotations

import csv
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from capitate import report


def announcing(png: bytes, *, width: int, height: int) -> bytes:
    """Change the size in a PNG's header, and its checksum."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def dicom_without_pixels(path: Path) -> None:
    """Write a DICOM file that says who it is of and holds no picture."""
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID, film.SOPInstanceUID = ComputedRadiographyImageStorage, generate_uid()
    film.PatientName = "Doe^Jane"
    film.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def bad(film, tmp_path_factory) -> Path:
    """A folder of bad films, and a good one among them."""
    folder = tmp_path_factory.mktemp("bad")
    content = film.read_bytes()
    (folder / "empty.png").write_bytes(b"")
    (folder / "truncated.png").write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("no film", encoding="utf-8")
    (folder / "huge.png").write_bytes(announcing(content, width=40_000, height=40_000))
    (folder / "good.png").write_bytes(content)
    for name, picture in (
        ("dot.png", Image.new("L", (1, 1), 128)),
        ("black.png", Image.new("L", (400, 500), 0)),
        ("white.png", Image.new("L", (400, 500), 255)),
        ("cmyk.jpg", Image.effect_noise((400, 500), 60).convert("CMYK")),
        ("nan.tif", Image.fromarray(np.full((400, 500), np.nan, dtype=np.float32))),
    ):
        picture.save(folder / name)
    frames = [Image.effect_noise((300, 300), 60) for _ in range(3)]
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:])
    dicom_without_pixels(folder / "empty.dcm")
    return folder


def test_every_bad_film_is_refused_whole_and_the_good_one_assessed(run, bad, tmp_path):
    result = run("assess", bad, "--sex", "female", "--format", "json", "--out", tmp_path)
    assert result.code == 1
    told = {one["source"]["name"]: one for one in map(json.loads, result.out.splitlines())}
    assert set(told) == {path.name for path in bad.iterdir()}
    for name, one in told.items():
        jsonschema.validate(one, report.schema())
        assert (one["error"] is None) == (name == "good.png"), name
        assert one["bone_age"] is None or name == "good.png"
    codes = {name: one["error"]["code"] for name, one in told.items() if one["error"]}
    assert codes["huge.png"] == "film_too_large"
    assert codes["truncated.png"] == "corrupt_file"
    assert codes["black.png"] == codes["white.png"] == codes["dot.png"] == "not_a_radiograph"
    assert "fault" not in codes.values()
    assert "Doe" not in result.out + result.err


def test_their_reports_are_whole(run, bad, tmp_path):
    run("assess", bad, "--out", tmp_path, "--quiet")
    names = sorted(path.name for path in tmp_path.iterdir())
    films = len(list(bad.iterdir()))
    assert len(names) == 2 * films + 1 + 2  # the table, and the joints and the contact sheet of the good film
    for path in tmp_path.glob("*.json"):
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), report.schema())
    for path in tmp_path.glob("*.html"):
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        assert sum(bool(row["refusal"]) for row in csv.DictReader(stream)) == films - 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_standard_output_on_a_full_disk(drawn):
    with open("/dev/full", "w", encoding="utf8") as full:
        command = [sys.executable, "-m", "capitate", "assess", str(drawn / "film2.png"), "--format", "json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("capitate: what was to be written has no room: No space left on device")
    assert "Traceback" not in done.stderr
