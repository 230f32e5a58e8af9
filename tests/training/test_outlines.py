"""The task outlines on drawn hands: cuts, it learns, goes on to the byte, predicts, exports, and refuses."""

from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime.nearest_grey import nearest_grey  # noqa: E402
from capitate.runtime.outlines import Outliner  # noqa: E402
from capitate.training import augment, loop  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.config import experiment_of, load_experiment  # noqa: E402
from capitate.training.data.boxes import LabelledBox, write_boxes  # noqa: E402
from capitate.training.outlines.feeding import batch_of  # noqa: E402
from capitate.training.outlines.films import open_outlines  # noqa: E402
from capitate.training.outlines.losses import cross_entropy, dice_loss, overlap_sums  # noqa: E402
from capitate.training.outlines.masks import UNKNOWN, regions  # noqa: E402
from capitate.training.outlines.task import OutlineTask  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.settings.augment import AugmentConfig  # noqa: E402
from capitate.training.training_state import TrainingState  # noqa: E402
from capitate.types import Sex  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = {
    "task": "outlines",
    "folds": 3,
    "negatives": 0.2,
    "network": {"backbone": "test_efficientnet", "width": 8},
    "augment": {"rotation": 20.0, "surroundings": 0.0, "patches": 0.0},
    "optimiser": {"stages": [[2, 32, 32]], "batch": 16, "learning_rate": 3e-3},
    "record": {"tensorboard": False, "checkpoint": 1},
    "devices": {"precision": "fp32"},
}
MONTHS = (72, 90, 108)
HELD_OUT = 2
"""The fold of hand-1; the others are on fold 1."""


def write_masks(folder: Path, hands, *, masked: bool = True) -> Path:
    """`masks/` and `regions/` in the form of the epiphyses data."""
    for name in ("masks", "regions"):
        (folder / name).mkdir(parents=True)
    for k, hand in enumerate(hands):
        pixels = np.round(hand.radiograph.pixels * 255).astype(np.uint8)
        shown = np.where(hand.outlines > 0, pixels, 0).astype(np.uint8) if masked else pixels
        Image.fromarray(hand.outlines).save(folder / "masks" / f"hand-{k}.png")
        Image.fromarray(shown).save(folder / "regions" / f"hand-{k}.png")
    return folder


@pytest.fixture(scope="module")
def hands():
    torch.set_num_threads(1)
    return [draw(age_months=age, sex=Sex.FEMALE, height=200, seed=k) for k, age in enumerate(MONTHS)]


@pytest.fixture(scope="module")
def data(hands, tmp_path_factory) -> Path:
    return write_masks(tmp_path_factory.mktemp("masks") / "data", hands)


@pytest.fixture(scope="module")
def config():
    return experiment_of(TINY)


@pytest.fixture(scope="module")
def task(config, data):
    return OutlineTask.open(config, data)


