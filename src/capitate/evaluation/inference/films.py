"""Drawn films to measure networks on: no patient's film is needed, and everyone measures on the same."""

from __future__ import annotations

import numpy as np

from capitate.phantom import draw
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import squash
from capitate.training.inference.drawn_films import DrawnFilms
from capitate.types import Sex

__all__ = ["draw_films"]

_ROWS = 320
"""Just above the side of the square that every film is brought to."""
_YOUNGEST, _OLDEST = 24.0, 204.0


def draw_films(count: int, *, seed: int) -> DrawnFilms:
    """Draw films of both sexes with ages in a shuffled order, and find the hands as assessment does.

    Args:
        count: of films.
        seed: the same seed draws the same films.
    """
    random = np.random.default_rng(seed)
    locator = HandLocator(threads=1)
    sexes = [(Sex.FEMALE, Sex.MALE)[number % 2] for number in range(count)]
    ages = random.permutation(np.linspace(_YOUNGEST, _OLDEST, count))
    squares = [
        squash(draw(age_months=float(age), sex=sex, height=_ROWS, seed=random).radiograph.pixels)
        for age, sex in zip(ages, sexes, strict=True)
    ]
    frames = [locator.locate(square).frame for square in squares]
    return DrawnFilms(np.stack(squares), frames, np.array([SEX_CODES[sex] for sex in sexes], dtype=np.int64))
