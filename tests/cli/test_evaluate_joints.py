"""`capitate evaluate --task joints` from the command line, with a detector whose answers are known."""

from __future__ import annotations

import csv
import json

import pytest

from capitate.runtime.bundle import bundle_names
from capitate.runtime.views import HandFrame
from capitate.training.data.boxes import LabelledBox, write_boxes
from capitate.types import Side

from .stand_in_bundles import DrawnDetector, detector_bundle, drawn_films

SIDES = {"1": Side.LEFT, "2": Side.RIGHT, "3": Side.LEFT}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three drawn films, their table and their boxes by name."""
    folder = tmp_path_factory.mktemp("films")
    rows, boxes = ["path,sex,bone_age_months,side"], []
    for name, film in drawn_films(folder, SIDES).items():
        rows.append(f"{name}.png,F,{film.age_months},{film.side}")
        tall, wide = film.radiograph.pixels.shape
        for one in film.joints:
            x, y = one.box.x + one.box.width / 2, one.box.y + one.box.height / 2
            boxes.append(LabelledBox(name, one.name, x / wide, y / tall, one.box.width / wide, one.box.height / tall))
    (folder / "films.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    write_boxes(boxes, folder / "boxes.csv")
    return folder


@pytest.fixture(autouse=True)
def drawn_detector(monkeypatch):
    monkeypatch.setattr("capitate.evaluation.joints.reader.JointDetector", DrawnDetector)
    DrawnDetector.asked.clear()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return detector_bundle(tmp_path_factory.mktemp("bundles") / "plain")


def written(out):
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        return json.loads((out / "metrics.json").read_text(encoding="utf-8")), list(csv.DictReader(stream))


def test_boxes_names_and_sides(run, folder, plain, tmp_path):
    words = ("--task", "joints", "--boxes", folder / "boxes.csv", "--model", plain, "--threads", "1")
    result = run("evaluate", folder / "films.csv", *words, "--out", tmp_path / "out")
    assert result.code == 0, result.err
    metrics, rows = written(tmp_path / "out")
    for name in ("map50", "map50_95", "found", "side_accuracy", "naming_accuracy", "hands_named"):
        assert metrics[name]["value"] == pytest.approx(1), name
    assert metrics["n"]["value"] == 3
    assert len(rows) == 63
    assert {model["name"] for model in metrics["run"]["models"]} == {"drawn-detector", "hand-locator"}
    assert "all films" in result.out
    assert "naming_accuracy 100.0 %" in result.out
    assert all(isinstance(frame, HandFrame) for _, frame in DrawnDetector.asked), "the locator's frame goes along"


def test_each_film_of_training_is_read_by_the_fold_that_never_saw_it(run, folder, tmp_path):
    bundle = detector_bundle(tmp_path / "folds", trained_on={"1": 1, "2": 0}, folds=2)
    words = ("--task", "joints", "--boxes", folder / "boxes.csv", "--model", bundle, "--quiet")
    assert run("evaluate", folder, *words, "--out-of-fold", "--out", tmp_path / "oof").code == 0
    assert [member for member, _ in DrawnDetector.asked] == [1, 0, None]
    metrics, rows = written(tmp_path / "oof")
    assert metrics["n"]["value"] == 3
    assert {(row["id"], row["score"]) for row in rows} == {("1", "0.6000"), ("2", "0.5000"), ("3", "0.9000")}
    assert run("evaluate", folder, *words, "--out", tmp_path / "apart").code == 0
    metrics, _ = written(tmp_path / "apart")
    assert (metrics["n"]["value"], metrics["groups"]["in_training"]["n"]["value"]) == (1, 2)


def test_a_bundle_without_folds_says_so(run, folder, plain, tmp_path):
    words = ("--task", "joints", "--boxes", folder / "boxes.csv", "--model", plain, "--out-of-fold")
    result = run("evaluate", folder, *words, "--out", tmp_path)
    assert result.code == 2
    assert "out of fold needs a bundle with a network for each fold, got 'drawn-detector' with 1" in result.err
    assert "leave --out-of-fold out" in result.err


def test_wrong_labels_are_named_and_left_out_where_asked(run, folder, plain, tmp_path):
    text = (folder / "boxes.csv").read_text(encoding="utf-8").replace("2,DIPFifth", "2,DIPFourth")
    (folder / "doubled.csv").write_text(text, encoding="utf-8")
    words = ("--task", "joints", "--boxes", folder / "doubled.csv", "--model", plain)
    kept = run("evaluate", folder, *words, "--out", tmp_path / "kept")
    assert "wrong labels: 1 films, 2; they count as they are" in kept.out
    assert written(tmp_path / "kept")[0]["n"]["value"] == 3
    left = run("evaluate", folder, *words, "--leave-out-wrong", "--out", tmp_path / "left")
    assert "they were left out" in left.out
    metrics, rows = written(tmp_path / "left")
    assert metrics["n"]["value"] == 2
    assert metrics["run"]["wrong_labels"] == {
        "films": 1, "left_out": 1, "reasons": {"2": "DIPFourth stands twice."},
    }  # fmt: skip
    assert {row["unused"] for row in rows if row["id"] == "2"} == {"wrong_labels"}


def test_a_film_that_cannot_be_read(run, folder, plain, tmp_path):
    for name in ("films.csv", "boxes.csv", "1.png", "2.png"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "3.png").write_bytes(b"no film")
    words = ("--task", "joints", "--boxes", tmp_path / "boxes.csv", "--model", plain)
    result = run("evaluate", tmp_path / "films.csv", *words, "--out", tmp_path / "out")
    assert result.code == 1
    metrics, rows = written(tmp_path / "out")
    assert (metrics["n"]["value"], metrics["refused"]["value"]) == (2, 1)
    assert {row["refusal"] for row in rows if row["id"] == "3"} == {metrics["run"]["refused"]["3"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "joints"), "--task joints compares with labels, got none; give --boxes CSV, --keypoints CSV"),
        (
            ("--task", "joints", "--boxes", "b.csv", "--turn", "up"),
            "--turn takes degrees, got 'up'; write them as 0,90",
        ),
        (("--task", "joints", "--boxes", "b.csv", "--tilt", "400"), "tilted by up to 0 to 180 degrees, got 400"),
        (
            ("--task", "joints", "--storage"),
            "--storage has no meaning for --task joints; it belongs to --task bone-age",
        ),
        (
            ("--task", "bone-age", "--mirror"),
            "--mirror has no meaning for --task bone-age; it belongs to --task joints",
        ),
        (
            ("--task", "grades", "--out-of-fold"),
            "it belongs to --task abnormality, bone-age, fractures, joints or maps",
        ),
        (("--task", "joints", "--boxes", "none.csv"), "none.csv"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, folder, words, said, tmp_path):
    result = run("evaluate", folder, *words, "--out", tmp_path / "out")
    assert result.code == 2
    assert said in result.err
    assert not (tmp_path / "out").exists()


def test_bundles_of_other_tasks_or_classes_are_refused(run, folder, tmp_path, monkeypatch):
    monkeypatch.undo()
    words = ("--task", "joints", "--boxes", folder / "boxes.csv", "--out", tmp_path / "out")
    assert "does bone-age, not joint-detector" in run("evaluate", folder, *words, "--model", "bone-age").err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}", encoding="utf-8")
    assert "takes a bundle, got the run" in run("evaluate", folder, *words, "--model", tmp_path / "run").err
    assert "takes one --model" in run("evaluate", folder, *words, "--model", "a", "--model", "b").err


@pytest.mark.films
@pytest.mark.slow
def test_real_films(run, films_root, tmp_path, monkeypatch):
    """A sample of the labelled hands; the films that the released detector learnt from stand apart."""
    monkeypatch.undo()
    if "joint-detector" not in bundle_names():
        pytest.skip("the bundle joint-detector is not released yet")
    labels = films_root / "joints"
    words = ("--boxes", labels / "boxes-21.csv", "--keypoints", labels / "hand-keypoints-21.csv", "--sample", "12")
    table = films_root / "rsna-train-299px" / "index.csv"
    result = run("evaluate", table, "--task", "joints", *words, "--turn", "90", "--mirror", "--out", tmp_path)
    assert result.code == 0, result.err
    metrics, _ = written(tmp_path)
    groups = [metrics, *(metrics["groups"][name] for name in ("in_training",) if name in metrics["groups"])]
    read = [group for group in groups if group["n"]["value"]]
    assert sum(group["n"]["value"] for group in read) == 12
    assert all(group["naming_accuracy"]["value"] > 0.9 and group["side_accuracy"]["value"] == 1 for group in read)
