"""Folders of drawn crops and films with known labels, and a run that breaks off in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from capitate.phantom import JointVariation, draw, draw_joint
from capitate.types import Sex


def save(pixels: NDArray[np.float32], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(path)


def draw_crops(folder: Path, grades: dict[str, Sequence[int]], *, hands: int, size: int = 40) -> None:
    """`JOINT/GRADE/HAND__name.png`: hand k has the k-th of a joint's grades, over and over."""
    for k in range(hands):
        sex = Sex.MALE if k % 2 else Sex.FEMALE
        for joint, given in grades.items():
            grade = given[k % len(given)]
            picture = draw_joint(joint, grade, sex=sex, size=size, seed=1000 + k, variation=JointVariation.none())
            save(picture.pixels, folder / joint / str(grade) / f"hand{k:02}__{joint}.png")


@cache
def hand(kind: int) -> NDArray[np.float32]:
    """One of three small drawn hands."""
    film = draw(age_months=50 + 60 * kind, sex=Sex.FEMALE, height=64, seed=kind).radiograph.pixels
    film.setflags(write=False)
    return film


def draw_film(path: Path, *, abnormal: bool, seed: int) -> None:
    """A drawn hand, moved and with noise of its own; an abnormal one has a bright metal pin across it."""
    random = np.random.default_rng(seed)
    film = np.roll(hand(seed % 3), random.integers(-4, 5, 2), axis=(0, 1)) * 0.8
    film = np.clip(film + random.normal(0, 0.02, film.shape), 0, 1)
    picture = Image.fromarray(np.round(film * 255).astype(np.uint8))
    if abnormal:
        across = random.uniform(0.35, 0.65, 2)
        width, height = picture.size
        ends = [(0.15 * width, across[0] * height), (0.85 * width, across[1] * height)]
        ImageDraw.Draw(picture).line(ends, fill=255, width=5)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def draw_mura(folder: Path, *, patients: int, films: int = 2) -> None:
    """MURA's folders, every second patient's study positive."""
    for k in range(patients):
        reading = "positive" if k % 2 else "negative"
        region = "XR_HAND" if k % 4 < 2 else "XR_WRIST"
        for n in range(films):
            place = folder / region / f"patient{k:05}" / f"study1_{reading}" / f"image{n + 1}.png"
            draw_film(place, abnormal=bool(k % 2), seed=10 * k + n)


def break_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let the process of a run die after so many steps, as far as the run can tell."""
    from capitate.training.training_state import TrainingState

    take = TrainingState.take

    def take_or_die(state, batch, *, began):
        take(state, batch, began=began)
        if state.taken == steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingState, "take", take_or_die)
