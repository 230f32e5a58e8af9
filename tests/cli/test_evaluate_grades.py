"""`capitate evaluate --task grades` from the command line, with a grader whose answers are known."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from capitate.phantom import draw_joint
from capitate.types import Sex

from .stand_in_bundles import grader_bundle

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Crops of two hands: Radius 9, 8 and 5, MCP 4 by category, a DIPThird 3, and one that is no picture."""
    folder = tmp_path_factory.mktemp("graded") / "crops"
    crops = (("Radius", 9, "a"), ("Radius", 8, "b"), ("Radius", 5, "c"), ("MCP", 4, "a"), ("DIPThird", 3, "b"))
    for joint, grade, hand in crops:
        drawn = draw_joint({"MCP": "MCPThird"}.get(joint, joint), grade=grade, sex=Sex.FEMALE, size=40, seed=grade)
        path = folder / joint / str(grade) / f"{hand}__{joint}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, drawn.pixels)
    return folder


def save(path, pixels):
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(path)


ANSWERS = {"Radius": {8: 0.3, 9: 0.7}, "MCP": {4: 1.0}, "DIP": {5: 0.6, 6: 0.4}}


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    return grader_bundle(tmp_path_factory.mktemp("bundles") / "grader", ANSWERS, trained_on=("Radius/9/film__x.png",))


def table(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_known_answers_have_known_figures(run, graded, grader, tmp_path):
    """Radius is answered 9 for 9, 8 and 5, MCP 4 for 4, DIPThird 5 for 3."""
    result = run("evaluate", graded, "--task", "grades", "--model", grader, "--out", tmp_path, "--threads", "1")
    assert result.code == 0, result.err
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["task"] == "grades"
    assert (metrics["n"]["value"], metrics["hands"]["value"], metrics["refused"]["value"]) == (5, 3, 0)
    assert metrics["exact"]["value"] == pytest.approx(2 / 5)
    assert metrics["within_one"]["value"] == pytest.approx(3 / 5)
    assert metrics["mean_absolute"]["value"] == pytest.approx((1 + 4 + 2) / 5)
    assert metrics["bias"]["value"] == pytest.approx((1 + 4 + 2) / 5)
    assert metrics["calibration_error"]["value"] == pytest.approx((3 * abs(0.7 - 1 / 3) + 0 + 0.6) / 5, abs=1e-6)
    groups = metrics["groups"]
    assert groups["category=Radius"]["exact"]["value"] == pytest.approx(1 / 3)
    assert groups["joint=DIPThird"]["mean_absolute"]["value"] == 2
    assert "joint=MCP" not in groups, "a folder that is named by its category tells no joint"
    assert set(metrics["kappa"]) == {"value", "low", "high"}


def test_what_is_written(run, graded, grader, tmp_path):
    result = run("evaluate", graded, "--task", "grades", "--model", grader, "--out", tmp_path)
    assert "exact 40.0 %" in result.out
    rows = table(tmp_path / "predictions.csv")
    assert len(rows) == 5
    one = next(row for row in rows if row["id"] == "Radius/8/b__Radius.png")
    assert (one["hand"], one["grade"], one["predicted"], one["category"]) == ("b", "8", "9", "Radius")
    assert (float(one["confidence"]), float(one["expected"])) == (pytest.approx(0.7), pytest.approx(8.7))
    lines = {(row["category"], row["grade"]): row for row in table(tmp_path / "confusion.csv")}
    assert len([key for key in lines if key[0] == "Radius"]) == 15
    assert lines["Radius", "5"]["predicted_9"] == lines["Radius", "8"]["predicted_9"] == "1"
    assert (lines["MCP", "4"]["predicted_4"], lines["MCP", "4"]["predicted_11"]) == ("1", "")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in ("Reliability diagram", "<h3>Radius</h3>", "Radius/5/c__Radius.png", "constant-grader"):
        assert text in page
    assert page.count("<tr>") == page.count("</tr>") - page.count('<tr class="first">')


def test_a_crop_that_cannot_be_read_is_counted(run, graded, grader, tmp_path):
    folder = shutil.copytree(graded, tmp_path / "crops")
    (folder / "DIPThird" / "3" / "b__DIPThird.png").write_bytes(b"no picture")
    result = run("evaluate", folder, "--task", "grades", "--model", grader, "--out", tmp_path / "out")
    assert result.code == 1
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["n"]["value"], metrics["refused"]["value"]) == (4, 1)
    assert metrics["groups"]["joint=DIPThird"]["refused"]["value"] == 1
    assert table(tmp_path / "out" / "predictions.csv")[-1]["refusal"] == next(iter(metrics["run"]["refused"].values()))


