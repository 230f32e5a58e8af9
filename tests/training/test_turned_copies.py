"""Copies of drawn films that were turned, mirrored, darkened or scaled; films that are alike and yet others."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capitate.errors import TableError, UsageError
from capitate.phantom import Pose, draw
from capitate.training.checks.copied_films import CopyLimits, find_copies
from capitate.training.checks.film_structure import film_structure
from capitate.training.checks.turned_copies import (
    ALIKE,
    ALIKE_BY_QUARTERS,
    ALIKE_IN_SOURCE,
    compared,
    copies_across,
    copies_in_group,
)
from capitate.training.data.copy_files import COLUMNS, films_to_compare, write_copies
from capitate.training.manifest import Study, read_manifest
from capitate.types import Sex


@cache
def hand(seed: int) -> Image.Image:
    """A drawn hand of its own age and pose."""
    pose = Pose(
        20 * seed - 40, (0.04 * seed - 0.08, 0.02 * seed - 0.05), 0.85 - 0.07 * seed, 8 * seed - 12, 10 * seed - 20
    )
    film = draw(age_months=40 + 35 * seed, sex=Sex.FEMALE, height=128, width=100, seed=seed, pose=pose)
    return Image.fromarray(np.round(film.radiograph.pixels * 255).astype(np.uint8))


def pixels(picture: Image.Image) -> NDArray[np.float32]:
    return np.asarray(picture, dtype=np.float32) / 255


def against_the_clock(picture: Image.Image, degrees: float) -> Image.Image:
    """Turned in its canvas, black in the corners, as an image editor does; degrees against the clock."""
    return picture.rotate(degrees, Image.Resampling.BILINEAR)


def darker(picture: Image.Image, share: float) -> Image.Image:
    return Image.fromarray((np.asarray(picture) * share).astype(np.uint8))


def structure(name: str, picture: Image.Image):
    return film_structure(name, pixels(picture))


@pytest.mark.parametrize("degrees", [-31, -8, 0, 17, 36])
def test_the_turn_is_measured(degrees):
    (pair,) = compared(structure("a", hand(1)), [structure("b", against_the_clock(hand(1), degrees))])
    assert abs(pair.degrees - degrees) <= 2
    assert (pair.mirrored, pair.correlation > ALIKE) == (False, True)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_darkening_changes_little(share):
    dark = structure("dark", darker(against_the_clock(hand(2), 12), share))
    (pair,) = copies_in_group([structure("a", hand(2)), dark])
    assert (abs(pair.degrees - 12) <= 2, pair.correlation > 0.6) == (True, True)


def test_mirrored_and_turned_by_some_degrees():
    changed = against_the_clock(hand(3).transpose(Image.Transpose.FLIP_LEFT_RIGHT), 10)
    (pair,) = copies_across([structure("a", hand(3)), structure("b", changed), structure("c", hand(1))])
    assert (pair.first, pair.second, pair.mirrored) == ("a", "b", True)
    assert abs(pair.degrees - 10) <= 2


def test_quarters_need_a_closer_match():
    films = [structure("a", hand(3)), structure("b", hand(3).transpose(Image.Transpose.ROTATE_90))]
    (pair,) = copies_across(films)
    assert (pair.degrees, pair.mirrored, pair.correlation > ALIKE_BY_QUARTERS) == (90, False, True)
    blurred = hand(3).resize((20, 26)).resize((100, 128)).transpose(Image.Transpose.ROTATE_90)
    (pair,) = compared(films[0], [structure("c", blurred)], variants=(1,))
    assert pair.correlation < ALIKE_BY_QUARTERS
    assert copies_across([films[0], structure("c", blurred)]) == []


def test_another_resolution_is_found_anywhere_but_not_within_a_group():
    both = [structure("a", hand(1)), structure("b", hand(1).resize((75, 96), Image.Resampling.LANCZOS))]
    assert copies_in_group(both) == []
    assert [pair.second for pair in copies_across(both)] == ["b"]


def test_other_hands_are_no_copies():
    others = [structure(str(seed), hand(seed)) for seed in range(5)]
    assert copies_across(others) == []
    assert copies_in_group(others) == []


def test_blank_and_tiny_films_are_compared_without_failing():
    empty = film_structure("empty", np.zeros((30, 40), dtype=np.float32))
    strip = film_structure("strip", np.full((2, 900), 0.5, dtype=np.float32))
    assert copies_across([empty, strip, structure("a", hand(1))]) == []
    assert (empty.corners, strip.corners) == (1.0, 0.0)


class Fractures:
    """An index as fractures are published: three sources, six films, ten files and one that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "images").mkdir()
        first, second, third = hand(1), hand(2), hand(3)
        self.rows = [
            self.save("a", against_the_clock(first, 20), "s1", 1, "1"),
            self.save("b", first, "s1", 1, "1"),
            self.save("c", darker(against_the_clock(first, -14), 0.4), "s1", 1, "1"),
            self.save("d", second, "s1", 0, ""),
            self.save("e", third, "s2", 0, ""),
            self.save("f", against_the_clock(third, 9), "s2", 1, "3;4"),
            self.save("g", hand(4), "s2", 1, "6"),
            self.save("h", against_the_clock(second, 30), "s3", 0, ""),
            self.save("i", hand(0), "s3", 0, ""),
        ]
        (folder / "images" / "broken.png").write_bytes(b"no film")
        self.rows.append("broken.png,s3,0,")
        (folder / "index.csv").write_text("file,source,fracture,classes\n" + "\n".join(self.rows) + "\n")

    def save(self, name: str, picture: Image.Image, source: str, fracture: int, classes: str) -> str:
        picture.save(self.folder / "images" / f"{name}.png")
        return f"{name}.png,{source},{fracture},{classes}"


