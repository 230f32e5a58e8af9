"""A tiny store of drawn views and a tiny experiment; torch is imported only where a fixture is used."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capitate.training.config import BoneAgeConfig, load_config

# Not smaller: where a 3 x 3 convolution of stride 2 leaves a single cell (views of 24 x 16), torch 2.13 computes that
# weight's bfloat16 gradient on a CPU from memory that it never wrote; runs are then neither finite nor repeatable.
HEIGHT, WIDTH = 64, 48
TINY = (
    "network.widths=[8, 8, 16, 16]",
    "network.depths=[1, 1, 1, 1]",
    "network.hidden=16",
    "network.sex_width=8",
    "optimiser.stages=[[1, 40, 32], [2, 64, 48]]",
    "optimiser.batch=8",
)


@pytest.fixture
def tiny() -> BoneAgeConfig:
    return load_config(overrides=TINY)


@pytest.fixture
def store():
    """Thirty-two views whose brightness follows the age."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from capitate.training.view_store import ViewStore

    random = np.random.default_rng(0)
    months = random.uniform(10, 220, 32).astype(np.float32)
    views = random.integers(0, 40, (32, HEIGHT, WIDTH)) + (months[:, None, None] * 0.8).astype(int)
    masks = np.zeros((32, HEIGHT, WIDTH), dtype=bool)
    masks[:, 10:, 8:40] = True
    ids = np.array([str(1000 + k) for k in range(32)])
    return ViewStore(ids, views.astype(np.uint8), masks, months, random.integers(0, 2, 32).astype(np.int64))


@pytest.fixture
def saved(store, tmp_path: Path) -> Path:
    """The store on disk, with the rule of its views."""
    from capitate.training.runs import write_json

    folder = tmp_path / "store"
    store.save(folder)
    rule = {"height": HEIGHT, "width": WIDTH, "margins": [0.13, 0.17, 0.13, 0.25], "percentiles": [1.0, 99.5]}
    write_json(folder / "view.json", rule)
    return folder


@pytest.fixture
def two(tiny) -> BoneAgeConfig:
    """Two folds, so that the runs of both make calibration and ensemble."""
    return replace(tiny, folds=2)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs of the session, trained for the first test that needs them."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def runs(two, saved, trained: Path, tmp_path: Path) -> list[Path]:
    """Finished runs, one for each of two folds; copies, which a test may change."""
    from capitate.training.bone_age_run import run_bone_age

    for k in (0, 1):
        if not (trained / f"fold-{k}" / "card.md").exists():
            run_bone_age(two, saved, trained / f"fold-{k}", fold=k)
    return [Path(shutil.copytree(trained / f"fold-{k}", tmp_path / f"fold-{k}")) for k in (0, 1)]
