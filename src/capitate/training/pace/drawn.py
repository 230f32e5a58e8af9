"""Films and views to measure on where none are given: drawn hands, as files and as a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from capitate import files
from capitate.phantom import draw
from capitate.runtime.locator import HandLocator
from capitate.runtime.view_mask import view_mask
from capitate.runtime.views import ViewRule
from capitate.training.prepare import cut_view
from capitate.training.view_store import ViewStore
from capitate.types import Sex

__all__ = ["draw_films", "draw_store"]

FILM_ROWS, FILM_COLUMNS = 1640, 1230
"""Two megapixels, the size of a usual hand film."""
_AGES = (60.0, 126.0, 180.0)


def draw_films(folder: Path, *, seed: int = 1) -> list[Path]:
    """Draw three films of two megapixels and write them as 8-bit PNG files."""
    random = np.random.default_rng(seed)
    paths = []
    for number, age in enumerate(_AGES):
        sex = (Sex.FEMALE, Sex.MALE)[number % 2]
        film = draw(age_months=age, sex=sex, height=FILM_ROWS, width=FILM_COLUMNS, seed=random).radiograph
        paths.append(folder / f"film-{number}.png")
        Image.fromarray(np.round(film.pixels * 255).astype(np.uint8)).save(paths[-1])
    return paths


def draw_store(paths: Sequence[Path], folder: Path, *, films: int, size: tuple[int, int]) -> ViewStore:
    """Cut films to views, repeat them under different ids, write that as a store, and open it from its files.

    Args:
        paths: of films.
        folder: for the store.
        films: in the store.
        size: rows and columns of a view.
    """
    locator, rule = HandLocator(threads=1), ViewRule(*size)
    cut = np.stack([cut_view(files.read(path), locator=locator, rule=rule) for path in paths])
    masks = np.stack([view_mask(view) for view in cut])
    places = np.arange(films) % len(paths)
    ids = np.array([f"drawn-{number}" for number in range(films)])
    months = np.linspace(12, 216, films, dtype=np.float32)
    ViewStore(ids, cut[places], masks[places], months, (np.arange(films) % 2).astype(np.int64)).save(folder)
    return ViewStore.load(folder)
