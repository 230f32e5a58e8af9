"""Labelled boxes, one form for all: `id, joint, x_center, y_center, width, height` as fractions of the film."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from capitate.errors import TableError
from capitate.training.joints_labels import BOXES_OF_A_HAND, wrong_counts
from capitate.training.table import Row, Table, read_table

__all__ = [
    "COLUMNS",
    "LabelledBox",
    "by_film",
    "checked",
    "clipped",
    "read_boxes",
    "read_boxes_as_far_as_possible",
    "read_sound_boxes",
    "write_boxes",
]

COLUMNS = ("id", "joint", "x_center", "y_center", "width", "height")
_REACH = 0.05
"""How far past the film's edge a box may reach before its label is refused, a fraction of the film."""


@dataclass(frozen=True)
class LabelledBox:
    """One labelled box.

    Attributes:
        film: id of the film, its file's stem.
        joint: class, such as `Radius` or `MCPThird`.
        x: centre across, fraction of the film's width.
        y: centre down, fraction of its height.
        width: fraction of the film's width.
        height: fraction of its height.
    """

    film: str
    joint: str
    x: float
    y: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom as fractions."""
        w, h = self.width / 2, self.height / 2
        return self.x - w, self.y - h, self.x + w, self.y + h

    @classmethod
    def from_corners(
        cls, film: str, joint: str, *, left: float, top: float, right: float, bottom: float
    ) -> LabelledBox:
        """Make a box of its corners, in fractions."""
        return cls(film, joint, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def clipped(box: LabelledBox) -> LabelledBox:
    """Return the part of a box that lies on the film."""
    left, top, right, bottom = (min(1.0, max(0.0, value)) for value in box.corners)
    return LabelledBox.from_corners(box.film, box.joint, left=left, top=top, right=right, bottom=bottom)


def read_boxes(path: Path) -> list[LabelledBox]:
    """Read a table of boxes; `file` or `filename` may stand for `id`, `class` for `joint`.

    Raises:
        TableError: naming file, line and column of what cannot be used.
    """
    table, film, joint = _table(path)
    return [_box(row, film=film, joint=joint) for row in table.rows]


def read_sound_boxes(path: Path) -> tuple[list[LabelledBox], dict[str, str]]:
    """Read the films of a table of boxes whose labels can be right.

    A film is left out if one of its boxes has no area or lies off the film, and, where the classes are the seven of
    `BOXES_OF_A_HAND`, if their numbers are not those of a hand.

    Returns:
        The boxes of the other films, and by film why it was left out.

    Raises:
        TableError: if the table itself cannot be used.
    """
    boxes, bad = read_boxes_as_far_as_possible(path)
    wrong = dict(bad)
    if {box.joint for box in boxes} == BOXES_OF_A_HAND.keys():
        counts = wrong_counts({name: [box.joint for box in rows] for name, rows in by_film(boxes).items()})
        wrong = counts | wrong
    return [box for box in boxes if box.film not in wrong], wrong


def read_boxes_as_far_as_possible(path: Path) -> tuple[list[LabelledBox], list[tuple[str, str]]]:
    """Read every box that can be understood.

    Returns:
        The boxes, and the film and fault of every other row.

    Raises:
        TableError: if the table itself cannot be used.
    """
    table, film, joint = _table(path)
    boxes: list[LabelledBox] = []
    bad: list[tuple[str, str]] = []
    for row in table.rows:
        try:
            boxes.append(_box(row, film=film, joint=joint))
        except TableError as error:
            bad.append((_stem(row, film), str(error)))
    return boxes, bad


def write_boxes(boxes: Iterable[LabelledBox], path: Path) -> None:
    """Write a table of boxes.

    Raises:
        OSError: if it cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for box in boxes:
            numbers = (f"{value:.6f}" for value in (box.x, box.y, box.width, box.height))
            writer.writerow((box.film, box.joint, *numbers))


def by_film(boxes: Iterable[LabelledBox]) -> Mapping[str, list[LabelledBox]]:
    """Group boxes by film, in the order of the films' ids."""
    ordered = sorted(boxes, key=lambda box: box.film)
    return {film: list(rows) for film, rows in groupby(ordered, key=lambda box: box.film)}


def checked(box: LabelledBox, *, where: str) -> LabelledBox:
    """Refuse a box without area or far outside its film.

    Raises:
        TableError: with the box and where it stands.
    """
    left, top, right, bottom = box.corners
    if not (box.width > 0 and box.height > 0):
        raise TableError(f"{where}: a box of {box.joint} without area, got {box.width:g} x {box.height:g}; correct it")
    if min(left, top) < -_REACH or max(right, bottom) > 1 + _REACH:
        raise TableError(
            f"{where}: a box of {box.joint} lies outside its film, got corners {left:.3f}, {top:.3f}, {right:.3f}, "
            f"{bottom:.3f}; coordinates are fractions of the film's width and height"
        )
    return box


def _table(path: Path) -> tuple[Table, str, str]:
    """Read a table of boxes, and tell which columns name film and class."""
    table = read_table(path)
    film = next((name for name in ("id", "file", "filename") if name in table.columns), "id")
    joint = next((name for name in ("joint", "class") if name in table.columns), "joint")
    table.require(film, joint, *COLUMNS[2:])
    return table, film, joint


def _stem(row: Row, film: str) -> str:
    name = row.values[film]
    return name if film == "id" else Path(name).stem


def _box(row: Row, *, film: str, joint: str) -> LabelledBox:
    name, label = row.text(film), row.text(joint)
    if name is None or label is None:
        row.fail(film if name is None else joint, "an empty cell", "write the film's id and the joint's name")
    numbers = [row.number(column, most=1.0, unit="the film's width or height") for column in COLUMNS[2:]]
    if None in numbers:
        empty = COLUMNS[2 + numbers.index(None)]
        row.fail(empty, "no coordinate", "write a fraction of the film's width or height")
    x, y, width, height = (float(value) for value in numbers if value is not None)
    return checked(LabelledBox(_stem(row, film), label, x, y, width, height), where=f"{row.path.name}, line {row.line}")
