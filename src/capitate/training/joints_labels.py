"""Labelled hands for the locator: key points and joint boxes, read, audited and brought to one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.hand import joints as hand_joints
from capitate.training.table import Row, read_table

__all__ = [
    "BOXES_OF_A_HAND",
    "BOX_RIM",
    "BoxAudit",
    "HandLabel",
    "audit_boxes",
    "hand_labels",
    "hull",
    "measure_box_rim",
    "wrong_counts",
]

BOXES_OF_A_HAND: Mapping[str, int] = {bone.value: count for bone, count in hand_joints.BOXES_OF_A_HAND.items()}
"""How often each class of `boxes-21.csv` stands on a correctly labelled hand."""

BOX_RIM = (-0.0256, -0.0522, 0.0312, 0.1046)
"""Left, top, right and bottom of the hull of box centres minus those of the hull of key points, as fractions of the
latter's width and height: medians over the hands that have both labels, `measure_box_rim`."""

_FINGERS = ("forefinger", "middle_finger", "ring_finger", "pinky_finger")
_POINTS = (*(f"{finger}{k}" for finger in _FINGERS for k in (1, 2, 3)), "thumb1", "thumb2", "thumb3", "wrist")
_FAR = 0.2

Points = NDArray[np.float64]
Joint = tuple[str, float, float, float, float]


@dataclass(frozen=True, eq=False)
class HandLabel:
    """One labelled hand, in fractions of the film's width and height.

    Attributes:
        film: id of the film.
        points: (k, 2) whose hull is the hand without fingertips: 16 key points, or the centres of 21 boxes.
        up: (2,) from the wrist to the mean of the knuckles II to V; any length.
        boxes: whether the points are centres of boxes, whose hull is larger by `BOX_RIM`.
    """

    film: str
    points: Points
    up: Points
    boxes: bool


@dataclass(frozen=True)
class BoxAudit:
    """What is wrong with a table of boxes.

    Attributes:
        hands: number of films in the table.
        wrong_counts: by film, the classes whose number is not that of a hand, as `MCP 3 of 4`.
        beyond_edge: boxes that reach past the film.
        moved: films whose hull lies `_FAR` of the hand or more from where the key points have it.
    """

    hands: int
    wrong_counts: Mapping[str, str]
    beyond_edge: int
    moved: tuple[str, ...]

    @property
    def unusable(self) -> frozenset[str]:
        """Films that training leaves out: those with wrong counts."""
        return frozenset(self.wrong_counts)


def hull(points: Points) -> Points:
    """Return left, top, right and bottom of points, (4,)."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def hand_labels(keypoints: Path, boxes: Path) -> list[HandLabel]:
    """Read both tables: key points where a hand has them, otherwise its boxes if their counts are right.

    Raises:
        TableError: naming file, line and column.
    """
    pointed = _read_keypoints(keypoints)
    boxed = _read_boxes(boxes)
    wrong = _wrong(boxed)
    others = [_from_boxes(film, rows) for film, rows in boxed.items() if film not in wrong and film not in pointed]
    return [*pointed.values(), *others]


def audit_boxes(boxes: Path, keypoints: Path) -> BoxAudit:
    """Find faults in a table of boxes."""
    boxed, pointed = _read_boxes(boxes), _read_keypoints(keypoints)
    wrong = _wrong(boxed)
    beyond = sum(
        min(x - w / 2, y - h / 2) < 0 or max(x + w / 2, y + h / 2) > 1
        for rows in boxed.values()
        for _, x, y, w, h in rows
    )
    rims = _rims(boxed, pointed, wrong)
    moved = tuple(film for film, rim in rims.items() if np.abs(rim - BOX_RIM).max() >= _FAR)
    return BoxAudit(len(boxed), wrong, beyond, moved)


def measure_box_rim(boxes: Path, keypoints: Path) -> Points:
    """Measure `BOX_RIM` on the hands that have both labels, (4,)."""
    boxed, pointed = _read_boxes(boxes), _read_keypoints(keypoints)
    rims = _rims(boxed, pointed, _wrong(boxed))
    return np.asarray(np.median(list(rims.values()), axis=0))


def _rims(
    boxed: Mapping[str, list[Joint]], pointed: Mapping[str, HandLabel], wrong: Mapping[str, str]
) -> dict[str, Points]:
    """Compare both hulls of every hand that has them."""
    rims = {}
    for film in boxed.keys() & pointed.keys() - wrong.keys():
        inner = hull(pointed[film].points)
        size = np.tile(inner[2:] - inner[:2], 2)
        rims[film] = (hull(_from_boxes(film, boxed[film]).points) - inner) / size
    return dict(sorted(rims.items()))


def _read_keypoints(path: Path) -> dict[str, HandLabel]:
    table = read_table(path)
    table.require("id", *(f"{name}_{axis}" for name in _POINTS for axis in "xy"))
    labels = {}
    for row in table.rows:
        at = {name: np.array([_fraction(row, f"{name}_{axis}") for axis in "xy"]) for name in _POINTS}
        knuckles = np.array([at[f"{finger}1"] for finger in _FINGERS]).mean(axis=0)
        film = row.values["id"]
        labels[film] = HandLabel(film, np.array([at[name] for name in _POINTS]), knuckles - at["wrist"], boxes=False)
    return labels


def _read_boxes(path: Path) -> dict[str, list[Joint]]:
    table = read_table(path)
    table.require("id", "joint", "x_center", "y_center", "width", "height")
    films: dict[str, list[Joint]] = {}
    for row in table.rows:
        x, y, w, h = (_fraction(row, name) for name in ("x_center", "y_center", "width", "height"))
        films.setdefault(row.values["id"], []).append((row.values["joint"], x, y, w, h))
    return films


def _from_boxes(film: str, rows: list[Joint]) -> HandLabel:
    centres = np.array([(x, y) for _, x, y, _, _ in rows])
    names = np.array([name for name, *_ in rows])
    wrist = centres[np.isin(names, ("Radius", "Ulna"))].mean(axis=0)
    return HandLabel(film, centres, centres[names == "MCP"].mean(axis=0) - wrist, boxes=True)


def wrong_counts(films: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Find hands whose boxes are not those of `BOXES_OF_A_HAND`.

    Args:
        films: the classes of the boxes of every film.

    Returns:
        By film, the classes whose number is wrong, as `MCP 3 of 4`.
    """
    wrong = {}
    for film, names in films.items():
        found = Counter(names)
        classes = [*BOXES_OF_A_HAND, *sorted(found.keys() - BOXES_OF_A_HAND.keys())]
        off = [
            f"{name} {found[name]} of {BOXES_OF_A_HAND.get(name, 0)}"
            for name in classes
            if found[name] != BOXES_OF_A_HAND.get(name, 0)
        ]
        if off:
            wrong[film] = ", ".join(off)
    return wrong


def _wrong(boxed: Mapping[str, list[Joint]]) -> dict[str, str]:
    return wrong_counts({film: [name for name, *_ in rows] for film, rows in boxed.items()})


def _fraction(row: Row, column: str) -> float:
    value = row.number(column, most=1.0, unit="the film's width or height")
    if value is None:
        row.fail(column, "no coordinate", "write a fraction of the film's width or height")
    return value
