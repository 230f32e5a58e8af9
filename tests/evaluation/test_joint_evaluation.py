"""Joints against labels on films where the reader's answers are known: boxes, names, sides, and films moved."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from marked_films import DiscReader, labels, marked, places

from capitate.errors import UsageError
from capitate.evaluation import RunDetails
from capitate.evaluation.joints import (
    evaluate_joints,
    list_films,
    make_moves,
    read_films,
    read_truth,
    unjudged,
    with_labels,
    write_joints,
)
from capitate.hand import Joint
from capitate.training.data.boxes import write_boxes
from capitate.types import Side

SIDES = {"a": Side.LEFT, "b": Side.LEFT, "c": Side.RIGHT}
AGES = {"a": 40, "b": 100, "c": 150}
DETAILS = RunDetails("capitate evaluate", "films.csv", "0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three marked films of known side and age, their table, and their boxes by class and by name."""
    folder = tmp_path_factory.mktemp("marked")
    table, by_class, by_name = ["path,sex,bone_age_months,side,kind"], [], []
    for number, (name, side) in enumerate(SIDES.items()):
        middles, shape = places(side=side, seed=number)
        marked(folder / f"{name}.png", middles, shape)
        table.append(f"{name}.png,F,{AGES[name]},{side},{'old' if name == 'a' else 'new'}")
        by_class += labels(name, middles, shape, named=False)
        by_name += labels(name, middles, shape, named=True)
    (folder / "films.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    write_boxes(by_class, folder / "classes.csv")
    write_boxes(by_name, folder / "names.csv")
    return folder


def evaluated(folder, reader, *, boxes="names.csv", moves=(), **options):
    truth = read_truth(folder / boxes)
    studies = list_films(folder / "films.csv")
    found = with_labels(studies, truth)
    results = read_films([(one, found[one.id]) for one in studies if one.id in found], reader, moves=moves)
    rest = unjudged(studies, truth, found)
    told = evaluate_joints(results, by_name=truth.by_name, threshold=reader.threshold, resamples=50, **options)
    return told, rest


def values(group):
    return {name: one.value for name, one in group.figures.items()}


def test_all_right_is_all_right(folder):
    moves = make_moves(turns=(0, 90, 180, 270), mirror=True, tilt=30)
    told, _ = evaluated(folder, DiscReader(), moves=moves)
    found = values(told.overall)
    for name in (
        "found",
        "counts_right",
        "side_accuracy",
        "naming_accuracy",
        "hands_named",
        "same_joints",
        "same_side",
    ):
        assert found[name] == 1, name
    assert found["map50"] == found["map50_names"] == pytest.approx(1)
    assert found["naming_wrong"] == found["naming_missing"] == 0
    assert found["centre_error"] < 0.15
    names = ("turned by 90", "turned by 180", "turned by 270", "mirrored", "tilted by up to 30")
    assert {f"moved={name}" for name in names} == {name for name in told.groups if name.startswith("moved=")}
    for name, group in told.groups.items():
        if name.startswith("moved="):
            assert values(group)["naming_accuracy"] == values(group)["side_accuracy"] == 1
    assert {f"joint={joint}" for joint in Joint} <= told.groups.keys()
    assert values(told.groups["joint=MIPThird"])["ap50"] == pytest.approx(1)
    assert told.groups["age=0-59"].n == told.groups["age=60-119"].n == told.groups["side=right"].n == 1


def test_a_box_moved_by_a_known_distance(folder):
    """Every radius 6 pixels to the right: an overlap of 14 / 26, below and above 50 % of its square."""

    def moved(found, shape):
        return [replace(one, box=replace(one.box, x=one.box.x + 6)) if one.joint == "Radius" else one for one in found]

    told, _ = evaluated(folder, DiscReader(change=moved), boxes="classes.csv")
    group = values(told.groups["class=Radius"])
    middles = np.array(list(places()[0].values()))
    length = np.hypot(*(middles[:, None] - middles[None]).transpose(2, 0, 1)).max()
    assert group["centre_error"] == pytest.approx(100 * 6 / length, rel=0.1)
    assert (group["ap50"], group["ap50_95"]) == (pytest.approx(1), pytest.approx(0.1))
    assert values(told.overall)["map50"] == pytest.approx(1)
    assert values(told.overall)["map50_95"] == pytest.approx((6 + 0.1) / 7, abs=0.15)
    assert np.isnan(values(told.overall)["naming_accuracy"])


def test_a_missing_joint_is_missing_and_not_wrong(folder):
    def without_ulna(found, shape):
        return [one for one in found if one.joint != "Ulna"]

    told, _ = evaluated(folder, DiscReader(change=without_ulna))
    found = values(told.overall)
    assert found["found"] == found["naming_accuracy"] == pytest.approx(20 / 21)
    assert (found["naming_missing"], found["naming_wrong"]) == (pytest.approx(1 / 21), 0)
    assert (found["hands_named"], found["counts_right"]) == (0, 0)
    assert values(told.groups["joint=Ulna"])["naming_accuracy"] == 0
    assert values(told.groups["class=Ulna"])["ap50"] == 0


def test_a_wrong_name_is_wrong(folder):
    """Labels of the ring and little finger's tips exchanged: naming is right, so by these labels both are wrong."""
    text = (folder / "names.csv").read_text(encoding="utf-8")
    swapped = text.replace("DIPFourth", "X").replace("DIPFifth", "DIPFourth").replace("X", "DIPFifth")
    (folder / "swapped.csv").write_text(swapped, encoding="utf-8")
    found = values(evaluated(folder, DiscReader(), boxes="swapped.csv")[0].overall)
    assert found["naming_wrong"] == pytest.approx(2 / 21)
    assert found["naming_accuracy"] == pytest.approx(19 / 21)
    assert found["map50_names"] == pytest.approx(19 / 21)


def test_a_film_lying_on_its_side_that_is_misread(folder):
    """A reader that loses five joints on films wider than high: the quarter turns are not the same hands."""

    def upright(found, shape):
        return found if shape[0] > shape[1] else found[5:]

    told, _ = evaluated(folder, DiscReader(change=upright), moves=make_moves(turns=(90, 180)))
    lying = values(told.groups["moved=turned by 90"])
    assert lying["same_joints"] == 0
    assert lying["same_joint"] == pytest.approx(16 / 21)
    assert values(told.groups["moved=turned by 180"])["same_joints"] == 1
    assert values(told.overall)["same_joints"] == 0.5


def test_a_mirrored_hand_of_the_wrong_side(folder):
    """A reader that undoes the mirror sees the same side again."""
    told, _ = evaluated(folder, DiscReader(), moves=make_moves(mirror=True))
    assert values(told.groups["moved=mirrored"])["same_side"] == 1
    results = told.results
    wrong = [replace(one, moved=(replace(one.moved[0], side=Side.LEFT),)) for one in results]
    again = evaluate_joints(wrong, by_name=True, threshold=0.3, resamples=20)
    assert values(again.groups["moved=mirrored"])["same_side"] == pytest.approx(2 / 3)


def test_films_seen_in_training_stand_apart(folder):
    told, _ = evaluated(folder, DiscReader(trained_on=frozenset("ab")))
    assert (told.overall.n, told.groups["in_training"].n) == (1, 2)
    assert [one.study.id for one in told.in_training] == ["a", "b"]
    everything, _ = evaluated(folder, DiscReader(trained_on=frozenset("ab")), out_of_fold=True)
    assert everything.overall.n == 3
    assert "in_training" not in everything.groups
    nothing, _ = evaluated(folder, DiscReader(trained_on=frozenset("abc")))
    assert nothing.overall.n == 0
    assert np.isnan(values(nothing.overall)["map50"])


def test_refused_films_are_counted_and_in_no_figure(folder, tmp_path):
    told, rest = evaluated(folder, DiscReader(refused=frozenset("b")))
    assert (told.overall.n, told.overall.refused) == (2, 1)
    assert values(told.overall)["found"] == 1
    rows = written(told, rest, tmp_path)
    assert {row["id"] for row in rows if row["refusal"] == "no_hand"} == {"b"}
    assert len([row for row in rows if row["id"] == "b"]) == 21
    assert "no_hand" in (tmp_path / "report.html").read_text(encoding="utf-8")


def written(told, rest, folder):
    write_joints(told, rest, folder, details=DETAILS, models=DiscReader().models)
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_is_written(folder, tmp_path):
    told, rest = evaluated(folder, DiscReader(trained_on=frozenset("a")), moves=make_moves(mirror=True))
    rows = written(told, rest, tmp_path)
    assert len(rows) == 3 * 21
    one = next(row for row in rows if row["id"] == "c" and row["label"] == "MIPThird")
    assert (one["joint"], one["name"], one["named"], one["naming"]) == (
        "MiddlePhalanx",
        "MIPThird",
        "MIPThird",
        "right",
    )
    assert (one["side"], one["found_side"], one["status"], one["in_training"]) == ("right", "right", "found", "false")
    assert float(one["overlap"]) > 0.9
    assert float(one["width"]) == pytest.approx(float(one["true_width"]), abs=1e-4)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    for name in ("map50", "map50_95", "side_accuracy", "naming_accuracy", "found", "centre_error", "n"):
        assert set(metrics[name]) == {"value", "low", "high"}
    assert metrics["task"] == "joints"
    assert metrics["n"]["value"] == 2
    assert metrics["groups"]["in_training"]["n"]["value"] == 1
    assert metrics["run"]["threshold"] == 0.3
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "src=" not in page


def test_films_and_labels_without_each_other(folder, tmp_path):
    text = (folder / "names.csv").read_text(encoding="utf-8").replace("\na,", "\nz,")
    (folder / "others.csv").write_text(text + "b,Wrist,0.5,0.5,0.1,0.1\nc,Radius,0.5,none,0.1,0.1\n", encoding="utf-8")
    told, rest = evaluated(folder, DiscReader(), boxes="others.csv")
    assert told.overall.n == 2
    assert [study.id for study in rest.films] == ["a"]
    assert [hand.film for hand in rest.hands] == ["z"]
    assert [one.joint for one in rest.boxes] == ["Wrist", ""]
    rows = written(told, rest, tmp_path)
    assert [row["unused"] for row in rows if row["id"] == "a"] == ["no_labels"]
    assert {row["unused"] for row in rows if row["id"] == "z"} == {"no_film"}
    assert next(row for row in rows if row["label"] == "Wrist")["unused"] == "unknown_joint"
    run = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["run"]
    assert run["films_without_labels"] == {"n": 1, "first": ["a"]}
    assert run["labels_without_film"] == {"n": 1, "first": ["z"]}
    assert run["unused_boxes"] == {"Wrist": 1, "unreadable row": 1}
    (folder / "strangers.csv").write_text(text.replace("\nb,", "\ny,").replace("\nc,", "\nx,"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"none of the 3 labelled hands is among the 3 films, got ids such as 'x'"):
        evaluated(folder, DiscReader(), boxes="strangers.csv")


def test_groups_by_a_column(folder):
    told, _ = evaluated(folder, DiscReader(), group_by=("kind",))
    assert (told.groups["kind=old"].n, told.groups["kind=new"].n) == (1, 2)
    with pytest.raises(UsageError, match="cannot group by 'size'"):
        evaluated(folder, DiscReader(), group_by=("size",))


def test_no_film_is_left():
    with pytest.raises(UsageError, match="no labelled film is left"):
        evaluate_joints([], by_name=True, threshold=0.3)


def test_two_films_of_one_stem_have_no_labels_by_their_stem(folder, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes((folder / "a.png").read_bytes())
    (tmp_path / "b.png").write_bytes((folder / "b.png").read_bytes())
    found = with_labels(list_films(tmp_path), read_truth(folder / "names.csv"))
    assert list(found) == ["b"]


def test_a_table_of_films_needs_their_paths_alone(folder, tmp_path):
    (tmp_path / "films.csv").write_text(f"path,side\n{folder / 'c.png'},right\n", encoding="utf-8")
    (study,) = list_films(tmp_path / "films.csv")
    assert (study.id, study.side) == ("c", Side.RIGHT)
