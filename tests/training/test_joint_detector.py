"""The task joint-detector on drawn hands: it learns, goes on to the byte, predicts, exports, and refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.phantom import JOINTS, Pose, draw  # noqa: E402
from capitate.runtime.joint_boxes import JointDetector  # noqa: E402
from capitate.training import loop  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.config import experiment_of, load_experiment  # noqa: E402
from capitate.training.data.boxes import LabelledBox, write_boxes  # noqa: E402
from capitate.training.joints.points import class_of  # noqa: E402
from capitate.training.joints.task import JointTask  # noqa: E402
from capitate.training.networks import parameter_groups  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.training_state import TrainingState  # noqa: E402
from capitate.types import Sex, Side  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = {
    "task": "joint-detector",
    "folds": 2,
    "negatives": 0.3,
    "labels": {"boxes": "boxes.csv"},
    "network": {"backbone": "test_efficientnet", "width": 8},
    "augment": {"rotation": 20.0, "surroundings": 0.0, "patches": 0.0},
    "optimiser": {"stages": [[1, 32, 32], [1, 64, 64]], "batch": 2, "learning_rate": 1e-3},
    "record": {"tensorboard": False, "checkpoint": 1},
    "devices": {"precision": "fp32"},
}
HANDS = 6


@pytest.fixture(scope="module")
def hands():
    torch.set_num_threads(1)
    return [
        draw(
            age_months=70 + 20 * k,
            sex=Sex.MALE if k % 2 else Sex.FEMALE,
            side=Side.RIGHT if k == 3 else Side.LEFT,
            pose=Pose(rotation_degrees=10 * k - 20),
            height=80,
            seed=k,
        )
        for k in range(HANDS)
    ]


@pytest.fixture(scope="module")
def data(hands, tmp_path_factory) -> Path:
    """Films, their table and the table of boxes."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("hands")
    rows, boxes = ["path,sex,bone_age_months"], []
    for k, hand in enumerate(hands):
        Image.fromarray(np.round(hand.radiograph.pixels * 255).astype(np.uint8)).save(folder / f"film-{k}.png")
        rows.append(f"film-{k}.png,{hand.sex},{hand.age_months}")
        boxes += labelled(f"film-{k}", hand)
    (folder / "films.csv").write_text("\n".join(rows) + "\n", encoding="utf8")
    write_boxes(boxes, folder / "boxes.csv")
    return folder / "films.csv"


def labelled(film, hand):
    rows, columns = hand.radiograph.pixels.shape
    return [
        LabelledBox(
            film,
            class_of(joint.name),
            (joint.box.x + joint.box.width / 2) / columns,
            (joint.box.y + joint.box.height / 2) / rows,
            joint.box.width / columns,
            joint.box.height / rows,
        )
        for joint in hand.joints
    ]


@pytest.fixture(scope="module")
def config():
    return experiment_of(TINY)


@pytest.fixture(scope="module")
def task(config, data):
    return JointTask.open(config, data)


@pytest.fixture(scope="module")
def run(config, data, tmp_path_factory) -> Path:
    """A finished run that held out one fold."""
    folder = tmp_path_factory.mktemp("run") / "run"
    run_experiment(config, data, folder, RunOptions(fold=1))
    return folder


def test_joints_stand_where_they_were_drawn(task, hands):
    films = task.films
    for row, study in enumerate(films.studies):
        hand = hands[int(study.id.removeprefix("film-"))]
        x, y = hand.joints[4].box.x, hand.joints[4].box.y
        scale = 64 / 80
        left = films.boxes[row, 4, 0] - films.boxes[row, 4, 2] / 2
        assert left == pytest.approx(x * scale + films.inside[row, 0], abs=0.6)
        assert films.boxes[row, 4, 1] - films.boxes[row, 4, 3] / 2 == pytest.approx(y * scale, abs=0.6)
        assert (films.classes[row] >= 0).sum() == len(JOINTS)