@pytest.fixture(scope="module")
def run(config, data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    run_experiment(config, data, folder, RunOptions(fold=HELD_OUT))
    return folder


def test_cuts_are_the_regions_of_the_masks(task, hands):
    films = task.films
    for k, hand in enumerate(hands):
        boxes = regions(hand.outlines, least=task.config.least)
        rows = [row for row, study in enumerate(films.studies) if study.id == f"hand-{k}"]
        assert len(rows) == len(boxes) > 8
    assert set(np.unique(films.labels)) == {1, 2, UNKNOWN}
    assert films.ids[0] == "hand-0/0"


def test_crops_of_one_film_stay_together(task):
    folds = {}
    for name, fold in zip(task.ids.tolist(), task.folds().tolist(), strict=True):
        folds.setdefault(name.partition("/")[0], set()).add(fold)
    assert all(len(found) == 1 for found in folds.values())
    assert set(task.groups(np.arange(len(task.ids)))) == {f"hand-{k}" for k in range(len(MONTHS))}


def test_what_was_cut_away_gets_the_nearest_grey():
    film = np.array([[0.5, 0, 0, 0.9]], dtype=np.float32)
    assert nearest_grey(film, film > 0).tolist() == [[pytest.approx(0.5)] * 2 + [pytest.approx(0.9)] * 2]
    assert nearest_grey(film, np.zeros((1, 4), dtype=bool)) is film


def test_a_mask_moves_with_its_picture(task):
    """A picture whose grey is its label, moved: the labels that come out are the greys that come out."""
    labels = np.zeros((1, 64, 64), dtype=np.uint8)
    labels[0, 20:44, 12:30], labels[0, 26:38, 16:26] = 1, 2
    films = replace(task.films, pictures=labels * 100, labels=labels)
    still = AugmentConfig(gamma=0, contrast=0, noise=0, blur=0, surroundings=0, patches=0, rotation=40, scale=0.3)
    drawn = augment.draw(1, still, generator=torch.Generator().manual_seed(2))
    batch = batch_of(films, np.array([0]), size=(64, 64), drawn=drawn)
    grey = batch.pictures[0, 0] / 100
    expected = batch.shares[0, 1] + 2 * batch.shares[0, 2]
    inside = batch.known[0] > 0
    assert (grey - expected)[inside].abs().max() < 0.02
    assert 0.3 < inside.float().mean() < 1.01
    assert (batch.shares[0].argmax(0) == 2).sum() > 20


def test_losses_in_closed_form():
    logits = torch.zeros(1, 3, 1, 2)
    shares = torch.tensor([[[[0.0, 0]], [[1, 0]], [[0, 1]]]])
    assert cross_entropy(logits, shares, torch.ones(1, 1, 2)).item() == pytest.approx(math.log(3))
    assert cross_entropy(logits, shares, torch.zeros(1, 1, 2)).item() == 0
    expected = 1 - (2 / 3 + 16) / (2 / 3 + 1 + 16)
    assert dice_loss(logits, shares, torch.ones(1, 1, 2)).item() == pytest.approx(expected)
    sure = torch.tensor([[[[-9.0, -9]], [[9, 9]], [[-9, -9]]]])
    assert overlap_sums(sure, shares, torch.ones(1, 1, 2))[0].tolist() == [[1, 3], [0, 1]]
    assert overlap_sums(sure, shares, torch.tensor([[[1.0, 0]]]))[0].tolist() == [[1, 2], [0, 0]]


def test_it_learns(task, config, tmp_path):
    long = replace(config.optimiser, stages=(replace(config.optimiser.stages[0], epochs=5),), learning_rate=1e-2)
    learnt = OutlineTask(task.films, replace(config, optimiser=long, record=replace(config.record, checkpoint=0)))
    history = loop.train(learnt, np.arange(len(task.ids)), folder=tmp_path).history
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]


