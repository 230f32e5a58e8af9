"""Films and tables inside zip archives, read in place."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate import files
from capitate.errors import CorruptFileError, FilmTooLargeError, TableError, UnreadablePathError
from capitate.files.archive import archive_of, members, read_member
from capitate.files.limits import Limits
from capitate.training.layouts import read_any
from capitate.training.manifest import read_manifest
from capitate.types import Sex


def png(value: int) -> bytes:
    pixels = np.full((40, 36), value, dtype=np.uint8)
    pixels[10:30, 10:26] = 255 - value
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def rsna(tmp_path: Path) -> Path:
    """RSNA's training set as published: a table beside the archive of its films."""
    with zipfile.ZipFile(tmp_path / "boneage-training-dataset.zip", "w") as archive:
        for number in (1377, 1378):
            archive.writestr(f"boneage-training-dataset/{number}.png", png(number % 100))
        archive.writestr("__MACOSX/boneage-training-dataset/._1377.png", b"hidden")
    table = tmp_path / "boneage-training-dataset.csv"
    table.write_text("id,boneage,male\n1377,180,False\n1378,12,True\n")
    return table


def test_films_of_an_archive_beside_the_table_are_read_in_place(rsna):
    first, second = read_any(rsna)
    assert (first.id, first.sex, first.bone_age_months, second.sex) == ("1377", Sex.FEMALE, 180, Sex.MALE)
    assert first.path == rsna.parent / "boneage-training-dataset.zip" / "boneage-training-dataset" / "1377.png"
    assert files.read(first.path).pixels[0, 0] == pytest.approx(77 / 255)
    assert files.read(second.path).pixels[0, 0] == pytest.approx(78 / 255)
    assert sorted(path.name for path in rsna.parent.iterdir()) == [rsna.name, "boneage-training-dataset.zip"]


def test_a_table_inside_the_archive(rsna, tmp_path):
    whole = tmp_path / "all" / "rsna.zip"
    whole.parent.mkdir()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("boneage-training-dataset.csv", rsna.read_text())
        for number in (1377, 1378):
            archive.writestr(f"boneage-training-dataset/boneage-training-dataset/{number}.png", png(number % 100))
    studies = read_any(whole)
    assert [study.id for study in studies] == ["1377", "1378"]
    assert read_any(whole / "boneage-training-dataset.csv") == studies
    assert files.read(studies[1].path).width == 36


def test_a_manifest_may_name_members(rsna, tmp_path):
    table = tmp_path / "manifest.csv"
    table.write_text("path,sex,bone_age_months\nboneage-training-dataset.zip/boneage-training-dataset/1378.png,M,12\n")
    assert files.read(read_manifest(table)[0].path).height == 40


def test_a_missing_film_of_an_archive_is_named(rsna):
    rsna.write_text("id,boneage,male\n1377,180,False\n9999,12,True\n")
    with pytest.raises(TableError, match="1 of 2 films are missing, got ids 9999"):
        read_any(rsna)


def test_the_hidden_copies_of_macos_are_no_members(rsna):
    assert members(rsna.with_suffix(".zip")) == tuple(f"boneage-training-dataset/{n}.png" for n in (1377, 1378))


def test_a_folder_that_ends_in_zip_is_a_folder(tmp_path):
    (tmp_path / "films.zip").mkdir()
    (tmp_path / "films.zip" / "a.png").write_bytes(png(3))
    assert archive_of(tmp_path / "films.zip" / "a.png") is None
    assert files.read(tmp_path / "films.zip" / "a.png").height == 40


def test_bad_archives_and_members_are_film_errors(rsna, tmp_path):
    archive = rsna.with_suffix(".zip")
    with pytest.raises(UnreadablePathError, match=r"no member 'x\.png'"):
        files.read(archive / "x.png")
    with pytest.raises(FilmTooLargeError):
        read_member(archive, "boneage-training-dataset/1377.png", limits=Limits(max_bytes=10))
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(CorruptFileError, match="no zip archive"):
        files.read(broken / "x.png")
    data = bytearray(archive.read_bytes())
    start = data.index(b"IDAT")
    data[start + 8 : start + 16] = bytes(8)
    broken.write_bytes(bytes(data))
    with pytest.raises(CorruptFileError):
        files.read(broken / "boneage-training-dataset" / "1377.png")


def test_a_changed_archive_is_read_anew(rsna):
    archive = rsna.with_suffix(".zip")
    name = "boneage-training-dataset/1377.png"
    before = read_member(archive, name)
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr(name, png(9))
        other.writestr("more.txt", "so that the size differs")
    assert read_member(archive, name) == png(9) != before