@pytest.fixture(scope="module")
def fractures(tmp_path_factory) -> Fractures:
    return Fractures(tmp_path_factory.mktemp("fractures"))


def names(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_files_become_films_with_their_groups(run_copies, fractures, tmp_path):
    result = run_copies(fractures.folder / "index.csv", "--out", tmp_path, "--quiet")
    assert result == 1  # one file cannot be read
    films = {study.id: study for study in read_manifest(tmp_path / "films.csv")}
    assert sorted(films) == ["b", "d", "g", "i"]  # e and f contradict each other; h is d, turned, of another source
    assert (films["b"].patient_id, films["b"].study_id, films["b"].region) == ("s1", "b", "fingers")
    assert {films["d"].patient_id, films["i"].patient_id} == {"s1"}  # s3 shares a film with s1
    assert (films["b"].abnormal, films["d"].abnormal, films["g"].region) == (True, False, "wrist")
    assert films["b"].labels["classes"] == "1"
    assert films["b"].path == fractures.folder / "images" / "b.png"


def test_every_file_has_a_row_with_its_turn(run_copies, fractures, tmp_path):
    run_copies(fractures.folder / "index.csv", "--out", tmp_path, "--quiet")
    rows = {row["file"]: row for row in names(tmp_path / "copies.csv")}
    assert tuple(rows["a.png"]) == COLUMNS
    assert len(rows) == 9
    assert [rows[f"{name}.png"]["film"] for name in "abcdefghi"] == list("bbbdeegdi")
    assert [rows[f"{name}.png"]["chosen"] for name in "abcdefghi"] == list("010110101")
    assert abs(int(rows["a.png"]["degrees"]) - 20) <= 2
    assert abs(int(rows["c.png"]["degrees"]) + 14) <= 2
    assert float(rows["h.png"]["correlation"]) > ALIKE
    told = json.loads((tmp_path / "copies.json").read_text())
    assert (told["files"], told["films"], told["groups"]) == (10, 5, 2)
    assert told["contradictory"] == [["e", "f"]]
    assert [pair[:2] for pair in told["joined"]] == [["d", "h"]]
    assert [one["id"] for one in told["refused"]] == ["broken"]


def test_the_screen_is_trained_on_the_table_as_it_is(run_copies, fractures, tmp_path):
    pytest.importorskip("torch")
    from capitate.training.abnormality.films import read_screen_films
    from capitate.training.settings.abnormality import ScreenDataConfig

    run_copies(fractures.folder / "index.csv", "--out", tmp_path, "--quiet")
    films = read_screen_films(tmp_path / "films.csv", ScreenDataConfig())
    assert [item.id for item in films.items] == films.studies.tolist() == ["b", "d", "g", "i"]
    assert films.groups.tolist() == ["s1", "s1", "s2", "s1"]
    assert films.regions.tolist() == ["fingers", "", "wrist", ""]
    assert films.labels.tolist() == [1, 0, 1, 0]


def test_contradictory_films_can_stay_without_a_reading(run_copies, fractures, tmp_path):
    table = fractures.folder / "index.csv"
    run_copies(table, "--out", tmp_path, "--contradictory", "unlabelled", "--only-groups", "--quiet")
    films = {study.id: study for study in read_manifest(tmp_path / "films.csv")}
    assert (films["e"].abnormal, films["e"].region) == (None, "humerus")
    assert (films["h"].patient_id, films["d"].patient_id) == ("s3", "s1")  # not compared across sources


def test_a_folder_and_a_table_of_boxes_are_compared_throughout(tmp_path):
    (tmp_path / "images").mkdir()
    for name, picture in (("a", hand(1)), ("b", against_the_clock(hand(1), 15)), ("c", hand(2))):
        picture.save(tmp_path / "images" / f"{name}.png")
    found = find_copies(films_to_compare(tmp_path / "images").studies)
    assert [[one.study.id for one in film.copies] for film in found.films] == [["a", "b"], ["c"]]
    header = "file,split,class,x_center,y_center,width,height\n"
    rows = [f"{name}.png,{split},1,0.5,0.5,0.1,0.1\n" for name, split in zip("aabc", ("t", "t", "v", "t"), strict=True)]
    (tmp_path / "boxes.csv").write_text(header + "".join(rows))
    studies = films_to_compare(tmp_path / "boxes.csv").studies
    assert [(study.id, study.split) for study in studies] == [("a", "t"), ("b", "v"), ("c", "t")]
    assert find_copies(studies).torn == {"a": ["t", "v"]}


def test_bad_tables_are_refused_with_what_was_wrong(tmp_path):
    header = "file,split,class,x_center,y_center,width,height\n"
    (tmp_path / "boxes.csv").write_text(f"{header}a.png,t,1,0.5,0.5,0.1,0.1\n")
    with pytest.raises(TableError, match=r"1 films are missing, got a\.png"):
        films_to_compare(tmp_path / "boxes.csv")
    hand(1).save(tmp_path / "a.png")
    (tmp_path / "boxes.csv").write_text(f"{header}a.png,t,1,0.5,0.5,0.1,0.1\na.png,v,1,0.5,0.5,0.1,0.1\n")
    with pytest.raises(TableError, match="two splits"):
        films_to_compare(tmp_path / "boxes.csv")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="holds no film"):
        films_to_compare(tmp_path / "nothing")


def test_nothing_is_written_where_no_film_is_left(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no film")
    found = find_copies([Study(tmp_path / "a.png", "a")])
    with pytest.raises(UsageError, match="1 files cannot be read"):
        write_copies(found, tmp_path)


def test_limits_decide(fractures):
    files = films_to_compare(fractures.folder / "index.csv")
    strict = find_copies(files.studies, limits=CopyLimits(in_group=0.999, anywhere=0.999))
    assert len(strict.films) == 9


def test_patients_have_the_limit_of_any_films_and_sources_their_own(fractures, tmp_path):
    hand(1).save(tmp_path / "a.png")
    (tmp_path / "films.csv").write_text("path,patient_id\na.png,p1\n")
    assert films_to_compare(tmp_path / "films.csv").in_group == ALIKE
    assert films_to_compare(fractures.folder / "index.csv").in_group == ALIKE_IN_SOURCE


@pytest.fixture
def run_copies(capsys):
    from capitate.cli import main

    def call(*words: object) -> int:
        with pytest.raises(SystemExit) as end:
            main(["data", "copies", *map(str, words)])
        capsys.readouterr()
        return int(end.value.code or 0)

    return call
