"""A line for every labelled joint, found or not, and for every found joint that answers none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.detection import FilmBoxes, match_centres, overlaps

__all__ = ["BOX_COLUMNS", "BoxRow", "box_cells", "box_rows"]

_PLACE = ("x_center", "y_center", "width", "height")
BOX_COLUMNS = (
    "id", "joint", "score", *_PLACE, *(f"true_{name}" for name in _PLACE), "distance_percent", "overlap",
)  # fmt: skip
"""Columns of `BoxRow.cells`."""

Floats = NDArray[np.floating]
Sizes = NDArray[np.integer] | tuple[int, int]


@dataclass(frozen=True, eq=False)
class BoxRow:
    """One line.

    Attributes:
        film: its id.
        joint: name of the class.
        truth: index of the labelled joint, -1 for none.
        found: index of the found joint that answers it, -1 for none.
        score: of the found joint, NaN for none.
        box: (4,) centre x, y, width and height of the found joint, fractions of the film; NaN for none.
        true_box: (4,) of the labelled one.
        distance: of the two centres in per cent of the hand's length, NaN unless there are both.
        overlap: intersection over union of both boxes, NaN unless both are known.
    """

    film: str
    joint: str
    truth: int
    found: int
    score: float
    box: NDArray[np.float64]
    true_box: NDArray[np.float64]
    distance: float
    overlap: float

    def cells(self) -> dict[str, object]:
        """Return the columns of a table; what is not known is empty."""
        return {
            "id": self.film,
            "joint": self.joint,
            "score": _number(self.score, 4),
            **box_cells(self.box),
            **{f"true_{name}": cell for name, cell in box_cells(self.true_box).items()},
            "distance_percent": _number(self.distance, 3),
            "overlap": _number(self.overlap, 4),
        }


def box_cells(box: Floats) -> dict[str, str]:
    """Write centre x, y, width and height (4,), fractions of the film, by the names of their columns."""
    return {name: _number(float(value), 6) for name, value in zip(_PLACE, box, strict=True)}


def box_rows(film: FilmBoxes, *, names: Sequence[str], threshold: float, size: Sizes) -> Iterator[BoxRow]:
    """Match labelled and found joints of a film.

    Args:
        film: its joints.
        names: of the classes.
        threshold: score from which on a joint counts as found.
        size: columns and rows of the film, the unit of its boxes.
    """
    whole = np.tile(np.asarray(size, dtype=np.float64), 2)
    match = match_centres(film, threshold=threshold)
    nowhere = np.full(4, np.nan)

    def line(kind: int, found: int, truth: int, distance: float) -> BoxRow:
        box = film.boxes[found] if found >= 0 else nowhere
        true_box = film.truth[truth] if truth >= 0 else nowhere
        both = bool(np.isfinite([*box, *true_box]).all())
        return BoxRow(
            film=film.id,
            joint=names[kind],
            truth=truth,
            found=found,
            score=float(film.scores[found]) if found >= 0 else np.nan,
            box=box / whole,
            true_box=true_box / whole,
            distance=100 * distance,
            overlap=float(overlaps(box[None], true_box[None])[0, 0]) if both else np.nan,
        )

    for t, kind in enumerate(film.truth_classes.tolist()):
        yield line(kind, int(match.found[t]), t, float(match.distance[t]))
    for k in sorted(set(range(len(film.classes))) - set(match.found.tolist())):
        if film.scores[k] >= threshold:
            yield line(int(film.classes[k]), k, -1, np.nan)


def _number(value: float, places: int) -> str:
    return "" if np.isnan(value) else f"{value:.{places}f}"
