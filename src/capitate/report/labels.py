"""Where the joints' labels stand on a film, so that they cover neither each other nor more bone than they must."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from capitate.report.joint_marks import JointMark
from capitate.types import Box

__all__ = ["PlacedLabel", "place_labels"]

_SMALL = 0.8
"""Size of the label of a joint that is not graded, as a share of the others'."""
_LINE = 1.15
"""Height of a line in sizes of its letters."""
_GAP = 0.15


@dataclass(frozen=True)
class PlacedLabel:
    """A label and its place.

    Attributes:
        mark: the joint that it is of.
        size: of its letters, film pixels.
        box: what it covers, film pixels.
    """

    mark: JointMark
    size: float
    box: Box


def place_labels(
    marks: Sequence[JointMark],
    *,
    film: tuple[int, int],
    size: float,
    measure: Callable[[str, float], float],
) -> tuple[PlacedLabel, ...]:
    """Place every label above its box, or below or beside it where that place is taken; graded joints choose first.

    Args:
        marks: the joints.
        film: width and height in pixels; labels stay inside.
        size: of the letters, film pixels.
        measure: width of a text at a size, film pixels.
    """
    taken: list[PlacedLabel] = []
    for mark in sorted(marks, key=lambda one: not one.graded):
        own = size if mark.graded else _SMALL * size
        places = _places(mark.box, wide=measure(mark.label, own), tall=_LINE * own, film=film)
        covered = [sum(_shared(place, other.box) for other in taken) for place in places]
        taken.append(PlacedLabel(mark, own, places[int(np.argmin(covered))]))
    return tuple(taken)


def _places(box: Box, *, wide: float, tall: float, film: tuple[int, int]) -> list[Box]:
    """Return where a label may stand, the best place first, all inside the film."""
    middle, gap = box.x + box.width / 2 - wide / 2, _GAP * tall
    corners = (
        (middle, box.y - tall - gap),
        (middle, box.y + box.height + gap),
        (box.x + box.width + gap, box.y),
        (box.x - wide - gap, box.y),
    )
    right, bottom = max(film[0] - wide, 0.0), max(film[1] - tall, 0.0)
    return [Box(min(max(x, 0.0), right), min(max(y, 0.0), bottom), wide, tall) for x, y in corners]


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(across, 0.0) * max(down, 0.0)
