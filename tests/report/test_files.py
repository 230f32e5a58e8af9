import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from capitate.assessment import Source
from capitate.errors import CapitateError, ReportWriteError, UsageError
from capitate.files.finding import find
from capitate.report import dumps, from_json, write
from capitate.report.naming import safe_stem

from .examples import NORMAL, REFUSED, UNREADABLE
from .joint_examples import assessed, drawn


def _named(name, digest):
    return replace(NORMAL, source=Source(name=name, sha256=digest))


def test_json_and_page_are_written_under_the_film_s_name(tmp_path, radiograph):
    paths = write(NORMAL, tmp_path / "new" / "folder", radiograph=radiograph)
    assert [path.name for path in paths] == ["film.json", "film.html"]
    assert dumps(from_json(paths[0].read_text(encoding="utf-8"))) == dumps(NORMAL)
    assert paths[1].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(os.listdir(paths[0].parent)) == ["film.html", "film.json"]


def test_pictures_of_joints_are_written_and_taken_away_with_them(tmp_path):
    phantom = drawn()
    read = assessed(phantom)
    paths = write(read, tmp_path, radiograph=phantom.radiograph)
    assert [path.name for path in paths] == [
        "drawn.json", "drawn.html", "drawn.joints.png", "drawn.contact-sheet.png",
    ]  # fmt: skip
    for path in paths[2:]:
        with Image.open(path) as picture:
            assert picture.info == {"capitate-film": read.source.sha256}
    write(replace(read, joints=None, methods=None), tmp_path, radiograph=phantom.radiograph)
    assert sorted(os.listdir(tmp_path)) == ["drawn.html", "drawn.json"]
    assert len(write(read, tmp_path)) == 2, "without the film there is nothing to draw on"
    ungraded = replace(read, joints=tuple(replace(one, grade=None) for one in read.joints), methods=None)
    paths = write(ungraded, tmp_path, radiograph=phantom.radiograph)
    assert [path.suffixes for path in paths] == [[".json"], [".html"], [".joints", ".png"]]
    missing = tuple(replace(one, box=None, status="missing", grade=None) for one in read.joints)
    assert len(write(replace(read, joints=missing, methods=None), tmp_path, radiograph=phantom.radiograph)) == 2


def test_another_film_s_pictures_are_never_replaced_and_no_foreign_one(tmp_path):
    phantom = drawn()
    read = assessed(phantom)
    formats = ["joints.png"]
    mine = write(read, tmp_path, radiograph=phantom.radiograph, formats=formats)[0]
    other = replace(read, source=replace(read.source, sha256="b" * 64))
    assert write(other, tmp_path, radiograph=phantom.radiograph, formats=formats)[0].name == "drawn-bbbbbbbb.joints.png"
    assert write(read, tmp_path, radiograph=phantom.radiograph, formats=formats)[0] == mine
    mine.write_bytes(b"no picture")
    assert write(read, tmp_path, radiograph=phantom.radiograph, formats=formats)[0] != mine
    assert mine.read_bytes() == b"no picture"


def test_pictures_of_reports_are_no_films(tmp_path):
    phantom = drawn()
    write(assessed(phantom), tmp_path, radiograph=phantom.radiograph)
    Image.new("L", (20, 20)).save(tmp_path / "other.joints.png")
    Image.new("L", (20, 20)).save(tmp_path / "drawn.png")
    assert [path.name for path in find(tmp_path)] == ["drawn.png", "other.joints.png"]


def test_only_the_chosen_formats(tmp_path):
    assert [path.name for path in write(REFUSED, tmp_path, formats=["html"])] == ["blank.html"]
    with pytest.raises(UsageError, match="got 'docx'"):
        write(NORMAL, tmp_path, formats=["docx"])


def test_a_film_s_reports_replace_its_own(tmp_path):
    for assessment in (NORMAL, replace(NORMAL, hand=None)):
        paths = write(assessment, tmp_path)
    assert len(os.listdir(tmp_path)) == 2
    assert from_json(paths[0].read_text(encoding="utf-8")).hand is None


@pytest.mark.parametrize("formats", [["json"], ["html"], ["json", "html"]])
def test_another_film_s_reports_are_never_replaced(tmp_path, formats):
    digests = ["a" * 64, "b" * 64, "b" * 8 + "c" * 56]
    names = [write(_named("film.png", digest), tmp_path, formats=formats)[0].stem for digest in digests]
    assert names == ["film", "film-bbbbbbbb", f"film-{digests[2]}"]
    again = [write(_named("film.jpg", digest), tmp_path, formats=formats)[0].stem for digest in digests]
    assert again == names
    assert len(os.listdir(tmp_path)) == 3 * len(formats)


def test_unreadable_films_of_one_name_are_kept_apart(tmp_path):
    other = replace(UNREADABLE, error=replace(UNREADABLE.error, message="There is no file 'b/gone.png'."))
    stems = {write(one, tmp_path)[0].stem for one in (UNREADABLE, other, UNREADABLE, other)}
    assert len(stems) == 2
    assert "gone" in stems


def test_a_file_that_is_no_report_is_left_alone(tmp_path):
    (tmp_path / "film.json").write_bytes(b"\xff notes")
    assert write(NORMAL, tmp_path)[0].name == "film-3f3f3f3f.json"
    assert (tmp_path / "film.json").read_bytes() == b"\xff notes"


def test_a_full_disk_is_told_in_words_and_leaves_nothing(tmp_path, monkeypatch):
    before = write(NORMAL, tmp_path)[0].read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportWriteError, match="No space left on device; free space") as caught:
        write(replace(NORMAL, hand=None), tmp_path)
    assert isinstance(caught.value, CapitateError)
    assert sorted(os.listdir(tmp_path)) == ["film.html", "film.json"]
    assert (tmp_path / "film.json").read_bytes() == before


def test_a_folder_that_is_a_file_is_told_in_words(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ReportWriteError, match="could not be written to"):
        write(NORMAL, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("film.png", "film"),
        ("a.b.dcm", "a.b"),
        ("../../etc/passwd", "passwd"),
        ("..\\up.png", ".._up".strip(".")),
        ("..", "_"),
        ("", "_"),
        ("CON.png", "_CON"),
        ('a<b>:"|?*.png', "a_b______"),
        ("f\udcff\n.png", "f__"),
        ("骨龄.png", "骨龄"),
        ("骨" * 100 + ".png", "骨" * 40),
    ],
)
def test_stems_are_safe_on_every_system(name, stem, tmp_path):
    assert safe_stem(name) == stem
    path = write(_named(name, "a" * 64), tmp_path / "out")[0]
    assert path.parent == tmp_path / "out"
    assert Path(path).exists()


def test_written_files_follow_the_umask(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert write(NORMAL, tmp_path)[0].stat().st_mode == plain.stat().st_mode
