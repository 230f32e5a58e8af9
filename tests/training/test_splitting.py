"""Splits: groups together, ages and sexes alike, the same seed the same split, and a proof that can fail."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from capitate.errors import TableError, UsageError
from capitate.training.data.split_files import split_crops, split_studies
from capitate.training.data.splitting import SplitItem, assign, items_of_studies, prove
from capitate.training.folds import given_folds
from capitate.training.manifest import Study, read_manifest
from capitate.types import Sex

FIVE = {str(k): 1.0 for k in range(5)}


def children(count: int, *, films_each: int = 1, seed: int = 0) -> list[Study]:
    """Children of both sexes, one to eighteen years, with one or several films."""
    random = np.random.default_rng(seed)
    studies = []
    for k in range(count):
        sex = (Sex.FEMALE, Sex.MALE)[int(random.random() < 0.54)]
        months = float(np.clip(random.normal(127, 41), 1, 228))
        for film in range(films_each):
            path = Path(f"/films/{k}-{film}.png")
            studies.append(Study(path=path, id=path.stem, sex=sex, bone_age_months=months, patient_id=f"p{k}"))
    return studies


def test_folds_are_alike_in_age_and_sex():
    items = items_of_studies(children(1000))
    chosen = assign(items, shares=FIVE, seed=3)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        counts[item.stratum][chosen[item.id]] += 1
    assert len(counts) > 12
    for folds in counts.values():
        assert max(folds.values()) - min(folds[name] for name in FIVE) <= 1
    assert set(Counter(chosen.values()).values()) <= {199, 200, 201}


def test_named_shares_are_met():
    items = items_of_studies(children(2000))
    sizes = Counter(assign(items, shares={"train": 8, "val": 1, "test": 1}, seed=0).values())
    assert abs(sizes["train"] - 1600) <= 4
    assert abs(sizes["val"] - sizes["test"]) <= 4


def test_a_patients_films_stay_together_and_the_seed_decides():
    studies = children(100, films_each=3)
    items = items_of_studies(studies)
    chosen = assign(items, shares=FIVE, seed=1)
    for child in range(100):
        assert len({chosen[f"{child}-{film}"] for film in range(3)}) == 1
    assert assign(items, shares=FIVE, seed=1) == chosen
    assert assign(list(reversed(items)), shares=FIVE, seed=1) == chosen
    assert assign(items, shares=FIVE, seed=2) != chosen


def test_copies_join_patients():
    studies = children(30)
    items = {i.id: i for i in items_of_studies(studies, copies=[("0-0", "7-0"), ("7-0", "9-0"), ("3-0", "4-0")])}
    assert items["0-0"].group == items["7-0"].group == items["9-0"].group
    assert items["3-0"].group == items["4-0"].group != items["0-0"].group
    assert len({item.group for item in items.values()}) == 27


def test_examinations_group_where_no_patient_is_told():
    studies = [Study(path=Path(f"/{k}.png"), id=str(k), study_id=f"s{k // 2}", abnormal=k % 4 < 2) for k in range(40)]
    items = items_of_studies(studies)
    assert len({item.group for item in items}) == 20
    assert {item.stratum for item in items} == {"unknown, abnormal", "unknown, normal"}


def test_a_proof_finds_what_is_shared():
    items = [SplitItem("a", "p", "x"), SplitItem("b", "p", "x"), SplitItem("c", "q", "x")]
    shares = {"train": 1.0, "test": 1.0}
    fine = prove(items, [("a", "train"), ("b", "train"), ("c", "test")], shares=shares)
    assert fine.disjoint
    assert (fine.films, fine.groups) == ({"train": 2, "test": 1}, {"train": 1, "test": 1})
    torn = prove(items, [("a", "train"), ("b", "test"), ("c", "test"), ("c", "train")], shares=shares)
    assert (torn.shared_groups, torn.shared_films, torn.disjoint) == (("p", "q"), ("c",), False)
    with pytest.raises(UsageError, match="1 films have no split, the first 'c'"):
        prove(items, [("a", "train"), ("b", "train")], shares=shares)
    with pytest.raises(UsageError, match="got 'z'"):
        prove(items, [("z", "train")], shares=shares)


@pytest.mark.parametrize("shares", [{"train": 1.0}, {"train": 1.0, "test": 0.0}, {"train": 1.0, "test": -1.0}])
def test_impossible_shares(shares):
    with pytest.raises(UsageError, match="shares above 0"):
        assign(items_of_studies(children(10)), shares=shares, seed=0)


def test_more_splits_than_groups():
    with pytest.raises(UsageError, match="3 groups cannot be put into 5 splits"):
        assign(items_of_studies(children(3, films_each=4)), shares=FIVE, seed=0)


def test_the_written_manifest_is_proved_and_gives_folds(tmp_path):
    studies = children(50, films_each=2)
    proof = split_studies(studies, [], tmp_path / "folds.csv", shares=FIVE, seed=0)
    again = read_manifest(tmp_path / "folds.csv")
    assert proof.disjoint
    assert proof.films == Counter(study.split for study in again)
    assert sum(proof.groups.values()) == 50
    assert sorted(set(given_folds(again))) == [0, 1, 2, 3, 4]


def test_crops_of_a_hand_stay_together(tmp_path):
    for hand in range(12):
        for name in (f"{hand}.png", f"{hand}-clahe.png", f"{hand}-clahe-turned-8.png"):
            file = tmp_path / "graded" / ("MCPThird", "Radius")[hand % 2] / str(hand % 3 + 1) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"crop")
    proof = split_crops(tmp_path / "graded", tmp_path / "split.csv", shares={"train": 3, "val": 1}, seed=0)
    with (tmp_path / "split.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    hands: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        hands[row["hand"]].add(row["split"])
    assert (len(rows), len(hands), proof.groups) == (36, 12, {"train": 9, "val": 3})
    assert all(len(splits) == 1 for splits in hands.values())


def study(name: str, split: str | None, patient: str | None = None) -> Study:
    return Study(path=Path(f"/{name}.png"), id=name, split=split, patient_id=patient)


@pytest.mark.parametrize(
    ("studies", "says"),
    [
        ([study("a", "0"), study("b", None)], "'b' has no fold, got split ''"),
        ([study("a", "0"), study("b", "train")], "got split 'train'"),
        ([study("a", "0"), study("b", "2")], r"without gaps, got \[0, 2\]"),
        (
            [study("a", "0", "p"), study("b", "1", "p")],
            "one patient stand on two folds, got 'b' on fold 1 and another on 0",
        ),
        ([study("a", "0"), study("a", "1")], "two folds"),
    ],
)
def test_folds_that_do_not_fit(studies, says):
    with pytest.raises(TableError, match=says):
        given_folds(studies)