def test_a_broken_run_goes_on_to_the_byte(task, tmp_path, monkeypatch):
    rows = np.arange(24)
    task = OutlineTask(task.films, replace(task.config, optimiser=replace(task.config.optimiser, batch=12)))
    whole = loop.train(task, rows, folder=tmp_path / "whole").network.state_dict()
    take = TrainingState.take

    def take_and_break(state, batch, *, began):
        if state.taken == 3:
            raise KeyboardInterrupt
        take(state, batch, began=began)

    monkeypatch.setattr(TrainingState, "take", take_and_break)
    with pytest.raises(KeyboardInterrupt):
        loop.train(task, rows, folder=tmp_path / "broken")
    monkeypatch.setattr(TrainingState, "take", take)
    resumed = loop.train(task, rows, folder=tmp_path / "broken").network.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_the_held_out_films_are_predicted(run, task):
    figures = json.loads((run / "metrics.json").read_text())
    assert set(figures) == {"dice", "dice joint_region", "dice epiphysis_or_carpal_bone"}
    folds = task.folds()
    films = {study.id for study, fold in zip(task.films.studies, folds, strict=True) if fold == HELD_OUT}
    with (run / "predictions.csv").open(encoding="utf8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert {line["id"] for line in lines} == films
    assert len(lines) == 2 * len(films)
    known = [float(line["dice"]) for line in lines if line["class"] == "joint_region"]
    assert np.mean(known) == pytest.approx(figures["dice joint_region"]["value"], abs=1e-4)


def test_a_bundle_outlines_boxes(run, hands, tmp_path):
    bundle = bundle_runs([run], tmp_path / "bundle")
    assert bundle.training_ids == {"hand-0", "hand-2"}
    outliner = Outliner(bundle, threads=1)
    film = hands[1].radiograph.pixels
    found = outliner.outline(film, [hands[1].joint(name).box for name in ("Radius", "PIPThird")])
    assert [one.labels.shape for one in found] == [(32, 32), (32, 32)]
    assert found[0].probabilities.sum(axis=0) == pytest.approx(1, abs=1e-4)
    assert outliner.outline(film, []) == []
    box = hands[1].joint("Radius").box
    there = found[0].on_film(1, shape=film.shape)
    assert there.shape == film.shape
    assert there[round(box.y + box.height / 2), round(box.x + box.width / 2)] > 0
    assert there[5, 5] == 0


def test_whole_hands(data, hands, tmp_path):
    values = {**TINY, "crops": "hand", "optimiser": {"stages": [[1, 192, 192]], "batch": 2}}
    task = OutlineTask.open(experiment_of(values), data)
    assert task.ids.tolist() == [f"hand-{k}" for k in range(len(MONTHS))]
    share = (task.films.labels[0] == 2).sum() / (task.films.labels[0] != UNKNOWN).sum()
    true = (hands[0].outlines == 2).sum() / (hands[0].outlines > 0).sum()
    assert share == pytest.approx(true, rel=0.1)
    values["optimiser"] = {"stages": [[1, 64, 64]], "batch": 2}
    run_experiment(experiment_of(values), data, tmp_path / "run", RunOptions())
    bundle = bundle_runs([tmp_path / "run"], tmp_path / "bundle")
    (found,) = Outliner(bundle, threads=1).outline(hands[0].radiograph.pixels)
    assert found.labels.shape == (64, 64)


def test_the_recipe_runs(data, hands, tmp_path):
    """Whole films, and the squares that an assessment outlines, by a table of joints."""
    folder = tmp_path / "data"
    (folder / "films").mkdir(parents=True)
    shutil.copytree(data / "masks", folder / "masks")
    boxes = []
    for k, hand in enumerate(hands):
        pixels = hand.radiograph.pixels
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(folder / "films" / f"hand-{k}.png")
        size = np.array(pixels.shape[::-1])
        for joint in hand.joints:
            at, sides = (joint.box.x, joint.box.y) / size, (joint.box.width, joint.box.height) / size
            boxes.append(LabelledBox(f"hand-{k}", joint.name, *(at + sides / 2).tolist(), *sides.tolist()))
    write_boxes(boxes, folder / "joints.csv")
    changes = ["reading.workers=1", "network.pretrained=false", "network.backbone=test_efficientnet"]
    changes += ["network.width=8", "optimiser.stages=[[1, 32, 32]]", "optimiser.batch=16", "folds=3"]
    changes += ["validation.share=0.0", "record.tensorboard=false"]
    config = load_experiment(CONFIGS / "outlines.toml", overrides=changes)
    figures = run_experiment(config, folder, tmp_path / "run", RunOptions(fold=HELD_OUT))
    assert 0 <= figures["dice"]["value"] <= 1
    films = OutlineTask.open(config, folder).films
    assert len(films.ids) == 18 * len(hands)
    assert set(np.unique(films.labels)) <= {0, 1, 2, UNKNOWN}
    assert 0 in films.labels
    (folder / "joints.csv").write_text((folder / "joints.csv").read_text().replace("MCPThird", "MCP"))
    with pytest.raises(TableError, match="must name the 21 joints, got MCP"):
        OutlineTask.open(config, folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"optimiser": {"stages": [[1, 64, 96]]}}, "crops is joints and a stage of optimiser.stages is 64 x 96"),
        ({"outside": "background"}, "outside is background and labels.masked is true"),
        ({"reading": {"aspect": 0.7}}, "crops is joints, which are cut from films as they are; reading.aspect is 0.7"),
        ({"dice": 1.5}, "dice must be 0 to 1, got 1.5"),
        ({"crops": "finger"}, "crops must be one of joints, hand, got 'finger'"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, said):
    stages = {"optimiser": {"stages": [[1, 32, 32]]}}
    with pytest.raises(UsageError, match=said):
        experiment_of({"task": "outlines", **stages, **values})


def test_masks_that_do_not_fit(config, data, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(data, folder)
    wrong = np.array(Image.open(folder / "masks" / "hand-1.png"))
    wrong[3, 3] = 7
    Image.fromarray(wrong).save(folder / "masks" / "hand-1.png")
    with pytest.raises(UsageError, match=r"'hand-1' cannot be used \(mask\): a mask holds 0, 1 and 2 alone, got 7"):
        open_outlines(folder, config)
    Image.fromarray(wrong[:50]).save(folder / "masks" / "hand-1.png")
    (folder / "regions" / "hand-2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    skipping = experiment_of({**TINY, "reading": {"on_unreadable": "skip", "most_unreadable": 1.0}})
    films = open_outlines(folder, skipping)
    assert {study.id for study in films.studies} == {"hand-0"}
    assert "film and mask differ in size" in films.refused["hand-1"].message
    assert set(films.refused) == {"hand-1", "hand-2"}
    (folder / "regions" / "hand-0.png").unlink()
    with pytest.raises(TableError, match=r"1 of 3 masks have no film in .*, got ids hand-0"):
        open_outlines(folder, config)


def test_folders_that_are_not_there(config, tmp_path):
    with pytest.raises(UsageError, match=r"name it as labels.masks"):
        open_outlines(tmp_path, config)
