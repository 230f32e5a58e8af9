"""Copies of released bundles, to damage and to change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capitate.runtime.bundle import Bundle, load_bundle, write_sums


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the default bone-age bundle."""
    return Path(shutil.copytree(load_bundle("bone-age").folder, tmp_path / "copy"))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Bundle]:
    """Copy a released bundle, change values of its card, and load the copy."""

    def make(name: str, **values: Any) -> Bundle:
        folder = tmp_path / name
        shutil.copytree(load_bundle(name).folder, folder)
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        card = {key: value for key, value in {**card, **values}.items() if value is not None}
        (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
        write_sums(folder)
        return load_bundle(str(folder))

    return make
