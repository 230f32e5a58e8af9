"""The task fractures on drawn hands: it learns, chooses its threshold, exports, and is evaluated from the command."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from capitate.cli import main  # noqa: E402
from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.runtime.fractures import FractureLocaliser, Mark  # noqa: E402
from capitate.training.bundle_folder import BundleOptions  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.config import experiment_of, load_experiment  # noqa: E402
from capitate.training.fractures.task import FracturesTask  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.types import Sex  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = {
    "task": "fractures",
    "folds": 2,
    "network": {"backbone": "test_efficientnet", "width": 8},
    "augment": {"surroundings": 0.0, "patches": 0.0},
    "optimiser": {"stages": [[1, 64, 64]], "batch": 4, "learning_rate": 1e-3},
    "validation": {"share": 0.3},
    "record": {"tensorboard": False, "checkpoint": 0},
    "devices": {"precision": "fp32"},
}
FILMS = 10
PATIENTS = ("p2", "p0", "p1", "p14", "p15")
"""Of these, each fold of two keeps back one patient and learns from another."""


def command(*words: object) -> int:
    """Call the command line and give its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Hands of five patients, two films each; the last patient's have no box."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("films")
    rows, boxes = ["path,sex,bone_age_months,patient_id"], ["file,split,class,x_center,y_center,width,height"]
    for k in range(FILMS):
        hand = draw(age_months=70 + 10 * k, sex=Sex.FEMALE, height=80, seed=k)
        pixels = hand.radiograph.pixels
        Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(folder / f"film-{k}.png")
        rows.append(f"film-{k}.png,female,,{PATIENTS[k // 2]}")
        if k < FILMS - 2:
            box, (height, width) = hand.joints[0].box, pixels.shape
            middle = f"{(box.x + box.width / 2) / width},{(box.y + box.height / 2) / height}"
            boxes.append(f"film-{k}.png,train,{k % 2},{middle},{box.width / width},{box.height / height}")
    (folder / "films.csv").write_text("\n".join(rows) + "\n", encoding="utf8")
    (folder / "boxes.csv").write_text("\n".join(boxes) + "\n", encoding="utf8")
    return folder / "films.csv"


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory) -> list[Path]:
    """A finished run for each fold."""
    folder = tmp_path_factory.mktemp("runs")
    for fold in (0, 1):
        run_experiment(experiment_of(TINY), data, folder / str(fold), RunOptions(fold=fold))
    return [folder / "0", folder / "1"]


@pytest.fixture(scope="module")
def bundle(runs, tmp_path_factory) -> Path:
    """A bundle with both folds' networks."""
    out = tmp_path_factory.mktemp("bundle") / "localiser"
    bundle_runs(runs, out)
    return out


def test_films_without_a_box_are_learnt_from(data):
    task = FracturesTask.open(experiment_of(TINY), data)
    assert len(task.films) == FILMS
    assert task.files()["audit.json"]["films_without_a_box"] == 2
    assert task.films.kinds[3] == ("1",)
    assert set(task.films.classes[:-2, 0].tolist()) == {0}
    empty = task.plain(np.array([FILMS - 1]), size=(64, 64))
    assert not empty.targets.used.any()
    assert float(empty.targets.heat.max()) == 0
    with torch.no_grad():
        loss = task.loss(task.answer(task.network().eval(), empty), empty)
    assert torch.isfinite(loss)


def test_near_duplicates_stay_together(data):
    task = FracturesTask.open(experiment_of(TINY), data)
    folds = task.folds()
    assert all(folds[k] == folds[k + 1] for k in range(0, FILMS, 2))
    assert task.groups(np.array([2, 3])) == [PATIENTS[1]] * 2


