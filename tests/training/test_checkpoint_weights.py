"""Runs in training, finished or not, as the model of `capitate evaluate`."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.cli import main  # noqa: E402
from capitate.errors import UsageError  # noqa: E402
from capitate.evaluation.predictor import BoneAgePredictor  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime.calibration import Calibration  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.calibrate import fit  # noqa: E402
from capitate.training.checkpoint_weights import CheckpointWeights  # noqa: E402
from capitate.training.checkpoints import Checkpoint  # noqa: E402
from capitate.training.layouts import read_any  # noqa: E402
from capitate.training.out_of_fold import OutOfFold  # noqa: E402
from capitate.types import Sex  # noqa: E402


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """Three films: one that run 0 held out, one that run 1 held out, and one that nobody knows."""
    from capitate.training.folds import fold_of

    folder = tmp_path_factory.mktemp("films")
    ids = [str(1000 + k) for k in range(32)]
    names = [next(i for i in ids if fold_of(i, folds=2) == fold) for fold in (0, 1)] + ["new"]
    lines = ["path,sex,bone_age_months"]
    for k, name in enumerate(names):
        pixels = draw(age_months=80 + 30 * k, sex=Sex.FEMALE, height=300, seed=k).radiograph.pixels
        Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(folder / f"{name}.png")
        lines.append(f"{name}.png,F,{80 + 30 * k}")
    (folder / "films.csv").write_text("\n".join(lines) + "\n")
    return folder / "films.csv"


def evaluate(films, out, *words):
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(films), "--out", str(out), "--quiet", *map(str, words)])
    assert end.value.code == 0
    with (out / "predictions.csv").open(newline="") as stream:
        return json.loads((out / "metrics.json").read_text()), list(csv.DictReader(stream))


def test_a_run_answers_as_its_bundle_does_and_films_it_learnt_from_stand_apart(runs, films, tmp_path):
    figures, rows = evaluate(films, tmp_path / "run", "--model", runs[0])
    assert (figures["n"]["value"], figures["groups"]["in_training"]["n"]["value"]) == (2, 1)
    bundle_runs(runs, tmp_path / "bundle")
    network = BoneAgePredictor(model=str(tmp_path / "bundle"), threads=1)
    predictor = BoneAgePredictor(model=CheckpointWeights(runs), threads=1)
    for row in read_any(films):
        ages = [one.predict(row).bone_age for one in (network, predictor)]
        assert ages[0].months == pytest.approx(ages[1].months, abs=0.05)
        assert ages[0].interval.low == pytest.approx(ages[1].interval.low, abs=0.1)
    assert all(row["low"] for row in rows)


def test_an_unfinished_run_is_evaluated_without_intervals(runs, films, tmp_path, capsys):
    (runs[0] / "weights.safetensors").rename(tmp_path / "kept")
    _, rows = evaluate(films, tmp_path / "a", "--model", runs[0])
    assert all(row["predicted_months"] and not row["low"] for row in rows)
    assert Checkpoint.open(runs[0]).weights.name == "last.safetensors"
    shutil.copy(tmp_path / "kept", runs[0] / "best.safetensors")
    assert Checkpoint.open(runs[0]).weights.name == "best.safetensors"
    _, named = evaluate(films, tmp_path / "b", "--model", runs[0] / "last.safetensors")
    assert named == rows
    assert "coverage" not in capsys.readouterr().out


def test_runs_out_of_fold_answer_for_what_they_never_saw(runs, films, tmp_path):
    figures, rows = evaluate(films, tmp_path, "--model", runs[0], "--model", runs[1], "--out-of-fold")
    assert figures["n"]["value"] == 3
    weights = CheckpointWeights(runs, out_of_fold=True)
    ids = [row["id"] for row in rows]
    assert [weights.members(name) for name in ids] == [(0,), (1,), (0, 1)]
    other = fit(OutOfFold.load([runs[1] / "out-of-fold.npz"]))
    assert weights.model((0,)).calibration == other
    assert isinstance(weights.model((0, 1)).calibration, Calibration)
    with pytest.raises(UsageError, match=f"film '{ids[1]}' was learnt from by each"):
        CheckpointWeights([runs[0]], out_of_fold=True).members(ids[1])


def test_what_cannot_be_evaluated_is_named(runs, films, tmp_path, capsys):
    def fails(*words):
        with pytest.raises(SystemExit) as end:
            main(["evaluate", str(films), "--out", str(tmp_path / "out"), *map(str, words)])
        assert end.value.code == 2
        return capsys.readouterr().err

    data = (runs[0] / "weights.safetensors").read_bytes()
    (runs[0] / "weights.safetensors").write_bytes(data[:-100])
    assert "cannot be read" in fails("--model", runs[0])
    (runs[0] / "last.safetensors").write_bytes(data)
    assert "cannot be read" in fails("--model", runs[0] / "last.safetensors")
    config = json.loads((runs[1] / "config.json").read_text())
    config["network"]["widths"][3] = 24
    (runs[1] / "config.json").write_text(json.dumps(config))
    assert "weights of another network" in fails("--model", runs[1])
    (runs[1] / "config.json").write_text(json.dumps({"task": "hand-locator"}))
    assert "task hand-locator" in fails("--model", runs[1])
    assert "several --model" in fails("--model", runs[0], "--model", "bone-age")
    assert "no model bundle" in fails("--model", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    shutil.copy(runs[0] / "config.json", tmp_path / "empty")
    assert "no weights" in fails("--model", tmp_path / "empty")