@pytest.mark.parametrize("trained_on", [("Radius/9/a__Radius.png",), ("a",), ("crops/a__MCPThird.png",)])
def test_hands_of_the_training_stand_apart(run, graded, tmp_path, trained_on):
    grader = grader_bundle(tmp_path / "grader", ANSWERS, trained_on=trained_on)
    assert run("evaluate", graded, "--task", "grades", "--model", grader, "--out", tmp_path / "out").code == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["n"]["value"], metrics["groups"]["in_training"]["n"]["value"]) == (3, 2)
    rows = table(tmp_path / "out" / "predictions.csv")
    assert {row["hand"] for row in rows if row["in_training"] == "true"} == {"a"}


def test_crops_named_after_joint_and_grade(run, graded, grader, tmp_path):
    folder = tmp_path / "named"
    for number, (name, source) in enumerate(
        (("Radius_Grade9", "Radius/9/a__Radius.png"), ("Third_Distal_Phalanx_Grade3", "DIPThird/3/b__DIPThird.png"))
    ):
        (folder / f"hand{number}").mkdir(parents=True)
        shutil.copy(graded / source, folder / f"hand{number}" / f"{name}.png")
    assert run("evaluate", folder, "--task", "grades", "--model", grader, "--out", tmp_path / "out").code == 0
    rows = table(tmp_path / "out" / "predictions.csv")
    assert {(row["hand"], row["joint"], row["grade"]) for row in rows} == {
        ("hand0", "Radius", "9"), ("hand1", "DIPThird", "3"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("none", "graded crops are read from a folder, got"),
        ("empty", "holds no graded crops; put them into JOINT/GRADE/"),
    ],
)
def test_what_is_no_folder_of_crops(run, grader, tmp_path, folder, said):
    (tmp_path / "empty").mkdir()
    result = run("evaluate", tmp_path / folder, "--task", "grades", "--model", grader, "--out", tmp_path / "out")
    assert result.code == 2
    assert said in result.err


def test_another_bundle_is_refused(run, graded, tmp_path):
    result = run("evaluate", graded, "--task", "grades", "--model", "bone-age", "--out", tmp_path / "out")
    assert result.code == 2
    assert "does bone-age, not joint-grades" in result.err


def test_crops_that_nobody_graded(run, graded, grader, tmp_path):
    folder = shutil.copytree(graded, tmp_path / "crops")
    lines = ["file,hand,joint,sex,bone_age_months", "Radius/9/a__Radius.png,a,Radius,F,120"]
    (folder / "crops.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = run("evaluate", folder, "--task", "grades", "--model", grader, "--out", tmp_path / "out")
    assert result.code == 2
    assert "none of 1 crops has a grade to compare with" in result.err


@pytest.mark.films
def test_the_published_crops(run, films_root, grader, tmp_path):
    folder = films_root / "joints" / "graded"
    result = run("evaluate", folder, "--task", "grades", "--model", grader, "--out", tmp_path, "--quiet")
    assert result.code == 0, result.err
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["n"]["value"], metrics["hands"]["value"]) == (52, 4)
    assert len([name for name in metrics["groups"] if name.startswith("joint=")]) == 13
