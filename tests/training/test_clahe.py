"""Equalisation into a new folder: known answers, every split alike, never in place, siblings of one hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")

from capitate import files
from capitate.errors import UsageError
from capitate.training.data.clahe import ClaheRule, Rotations, equalise_crops, equalise_films, equalised
from capitate.training.data.crops import read_crops
from capitate.training.layouts import read_any
from capitate.training.manifest import read_manifest

RULE = ClaheRule(clip=2.0, tiles=2)


def ramp(height: int = 64, width: int = 64) -> np.ndarray:
    """Grey values 100 to 115 only."""
    return (100 + np.arange(height * width).reshape(height, width) % 16).astype(np.uint8)


def test_one_tile_without_a_limit_is_histogram_equalisation():
    """Sixteen equally frequent values spread over the scale: the cumulative share times 255."""
    made = equalised(ramp(), rule=ClaheRule(clip=1000, tiles=1))
    expected = np.rint((np.arange(16) + 1) / 16 * 255)
    assert np.abs(made.ravel()[:16].astype(int) - expected).max() <= 1


def test_a_lower_limit_changes_less():
    spreads = [np.ptp(equalised(ramp(), rule=ClaheRule(clip=clip, tiles=1)).astype(int)) for clip in (1, 2, 4, 8)]
    assert spreads == sorted(spreads)
    assert spreads[0] < 40 < spreads[-1]


def test_sixteen_bits_stay_sixteen_bits():
    deep = (20000 + np.arange(64 * 64).reshape(64, 64)).astype(np.uint16)
    made = equalised(deep, rule=ClaheRule(clip=1000, tiles=1))
    assert made.dtype == np.uint16
    assert len(np.unique(made)) == 64 * 64
    assert made.max() == 65535


@pytest.mark.parametrize("kwargs", [{"clip": 0.0}, {"clip": float("nan")}, {"tiles": 0}])
def test_impossible_rules(kwargs):
    with pytest.raises(UsageError, match="clip must be above 0"):
        ClaheRule(**kwargs)


def test_tiles_are_counted_not_measured():
    with pytest.raises(UsageError, match="64 x 64 tiles on a film of 500 x 400 are of 7 x 6 pixels"):
        equalised(np.zeros((400, 500), dtype=np.uint8), rule=ClaheRule(tiles=64))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    for k in range(3):
        Image.fromarray(ramp() + np.uint8(k)).save(tmp_path / f"{k}.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    rows = "0.png,F,60,train\n1.png,M,70,val\n2.png,F,80,test\nbad.png,F,1,test\n"
    (tmp_path / "films.csv").write_text(f"path,sex,bone_age_months,split\n{rows}")
    return tmp_path / "films.csv"


def test_every_split_is_treated_alike_and_the_source_is_left(table, tmp_path):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    refused = equalise_films(read_any(table), tmp_path / "out", source=table, rule=RULE)
    assert [one.id for one in refused] == ["bad"]
    made = read_manifest(tmp_path / "out" / "manifest.csv")
    assert [(s.id, s.split, s.bone_age_months) for s in made] == [
        ("0", "train", 60),
        ("1", "val", 70),
        ("2", "test", 80),
    ]
    for k, study in enumerate(made):
        expected = equalised(ramp() + np.uint8(k), rule=RULE)
        assert np.array_equal(np.rint(files.read(study.path).pixels * 255), expected)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert json.loads((tmp_path / "out" / "clahe.json").read_text())["rule"]["clip"] == 2


def test_films_of_one_stem_do_not_overwrite_each_other(tmp_path):
    for name in ("a/7.png", "b/7.png", "b/7.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(ramp()).save(tmp_path / name, lossless=True)
    (tmp_path / "films.csv").write_text("path,sex,bone_age_months\na/7.png,F,1\nb/7.png,F,2\nb/7.webp,F,3\n")
    studies = read_any(tmp_path / "films.csv")
    equalise_films(studies, tmp_path / "out", source=tmp_path / "films.csv", rule=RULE)
    made = read_manifest(tmp_path / "out" / "manifest.csv")
    assert [study.listed for study in made] == ["films/a/7.png", "films/b/7.png", "films/b/7.webp.png"]
    assert all(study.path.is_file() for study in made)


def test_never_in_place_never_twice_never_over_files(table, tmp_path):
    studies = read_any(table)
    with pytest.raises(UsageError, match="never equalised in place"):
        equalise_films(studies, tmp_path, source=table, rule=RULE)
    equalise_films(studies, tmp_path / "out", source=table, rule=RULE)
    with pytest.raises(UsageError, match="holds files already"):
        equalise_films(studies, tmp_path / "out", source=table, rule=RULE)
    again = tmp_path / "out" / "manifest.csv"
    with pytest.raises(UsageError, match="were equalised before"):
        equalise_films(read_any(again), tmp_path / "twice", source=again, rule=RULE)


def test_crops_get_turned_copies_that_are_of_their_hand(tmp_path):
    for hand in ("7", "8"):
        file = tmp_path / "graded" / "MCPThird" / "5" / f"{hand}__Third_Metacarpal_Grade5.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ramp()).save(file)
    out = tmp_path / "out"
    count = equalise_crops(
        read_crops(tmp_path / "graded"), out, source=tmp_path / "graded", rule=RULE, rotations=Rotations(5, 45, 1)
    )
    made = read_crops(out)
    assert (count, len(made)) == (12, 12)
    assert {(crop.joint, crop.grade) for crop in made} == {("MCPThird", 5)}
    assert sorted(crop.hand for crop in made) == ["7"] * 6 + ["8"] * 6
    plain = out / "MCPThird" / "5" / "7__Third_Metacarpal_Grade5-clahe.png"
    assert np.array_equal(np.asarray(Image.open(plain)), equalised(ramp(), rule=RULE))
    turns = {
        int(crop.path.stem.rpartition("turned")[2]) for crop in made if crop.hand == "7" and "turned" in crop.path.stem
    }
    assert len(turns) == 5
    assert 0 not in turns
    assert all(abs(turn) <= 45 for turn in turns)


def test_more_copies_than_angles():
    with pytest.raises(UsageError, match="there are 4 turns"):
        Rotations(5, 2)
