"""A model as methods without access to its inside see it: films in, one number a film out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.explain.activation import UNITS, ActivationMap

__all__ = ["LONG_SIDE", "Ask", "Meaning", "answers", "shrunk", "softened"]

Films = NDArray[np.float32]
Ask = Callable[[Films], NDArray[np.float64]]
"""From films float32 (n, rows, columns), all of one hand or region, to an answer each, float64 (n,)."""

_AT_ONCE = 16
LONG_SIDE = 1024
"""Longer side from which a film is shrunk before parts of it are hidden: no network of Capitate sees more pixels."""


@dataclass(frozen=True)
class Meaning:
    """Whose answer it is.

    Attributes:
        model: name of the bundle or run.
        quantity: `bone_age`, `abnormality` or `grade`.
    """

    model: str
    quantity: str

    def map(self, values: NDArray[np.floating[Any]], *, answer: float) -> ActivationMap:
        """Make a map of values (rows, columns) that need not sum to the answer: `base` is what they leave of it."""
        cells = np.asarray(values, dtype=np.float32)
        base = answer - float(cells.sum(dtype=np.float64))
        return ActivationMap(self.model, self.quantity, UNITS[self.quantity], cells, base, answer)


def answers(films: Iterable[Films], ask: Ask) -> NDArray[np.float64]:
    """Ask for films one by one, float32 (rows, columns), a few at once; float64 (n,)."""
    return np.concatenate([ask(np.stack(some)) for some in _some(films)])


def _some(films: Iterable[Films]) -> Iterator[tuple[Films, ...]]:
    """Give a few films at once, so that hundreds of large ones are never in memory together."""
    iterator = iter(films)
    while some := tuple(film for _, film in zip(range(_AT_ONCE), iterator, strict=False)):
        yield some


def shrunk(film: Films, *, long_side: int = LONG_SIDE) -> Films:
    """Shrink a film (rows, columns) whose longer side is above `long_side`; others come back as they are."""
    rows, columns = film.shape
    scale = long_side / max(rows, columns)
    if scale >= 1:
        return film
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(Image.fromarray(film).resize(size, Image.Resampling.BOX), dtype=np.float32)


def softened(film: Films, *, width: float) -> Films:
    """Blur a film so that nothing of `width` pixels is seen in it any more, but its grey stays.

    What is hidden is painted with this: a grey square would be an edge of its own, and black would move the contrast
    that every picture is stretched by.
    """
    soft: Films = ndimage.gaussian_filter(film, width, mode="nearest")
    return soft
