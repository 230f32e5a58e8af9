"""`capitate data phantoms`: films or graded joints, and what is said where both or neither are asked for."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from PIL import Image

from capitate.phantom import RUS_JOINTS, grade_count
from capitate.training.data.crops import read_crops


def rows_of(folder):
    with (folder / "joints.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_joints_are_a_graded_data_set_with_their_measures(run, tmp_path):
    result = run("data", "phantoms", "--joints", tmp_path / "a", "--count", 54, "--joint", "Radius", "--joint",
                 "Ulna", "--size", 32)  # fmt: skip
    assert (result.code, result.out) == (0, f"54 drawn joints and their measures: {tmp_path / 'a' / 'joints.csv'}\n")
    crops, rows = read_crops(tmp_path / "a"), rows_of(tmp_path / "a")
    assert {(row["path"], row["joint"], int(row["grade"])) for row in rows} == {
        (crop.path.relative_to(tmp_path / "a").as_posix(), crop.joint, crop.grade) for crop in crops
    }
    assert len({crop.hand for crop in crops}) == 54
    # 15 grades of the radius and 13 of the ulna: each once or twice.
    assert set(Counter((row["joint"], row["grade"]) for row in rows).values()) == {1, 2}
    for row in rows:
        assert (row["gap"] == "") == (row["grade"] == "0")
        assert (float(row["width_ratio"]) == 0) == (row["grade"] == "0")
        assert int(float(row["maturity"])) == int(row["grade"])
        with Image.open(tmp_path / "a" / row["path"]) as picture:
            assert (picture.size, picture.mode) == ((32, 32), "L")


def test_the_same_seed_draws_the_same_joints_and_few_are_spread_over_all(run, tmp_path):
    for name in ("a", "b"):
        run("data", "phantoms", "--joints", tmp_path / name, "--count", 26, "--size", 16, "--seed", 3)
    rows = rows_of(tmp_path / "a")
    assert {row["joint"] for row in rows} == set(RUS_JOINTS)
    assert max(int(row["grade"]) for row in rows) > 9
    for row in rows:
        first, again = ((tmp_path / name / row["path"]).read_bytes() for name in ("a", "b"))
        assert first == again
        assert int(row["grade"]) <= grade_count(row["joint"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "got neither"),
        (("--out", "films", "--joints", "joints"), "got both"),
        (("--out", "films", "--joint", "Radius"), "--joint belongs to --joints, got 'Radius'"),
        (("--joints", "joints", "--joint", "Elbow"), "no joint of RUS-CHN is named 'Elbow'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_was_got(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    result = run("data", "phantoms", *words)
    assert result.code == 2
    assert message in " ".join(result.err.split())
