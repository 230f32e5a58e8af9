"""`capitate evaluate --task abnormality`: figures that can be counted by hand, and rows for everything else."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("onnx")

from .screen_bundles import film, probability, screen_bundle

FILMS = {  # share of white, label, region, patient
    "a": (0.8, "1", "hand", "p1"),
    "b": (0.7, "1", "wrist", "p2"),
    "c": (0.3, "1", "wrist", "p3"),
    "d": (0.2, "0", "hand", "p4"),
    "e": (0.4, "0", "hand", "p5"),
    "f": (0.6, "0", "hand", "p6"),
    "g": (0.5, "", "hand", "p7"),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("manifest")
    lines = ["path,study_id,abnormal,region,patient_id"]
    for name, (share, label, region, patient) in FILMS.items():
        film(folder / f"{name}.png", share)
        lines.append(f"{name}.png,{name},{label},{region},{patient}")
    (folder / "bad.png").write_bytes(b"no film")
    lines.append("bad.png,bad,1,hand,p8")
    (folder / "studies.csv").write_text("\n".join(lines) + "\n")
    return folder / "studies.csv"


def read(out: Path) -> tuple[dict, dict[str, dict[str, str]]]:
    with (out / "predictions.csv").open(newline="") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    return json.loads((out / "metrics.json").read_text()), rows


def test_figures_that_are_counted_by_hand(run, manifest, tmp_path):
    bundle = screen_bundle(tmp_path / "bundle")
    result = run("evaluate", manifest, "--task", "abnormality", "--model", bundle, "--out", tmp_path / "out")
    figures, rows = read(tmp_path / "out")
    assert result.code == 1, "one study has no readable film"
    assert {name: figures[name]["value"] for name in ("n", "positives", "refused")} == {
        "n": 6,
        "positives": 3,
        "refused": 1,
    }
    assert figures["auc"]["value"] == pytest.approx(7 / 9, abs=1e-6)
    assert figures["sensitivity"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["specificity"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["auc"]["low"] < 7 / 9 < figures["auc"]["high"]
    wrist = figures["groups"]["region=wrist"]
    assert wrist["own_negatives"]["value"] == 0
    assert wrist["n"]["value"] == 5, "its two positives and the negatives of all regions"
    assert wrist["auc"]["value"] == pytest.approx(4 / 6, abs=1e-6)
    assert figures["run"]["unlabelled"] == 1
    assert figures["run"]["refused"] == {"bad": "no_readable_film"}
    assert rows["a"]["probability"] == f"{probability(0.8):.6f}"
    assert (rows["bad"]["refusal"], rows["bad"]["probability"]) == ("no_readable_film", "")
    assert rows["g"]["abnormal"] == ""
    page = (tmp_path / "out" / "report.html").read_text()
    assert "ROC curve" in page
    assert "against all negatives" in page
    assert "brighter than half" in page


def test_studies_are_averaged_and_regions_unknown_to_the_screen_are_judged(run, tmp_path):
    film(tmp_path / "a1.png", 0.8)
    film(tmp_path / "a2.png", 0.4)
    film(tmp_path / "b.png", 0.3)
    (tmp_path / "films.csv").write_text(
        "path,study_id,abnormal,region\na1.png,a,1,foot\na2.png,a,1,foot\nb.png,b,0,foot\n"
    )
    bundle = screen_bundle(tmp_path / "bundle")
    run("evaluate", tmp_path / "films.csv", "--task", "abnormality", "--model", bundle, "--out", tmp_path / "out")
    figures, rows = read(tmp_path / "out")
    assert figures["n"]["value"] == 2
    assert float(rows["a"]["probability"]) == pytest.approx(probability(0.8, 0.4), abs=1e-5)
    assert rows["a"]["findings"] == "region_not_learned"


def test_what_was_trained_on_stands_apart_or_is_answered_out_of_fold(run, manifest, tmp_path):
    learnt = {"a": 0, "d": 1}
    bundle = screen_bundle(tmp_path / "bundle", steepness=(8.0, 2.0), learnt=learnt)
    words = ("evaluate", manifest, "--task", "abnormality", "--model", bundle)
    run(*words, "--out", tmp_path / "apart")
    figures, rows = read(tmp_path / "apart")
    assert figures["n"]["value"] == 4
    assert figures["groups"]["in_training"]["n"]["value"] == 2
    assert rows["a"]["in_training"] == "true"
    assert float(rows["a"]["probability"]) == pytest.approx(
        (probability(0.8) + probability(0.8, steepness=2.0)) / 2, abs=1e-5
    )
    run(*words, "--out-of-fold", "--out", tmp_path / "folds")
    figures, rows = read(tmp_path / "folds")
    assert figures["n"]["value"] == 6
    assert float(rows["a"]["probability"]) == pytest.approx(probability(0.8), abs=1e-5)
    assert float(rows["d"]["probability"]) == pytest.approx(probability(0.2, steepness=2.0), abs=1e-5)
    single = screen_bundle(tmp_path / "single", learnt={"a": None})
    refused = run("evaluate", manifest, "--task", "abnormality", "--model", single, "--out-of-fold", "--out", tmp_path)
    assert refused.code == 2
    assert "out of fold needs a bundle with a network for each fold" in refused.err


def test_what_cannot_be_compared(run, tmp_path):
    bundle = screen_bundle(tmp_path / "bundle")
    film(tmp_path / "films" / "a.png", 0.5)
    words = ("--task", "abnormality", "--model", bundle, "--out", tmp_path / "out")
    assert "none of 1 studies has a reading" in run("evaluate", tmp_path / "films", *words).err
    wrong = run("evaluate", tmp_path / "films", *words, "--storage")
    assert "--storage has no meaning for --task abnormality" in wrong.err