def test_it_learns(task, config, tmp_path):
    steep = replace(config.optimiser, stages=(replace(config.optimiser.stages[0], epochs=12),), learning_rate=1e-2)
    quiet = replace(config.record, checkpoint=0)
    learnt = JointTask(task.films, replace(config, optimiser=steep, record=quiet, negatives=0.0))
    history = loop.train(learnt, np.arange(HANDS), folder=tmp_path).history
    assert history[-1]["marks"] < 0.75 * history[0]["marks"]


def test_a_broken_run_goes_on_to_the_byte(task, tmp_path, monkeypatch):
    whole = loop.train(task, np.arange(HANDS), folder=tmp_path / "whole").network.state_dict()
    take = TrainingState.take

    def take_and_break(state, batch, *, began):
        if state.taken == 4:
            raise KeyboardInterrupt
        take(state, batch, began=began)

    monkeypatch.setattr(TrainingState, "take", take_and_break)
    with pytest.raises(KeyboardInterrupt):
        loop.train(task, np.arange(HANDS), folder=tmp_path / "broken")
    monkeypatch.setattr(TrainingState, "take", take)
    resumed = loop.train(task, np.arange(HANDS), folder=tmp_path / "broken").network.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_accumulated_parts_give_the_loss_of_the_whole(task):
    batch = task.plain(np.arange(HANDS), size=(64, 64))
    network = task.network().eval()
    with torch.no_grad():
        whole = task.loss(task.answer(network, batch), batch)
        parts = [(len(one), task.loss(task.answer(network, one), one)) for one in batch.parts(4)]
    assert sum(n * loss for n, loss in parts) / HANDS == pytest.approx(float(whole), rel=1e-4)


def test_films_kept_back_are_never_augmented(task):
    first, second = (task.plain(np.arange(HANDS), size=(64, 64)) for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)
    assert torch.equal(first.pictures[:, 0], torch.from_numpy(task.films.pictures).float())


def test_the_held_out_fold_is_predicted(run, task):
    figures = json.loads((run / "metrics.json").read_text())
    assert {"map50", "map50_95", "centre_error", "found", "counts_right", "ap50 Radius"} <= set(figures)
    assert set(figures["found"]) == {"value", "low", "high"}
    held_out = {str(name) for name, fold in zip(task.ids, task.folds(), strict=True) if fold == 1}
    with (run / "predictions.csv").open(encoding="utf8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert {line["id"] for line in lines} == held_out
    truth = [line for line in lines if line["true_x_center"]]
    assert len(truth) == len(JOINTS) * len(held_out)
    assert json.loads((run / "audit.json").read_text()) == {
        "hands": HANDS, "known_by_points_alone": 0, "wrong": {}, "refused_films": {},
    }  # fmt: skip


def test_a_bundle_finds_joints(run, hands, tmp_path):
    bundle = bundle_runs([run], tmp_path / "bundle")
    assert bundle.card["task"] == "joint-detector"
    assert any(figure["name"] == "map50" for figure in bundle.card["figures"])
    detector = JointDetector(bundle, threads=1)
    film = hands[0].radiograph.pixels
    found = detector.detect(film, threshold=0.001)
    assert found
    assert [joint.score for joint in found] == sorted((joint.score for joint in found), reverse=True)
    assert len([joint for joint in found if joint.joint == "MCP"]) <= 4
    assert all(joint.box.x >= 0 and joint.box.x + joint.box.width <= film.shape[1] + 1e-6 for joint in found)


def test_several_runs_make_no_bundle(run, tmp_path):
    with pytest.raises(UsageError, match="a joint-detector bundle is made of one run, got 2"):
        bundle_runs([run, run], tmp_path / "bundle")


@pytest.mark.parametrize("name", ["system-000-detector", "joint-detector"])
def test_a_recipe_runs(name, data, tmp_path):
    changes = ["labels.boxes=boxes.csv", "labels.keypoints=''", "reading.workers=1", "network.pretrained=false"]
    changes += ["network.backbone=test_efficientnet", "network.width=8", "optimiser.stages=[[1, 64, 64]]", "folds=2"]
    changes += ["optimiser.batch=3", "validation.share=0.3", "record.tensorboard=false", "reading.aspect=0.0"]
    config = load_experiment(CONFIGS / f"{name}.toml", overrides=changes)
    figures = run_experiment(config, data, tmp_path / "run", RunOptions(fold=1))
    assert 0 <= figures["map50"]["value"] <= 1
    assert "validation_loss" in figures


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"augment": {"uniform_operations": 2}}, "augment.uniform_operations moves pixels in a way"),
        ({"augment": {"patches": 0.5}}, "augment.patches needs to know where the hand or limb is"),
        ({"optimiser": {"stages": [[1, 60, 64]]}}, r"multiples of 32, got 60 x 64"),
        ({"optimiser": {"stages": [[1, 96, 96], [1, 64, 64]]}}, "is larger than the last one, got 96 x 96 and 64 x 64"),
        ({"counts": [1, 2]}, r"counts must hold a whole number above 0 for each of 7 classes, got \[1, 2\]"),
        ({"classes": ["A", "A"], "counts": [1, 1]}, "classes must be different names"),
        ({"reading": {"aspect": 0.8, "fit": "stretch"}}, "reading.aspect is 0.8 and reading.fit is stretch"),
        ({"negatives": 2.0}, "negatives must be 0 to 1, got 2"),
        ({"loss": {"box": "iou"}}, "loss.box must be one of giou, l1, got 'iou'"),
        ({"network": {"channels": 2}}, "network.channels must be 1 or 3, got 2"),
        ({"labels": {"box": "x"}}, "unknown key labels.box"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, said):
    with pytest.raises(UsageError, match=said):
        experiment_of({"task": "joint-detector", **values})


