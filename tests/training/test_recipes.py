"""Recipes in configs/: every one loads, and runs at a small scale on drawn films."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.phantom import draw
from capitate.training.config import BoneAgeConfig, load_config, load_experiment
from capitate.training.settings.backbones import keras_backbones
from capitate.types import Sex

pytest.importorskip("torch")
pytest.importorskip("optuna")

from capitate.training.sweeping import State, load_sweep, run_sweep

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
PAGE = CONFIGS.parent / "docs" / "training.md"
ROWS, COLUMNS = 64, 64
SWEEPS = {"bone-age-1024-ensemble": 3, "sweep-backbones": 15, "sweep-search": 0, "sweep-small-computers": 7}
EXPERIMENTS = sorted(path.stem for path in CONFIGS.glob("*.toml") if path.stem not in SWEEPS)
NEEDS_TEACHERS = {"bone-age-distilled", "bone-age-small"}
SMALL = (
    ("legacy_xception", "test_resnet"),
    ("resnetv2_101", "test_resnet"),
    ("convnext", "test_convnext"),
    ("tf_efficientnetv2", "test_efficientnet"),
)
"""Networks of the same kind, so that what a recipe puts around its backbone is run quickly."""
SHORT = (
    f"optimiser.stages=[[2, {ROWS}, {COLUMNS}]]",
    "folds=2",
    "optimiser.batch=4",
    "optimiser.accumulate=1",
    "network.pretrained=false",
    "schedule.rise=2",
    "devices.accelerator=cpu",
    "devices.precision=fp32",
    "record.tensorboard=false",
)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of sixteen drawn films."""
    import torch

    from capitate.training.runs import write_json
    from capitate.training.view_store import ViewStore

    torch.set_num_threads(1)
    months = np.linspace(20, 210, 16).astype(np.float32)
    films = [
        draw(age_months=float(age), sex=Sex.MALE if k % 2 else Sex.FEMALE, height=160, seed=k).radiograph.pixels
        for k, age in enumerate(months)
    ]
    pictures = [Image.fromarray(np.round(film * 255).astype(np.uint8)).resize((COLUMNS, ROWS)) for film in films]
    views = np.stack([np.asarray(picture) for picture in pictures])
    folder = tmp_path_factory.mktemp("recipes") / "store"
    sexes = np.arange(16, dtype=np.int64) % 2
    ViewStore(np.array([f"film-{k}" for k in range(16)]), views, views > 25, months, sexes).save(folder)
    rule = {"height": ROWS, "width": COLUMNS, "margins": [0.13, 0.17, 0.13, 0.25], "percentiles": [1.0, 99.5]}
    write_json(folder / "view.json", rule)
    return folder


def small(name: str) -> list[str]:
    """Changes that keep a recipe's parts and make it small."""
    config = load_config(CONFIGS / f"{name}.toml")
    changes = list(SHORT)
    if config.validation.share:
        changes.append("validation.share=0.3")
    if config.freezing.epochs:
        changes.append("freezing.epochs=1")
    backbone = next((to for start, to in SMALL if config.network.backbone.startswith(start)), None)
    return [*changes, f"network.backbone={backbone}"] if backbone else changes


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_recipe_loads_and_its_weights_are_published(name):
    import timm

    config = load_experiment(CONFIGS / f"{name}.toml")
    if isinstance(config, BoneAgeConfig) and config.network.pretrained:
        assert timm.models.is_model_pretrained(config.network.backbone)


@pytest.mark.parametrize("name", [one for one in EXPERIMENTS if one not in NEEDS_TEACHERS | {"hand-locator"}])
def test_a_recipe_runs(name, phantoms, tmp_path):
    from capitate.training.bone_age_run import run_bone_age

    config = load_config(CONFIGS / f"{name}.toml", overrides=small(name))
    figures = run_bone_age(config, phantoms, tmp_path / "run", fold=0)
    assert 0 <= figures["mae"] < 240
    assert ("validation_mae" in figures) == bool(config.validation.share)


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_loads(name):
    assert len(load_sweep(CONFIGS / f"{name}.toml").runs) == SWEEPS[name]


def test_the_sweep_of_backbones_is_the_table():
    plan = load_sweep(CONFIGS / "sweep-backbones.toml")
    chosen = {run.name: plan.experiment(run).network for run in plan.runs}
    table = keras_backbones()
    assert {name: network.backbone for name, network in chosen.items()} == {n: row.backbone for n, row in table.items()}
    assert {name: network.pretrained for name, network in chosen.items()} == {
        n: bool(r.weights) for n, r in table.items()
    }


def backbones(names: set[str] | None = None):
    """The sweep over backbones, one step a run at 64 pixels."""
    changes = [*SHORT, f"optimiser.stages=[[1, {ROWS}, {COLUMNS}]]", "optimiser.batch=16", "freezing.epochs=0"]
    changes += ["optimiser.name=sgd", "optimiser.momentum=0.0", "validation.share=0.3", "network.layers=linear 8"]
    plan = load_sweep(CONFIGS / "sweep-backbones.toml", overrides=changes)
    return replace(plan, runs=tuple(run for run in plan.runs if names is None or run.name in names))


def test_two_backbones_of_the_sweep(phantoms, tmp_path):
    outcomes = run_sweep(backbones({"mobilenet", "mobilenet_v3_small"}), phantoms, tmp_path)
    assert [(one.name, one.state, one.message) for one in outcomes] == [
        ("mobilenet", State.FINISHED, ""),
        ("mobilenet_v3_small", State.FINISHED, ""),
    ]
    assert outcomes[0].costs.multiply_adds > 3 * outcomes[1].costs.multiply_adds
    assert (tmp_path / "pareto.svg").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("CAPITATE_SLOW") != "1", reason="fifteen large networks; CAPITATE_SLOW=1 runs them")
@pytest.mark.parametrize("name", keras_backbones())
def test_every_backbone_of_the_sweep(name, phantoms, tmp_path):
    (outcome,) = run_sweep(backbones({name}), phantoms, tmp_path)
    shutil.rmtree(tmp_path / "runs")
    assert (outcome.state, outcome.message) == (State.FINISHED, "")


def test_every_recipe_stands_in_the_table_of_the_page():
    table = PAGE.read_text(encoding="utf8").partition("\n## Recipes\n")[2]
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = {name for cell in firsts for name in re.findall(r"`([^`]+)`", cell)}
    assert listed == {path.name for path in CONFIGS.glob("*.toml")}


def test_every_recipe_says_what_it_is():
    for path in CONFIGS.glob("*.toml"):
        text = path.read_text(encoding="utf8")
        tomllib.loads(text)
        assert text.startswith("# "), path.name