def test_the_threshold_is_chosen_without_the_held_out_fold(runs):
    told = json.loads((runs[0] / "threshold.json").read_text())
    kept = (runs[0] / "validation-ids.txt").read_text().split()
    assert told["films"] == len(kept)
    assert told["choice"] == ("0.5 false marks a film" if kept else "none: no films were kept back")
    figures = json.loads((runs[0] / "metrics.json").read_text())
    assert figures["threshold"] == told["value"]
    assert {"map50", "sensitivity_at 0.5", "overlap_sensitivity_at 0.5", "false_marks"} <= figures.keys()
    with (runs[0] / "predictions.csv").open(encoding="utf8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    films = {line["id"] for line in lines if line["row"] == "film"}
    assert films.isdisjoint((runs[0] / "training-ids.txt").read_text().split())
    assert len(films) == figures["n"]


def test_a_bundle_marks_films_of_any_size(bundle, data):
    loaded = load_bundle(str(bundle))
    assert loaded.card["task"] == "fractures"
    assert loaded.held_out == (0, 1)
    assert loaded.card["picture"]["fill_drawn"] is True
    localiser = FractureLocaliser(loaded, threads=1)
    film = np.tile(np.linspace(0, 0.7, 900, dtype=np.float32), (700, 1))
    marks = localiser.marks(film, threshold=0.001)
    assert marks
    assert all(isinstance(one, Mark) for one in marks)
    assert [one.score for one in marks] == sorted((one.score for one in marks), reverse=True)
    assert all(one.box.x >= 0 and one.box.x + one.box.width <= 900 + 1e-6 for one in marks)
    assert FractureLocaliser(loaded, threads=1, member=1).threshold == loaded.card["threshold"]["of_networks"][1]


def test_one_run_is_a_bundle_with_figures_of_the_folds(runs, tmp_path):
    from capitate.training.pooled import pooled_figures

    options = BundleOptions(held_out=tuple(runs), figures=pooled_figures(runs))
    card = bundle_runs([runs[0]], tmp_path / "bundle", options=options).card
    names = [figure["name"] for figure in card["figures"]]
    assert "map50" in names
    assert len(names) == len(set(names))
    assert card["networks"] == ["fractures.onnx"]


def test_evaluate_out_of_fold(bundle, data, tmp_path):
    words = ("evaluate", data, "--task", "fractures", "--boxes", data.parent / "boxes.csv", "--quiet")
    assert command(*words, "--model", bundle, "--out", tmp_path, "--threads", 1, "--out-of-fold") == 0
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert (told["n"], told["fractures"], told["groups"]["kind=0"]["fractures"]) == (FILMS, FILMS - 2, 4)
    assert (tmp_path / "froc.svg").read_text().startswith("<svg")
    assert "Free-response curve" in (tmp_path / "report.html").read_text()
    with (tmp_path / "predictions.csv").open(encoding="utf8", newline="") as stream:
        assert sum(line["row"] == "label" for line in csv.DictReader(stream)) == FILMS - 2


def test_evaluate_sets_films_of_the_training_apart_and_counts_refusals(bundle, data, tmp_path):
    folder = tmp_path / "films"
    shutil.copytree(data.parent, folder)
    (folder / "film-2.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    shutil.copy(folder / "film-9.png", folder / "other.png")
    (folder / "films.csv").unlink()
    words = ("evaluate", folder, "--task", "fractures", "--boxes", folder / "boxes.csv", "--quiet")
    assert command(*words, "--model", bundle, "--out", tmp_path / "out", "--threads", 1) == 1
    told = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert told["n"] == 1
    assert told["groups"]["in_training"]["n"] == FILMS - 1
    assert list(told["run"]["refused"]) == ["film-2"]


def test_evaluate_says_what_is_missing(data, tmp_path, capsys):
    words = ("evaluate", data, "--task", "fractures", "--out", tmp_path)
    assert command(*words) == 2
    assert "give --boxes CSV" in " ".join(capsys.readouterr().err.split())
    assert command(*words, "--boxes", data.parent / "boxes.csv", "--mirror") == 2
    assert "--mirror has no meaning for --task fractures" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"classes": ["line", "fracture"]}, "classes must be .'fracture'. for a localiser"),
        ({"marks": {"false_marks": 0}}, "marks.false_marks must be 0.01 to 8, got 0"),
        ({"labels": {"keypoints": "x"}}, "unknown key labels.keypoints"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, said):
    with pytest.raises(UsageError, match=said):
        experiment_of({**TINY, **values})


def test_boxes_of_other_films_are_refused(data, tmp_path):
    folder = tmp_path / "films"
    shutil.copytree(data.parent, folder)
    (folder / "boxes.csv").write_text((folder / "boxes.csv").read_text().replace("film-", "other-"), encoding="utf8")
    with pytest.raises(UsageError, match="none of the 8 films with boxes is among the 10 films"):
        FracturesTask.open(experiment_of(TINY), folder / "films.csv")
    (folder / "boxes.csv").unlink()
    with pytest.raises(TableError, match=r"boxes\.csv"):
        FracturesTask.open(experiment_of(TINY), folder / "films.csv")


def test_the_recipe_runs(data, tmp_path):
    changes = ["network.backbone=test_efficientnet", "network.width=8", "optimiser.stages=[[1, 64, 64]]", "folds=2"]
    changes += ["optimiser.batch=4", "validation.share=0.3", "record.tensorboard=false", "reading.workers=0"]
    config = load_experiment(CONFIGS / "fractures.toml", overrides=changes)
    figures = run_experiment(config, data, tmp_path / "run", RunOptions())
    assert "validation_loss" in figures