def test_a_backbone_without_fine_maps_or_name(task, config):
    for backbone, said in (("vit_tiny_patch16_224", "stride|maps"), ("no-such-net", "must be a network of timm")):
        wrong = replace(config, network=replace(config.network, backbone=backbone))
        with pytest.raises(UsageError, match=said):
            JointTask(task.films, wrong).network()


def test_a_corrupt_film_stops_or_is_counted(config, data, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(data.parent, folder)
    (folder / "film-2.png").write_bytes((folder / "film-2.png").read_bytes()[:200])
    with pytest.raises(UsageError, match=r"the film 'film-2' cannot be used \(corrupt"):
        JointTask.open(config, folder / "films.csv")
    going_on = experiment_of({**TINY, "reading": {"on_unreadable": "skip"}})
    task = JointTask.open(going_on, folder / "films.csv")
    assert len(task.ids) == HANDS - 1
    assert list(task.films.audit()["refused_films"]) == ["film-2"]
    assert "film-2" in task.notes()[0]


def test_labels_of_other_films(config, data, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(data.parent, folder)
    text = (folder / "boxes.csv").read_text().replace("film-", "other-")
    (folder / "boxes.csv").write_text(text)
    with pytest.raises(UsageError, match="none of the 6 labelled hands is among the 6 films"):
        JointTask.open(config, folder / "films.csv")


def test_a_folder_of_films_without_a_table(config, data, tmp_path):
    import shutil

    for film in data.parent.glob("*.png"):
        shutil.copy(film, tmp_path)
    shutil.copy(data.parent / "boxes.csv", tmp_path)
    assert sorted(JointTask.open(config, tmp_path).ids.tolist()) == [f"film-{k}" for k in range(HANDS)]


def test_published_weights_from_a_file(task, config, tmp_path):
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(3)
    whole = timm.create_model("test_efficientnet", num_classes=0, in_chans=3)
    save_file(whole.state_dict(), tmp_path / "weights.safetensors")
    wanted = replace(config, network=replace(config.network, weights=str(tmp_path / "weights.safetensors")))
    state = JointTask(task.films, wanted).first_weights(np.arange(HANDS))
    stem = next(name for name in state if name.startswith("backbone.network.conv_stem"))
    assert torch.allclose(state[stem], whole.conv_stem.weight.sum(1, keepdim=True))


def test_every_weight_has_a_rate(task):
    groups = parameter_groups(task.network(), learning_rate=1e-3, weight_decay=0.1)
    assert sum(len(group["params"]) for group in groups) == len(list(task.network().parameters()))
