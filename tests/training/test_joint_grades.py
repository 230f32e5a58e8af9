"""The task `joint-grades` on drawn crops: data by hand, training, resuming, figures, and its bundle."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate import files  # noqa: E402
from capitate.cli import main  # noqa: E402
from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.runtime.grade_categories import CATEGORIES  # noqa: E402
from capitate.runtime.joint_grades import JointGrader  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.config import load_experiment  # noqa: E402
from capitate.training.joint_grades.batches import CropFeeder, rarity  # noqa: E402
from capitate.training.joint_grades.crops import read_graded  # noqa: E402
from capitate.training.joint_grades.task import open_joint_grades  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.types import Box  # noqa: E402

from .drawn_pictures import break_after, draw_crops, save  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = (
    "network.backbone=resnet",
    "network.widths=[8, 8, 16, 16]",
    "network.depths=[1, 1, 1, 1]",
    "optimiser.stages=[[2, 32, 32]]",
    "optimiser.batch=8",
    "folds=3",
    "validation.share=0.2",
    "record.tensorboard=false",
)
GRADES = {"Radius": (0, 4, 9, 14), "MCPThird": (1, 5, 10), "DIP": (2, 11)}


@pytest.fixture(scope="module")
def crops(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("graded") / "crops"
    draw_crops(
        folder, {"Radius": GRADES["Radius"], "MCPThird": GRADES["MCPThird"], "DIPThird": GRADES["DIP"]}, hands=12
    )
    (folder / "DIPThird").rename(folder / "DIP")
    return folder


def experiment(*changes: str, name: str = "joint-grades"):
    return load_experiment(CONFIGS / f"{name}.toml", overrides=[*TINY, *changes])


def run(config, data: Path, out: Path, *, fold: int | None = 0):
    return run_experiment(config, data, out, RunOptions(fold=fold))


@pytest.fixture(scope="module")
def runs(crops, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for fold in (0, 1):
        run(experiment(), crops, folder / str(fold), fold=fold)
    return [folder / "0", folder / "1"]


def test_folds_and_validation_keep_hands_whole(crops, runs):
    graded = read_graded(crops)
    hands = {item.id: str(hand) for item, hand in zip(graded.items, graded.hands, strict=True)}
    assert len(set(hands.values())) == 12
    learnt, kept = Run.load(runs[0]).training_ids, Run.load(runs[0]).validation_ids
    held_out = {row["id"] for row in table(runs[0])}
    assert learnt | held_out == set(hands)
    sets = [{hands[i] for i in ids} for ids in (learnt - kept, kept, held_out)]
    assert all(sets)
    assert sum(map(len, sets)) == len(set().union(*sets))


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(encoding="utf8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_a_run_leaves(runs):
    figures = json.loads((runs[0] / "metrics.json").read_text())
    assert set(figures["exact"]) == {"value", "low", "high"}
    assert figures["validation_mean_absolute"] >= 0
    assert set(figures["categories"]) == {"Radius", "MCP", "DIP"}
    rows = table(runs[0])
    assert figures["n"] == len(rows) == sum(one["n"] for one in figures["categories"].values())
    for row in rows:
        probabilities = np.array([float(row[f"p{k}"]) for k in range(15)])
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert probabilities[CATEGORIES[row["category"]] + 1 :].max(initial=0) < 1e-9
    exact = np.mean([row["grade"] == row["predicted"] for row in rows])
    assert figures["exact"]["value"] == pytest.approx(exact, abs=1e-6)
    assert "categories: Radius: kappa" in (runs[0] / "card.md").read_text().replace("_", " ")


@pytest.mark.parametrize(
    "changes",
    [
        ("network.form=thresholds", "loss.label_sigma=0"),
        ("network.head=embedding", "loss.name=ranked", "sampling.method=once", "optimiser.accumulate=2"),
        ("network.layers=linear 16, relu", "loss.name=cross_entropy", "devices.draws=film", "reading.workers=1"),
    ],
)
def test_every_head_and_loss_trains(changes, crops, tmp_path):
    figures = run(experiment("optimiser.stages=[[1, 32, 32]]", *changes), crops, tmp_path)
    assert 0 <= figures["mean_absolute"]["value"] <= 14


def test_it_learns_an_order(tmp_path):
    """The grade is the width of a bright disc on noise; ulna and radius say it by different widths."""
    random = np.random.default_rng(0)
    across = np.hypot(*np.mgrid[-16:16, -16:16])
    for k in range(40):
        for joint, step in (("Radius", 0.9), ("Ulna", 1.2)):
            grade = int(random.integers(0, 13))
            disc = (across < 2 + step * grade) * 0.6 + random.uniform(0, 0.3, (32, 32))
            save(disc.astype(np.float32), tmp_path / joint / str(grade) / f"hand{k}__{joint}.png")
    changes = ("optimiser.stages=[[12, 32, 32]]", "optimiser.learning_rate=0.02", "optimiser.average=0.9")
    still = ("validation.share=0", "augment.scale=0", "augment.shift=0", "folds=4", "network.dropout=0")
    figures = run(experiment(*changes, *still), tmp_path, tmp_path / "run")
    assert figures["mean_absolute"]["value"] < 1.5, "a constant answer errs by 3 grades"
    assert figures["kappa"]["value"] > 0.8


def test_a_broken_run_ends_as_an_unbroken_one(crops, tmp_path, monkeypatch):
    config = experiment("record.checkpoint=1")
    run(config, crops, tmp_path / "whole")
    with monkeypatch.context() as patched:
        break_after(patched, 4)
        with pytest.raises(KeyboardInterrupt):
            run(config, crops, tmp_path / "broken")
    assert not (tmp_path / "broken" / "weights.safetensors").exists()
    run(config, crops, tmp_path / "broken")
    first, second = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "broken"))
    assert first == second


def test_the_graders_of_system_000_run_small_from_the_command_line(crops, tmp_path, capsys):
    changes = [word for change in (*TINY, "augment.clahe_tiles=2") for word in ("--set", change)]
    words = ["train", str(CONFIGS / "system-000-graders.toml"), "--data", str(crops), "--out", str(tmp_path / "run")]
    for command in ([*words, "--fold", "0", "--quiet", *changes], ["export", str(tmp_path / "run"), "--out", "bundle"]):
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(tmp_path)
            with pytest.raises(SystemExit) as end:
                main(command)
        assert end.value.code == 0, capsys.readouterr().err
    assert "system-000-graders 1: " in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["validation_epoch"] in (1, 2)
    assert load_bundle(str(tmp_path / "bundle")).card["picture"]["height"] == 32


def test_the_bundle_answers_as_torch_does(crops, runs, tmp_path):
    bundle = bundle_runs(runs, tmp_path / "bundle")
    assert bundle.card["training"]["largest difference from torch"] < 1e-4
    assert bundle.card["training"]["labels"] == "grades"
    ids = Run.load(runs[0]).training_ids | Run.load(runs[1]).training_ids
    assert bundle.training_ids == {Path(one).stem.partition("__")[0] for one in ids}  # the hands
    alone = JointGrader(bundle_runs(runs[:1], tmp_path / "alone"), threads=1)
    assert alone.categories == CATEGORIES
    rows = table(runs[0])
    pictures = np.stack([alone.picture(files.read(crops / row["id"]).pixels) for row in rows])
    for row, found in zip(rows, alone.grade(pictures, [row["joint"] for row in rows]), strict=True):
        assert len(found.probabilities) == CATEGORIES[row["category"]] + 1
        told = [float(row[f"p{k}"]) for k in range(len(found.probabilities))]
        assert found.probabilities == pytest.approx(told, abs=2e-4)
        assert (found.category, found.grade) == (row["category"], int(row["predicted"]))
        assert found.expected == pytest.approx(float(row["expected"]), abs=1e-2)
    with pytest.raises(UsageError, match=r"no grader for the joint 'Knee'; there are Radius"):
        alone.grade(pictures[:1], ["Knee"])
    film = np.linspace(0, 1, 90 * 60, dtype=np.float32).reshape(90, 60)
    assert alone.cut(film, Box(50, 80, 20, 20)).shape == (32, 32)


def test_rare_grades_come_more_often():
    categories, grades = np.array([0] * 9 + [1]), np.array([3] * 8 + [4, 3])
    even = rarity(categories, grades, power=1.0)
    assert even == pytest.approx([1 / 24] * 8 + [1 / 3, 1 / 3])
    assert rarity(categories, grades, power=0.0) == pytest.approx(np.full(10, 0.1))


def test_validation_is_never_augmented(crops):
    config = experiment()
    task = open_joint_grades(config, crops)
    rows = np.arange(6)
    first, again = (task.plain(rows, size=(32, 32)).pictures for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(first[0, 0], torch.from_numpy(task.source.rule.fitted(film(task, 0)).pixels).float())
    feeder = CropFeeder(task.taught, task.source, np.arange(len(task.ids)), config)
    feeder.start(0, config.optimiser.stages[0])
    assert not any(torch.equal(one, other) for one in feeder.batch(0).pictures for other in first)


def film(task, row: int):
    return files.read(task.crops.items[row].path).pixels


@pytest.fixture
def damaged(crops, tmp_path) -> Path:
    folder = Path(shutil.copytree(crops, tmp_path / "crops"))
    path = sorted(folder.rglob("*.png"))[5]
    path.write_bytes(path.read_bytes()[:60])
    return folder


def test_a_damaged_crop_is_named_or_left_out(damaged, tmp_path):
    with pytest.raises(UsageError, match=r"the film '.*\.png' cannot be read \(corrupt_file\).*on_unreadable = 'skip'"):
        run(experiment(), damaged, tmp_path / "stopped")
    skipping = experiment("reading.on_unreadable=skip", "reading.most_unreadable=0.2")
    run(skipping, damaged, tmp_path / "run", fold=None)
    assert "1 crops could not be read and were left out" in (tmp_path / "run" / "card.md").read_text()


def test_folders_that_are_no_crops_are_refused(tmp_path, crops):
    with pytest.raises(TableError, match="holds no graded crops; put them into JOINT/GRADE/"):
        read_graded(tmp_path)
    folder = Path(shutil.copytree(crops, tmp_path / "more"))
    (folder / "DIP" / "11").rename(folder / "DIP" / "12")
    with pytest.raises(TableError, match="DIP has grades 0 to 11, got 12"):
        read_graded(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("augment.mixup=0.4", r"augment\.mixup mixes ages; set it to 0 here, got 0\.4"),
        ("augment.surroundings=0.4", r"augment\.surroundings needs to know where the hand or limb is"),
        ("optimiser.stages=[[1, 64, 64], [1, 32, 32]]", r"stages\[0\] is larger than the last one, got 64 x 64"),
        ("reading.folds_from_table=true", "graded crops have no table"),
        ("reading.percentiles=[50.0]", r"reading\.percentiles must be two that rise"),
        ("loss.name=l1", r"loss\.name must be one of cumulative, ranked, cross_entropy, got 'l1'"),
        ("network.sex=late", r"unknown key network\.sex"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        experiment(change)


def test_a_teacher_has_no_meaning_here(crops, tmp_path):
    with pytest.raises(UsageError, match="--teacher has no meaning for the experiment 'joint-grades'"):
        run_experiment(experiment(), crops, tmp_path, RunOptions(teachers=(tmp_path,)))
