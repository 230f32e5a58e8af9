"""The pointing game: does a map's peak lie in an annotated box, and how often would a guess that saw no film?

After Zhang et al., Int J Comput Vis 2018;126:1084-1102, without their margin of pixels around a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.maps.regions import Corners
from capitate.training.folds import fold_of

__all__ = ["FOLDS", "GUESSES", "guesses", "inside"]

Floats = NDArray[np.float64]
Boxes = Sequence[Corners]
Point = tuple[float, float]

FOLDS = 5
GUESSES = ("centre", "mean_box", "best_point")
_PLACES = 50
"""Places along either side that the best fixed point is looked for at."""


def inside(point: Point, boxes: Boxes) -> bool:
    """Whether a point (x, y), in fractions of the film, lies in any of some boxes."""
    x, y = point
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def guesses(films: Sequence[Boxes], groups: Sequence[str]) -> Mapping[str, Floats]:
    """Say on which films three fixed points lie in a box; what is learnt of the boxes is learnt on other films.

    Args:
        films: the boxes of each film, at least one.
        groups: what each film may not be parted from; a fifth of the groups is answered for by the others.

    Returns:
        By the names of `GUESSES` 0 or 1 a film, (n,): the film's centre, the mean of the middles of all boxes of the
        other folds, and the point that lies in boxes of most films of the other folds. NaN where there are no others.
    """
    folds = np.array([fold_of(group, folds=FOLDS) for group in groups])
    answers = {name: np.full(len(films), np.nan) for name in GUESSES}
    for fold in np.unique(folds):
        mine = np.flatnonzero(folds == fold)
        points: dict[str, Point] = {"centre": (0.5, 0.5)}
        others = [boxes for boxes, other in zip(films, folds, strict=True) if other != fold]
        if others:
            points |= {"mean_box": _mean_middle(others), "best_point": _best_point(others)}
        for name, point in points.items():
            answers[name][mine] = [float(inside(point, films[int(k)])) for k in mine]
    return answers


def _mean_middle(films: Sequence[Boxes]) -> Point:
    corners = np.array([box for boxes in films for box in boxes])
    x, y = (corners[:, :2] + corners[:, 2:]).mean(axis=0) / 2
    return float(x), float(y)


def _best_point(films: Sequence[Boxes]) -> Point:
    """Give the place that lies in boxes of most films; of equally good ones the middle one."""
    places = (np.arange(_PLACES) + 0.5) / _PLACES
    counts = np.zeros((_PLACES, _PLACES), dtype=np.int64)
    for boxes in films:
        here = np.zeros_like(counts, dtype=bool)
        for left, top, right, bottom in boxes:
            down, across = ((low <= places) & (places <= high) for low, high in ((top, bottom), (left, right)))
            here |= down[:, None] & across[None]
        counts += here
    best = np.argwhere(counts == counts.max())
    row, column = best[np.square(best - best.mean(axis=0)).sum(axis=1).argmin()]
    return float(places[column]), float(places[row])
