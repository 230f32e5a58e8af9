"""Faults of joint labels: boxes that do not make a hand, points off the film, grades that nobody has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from capitate.errors import CellError, TableError
from capitate.training.checks.check import DataCheck, check_studies, ordered
from capitate.training.checks.fault import Fault, Gravity, fault
from capitate.training.checks.table_checks import check_cells
from capitate.training.data.boxes import COLUMNS, LabelledBox, by_film
from capitate.training.data.crops import CATEGORIES, Crop, category_of, is_named_crops, read_crops, read_named_crops
from capitate.training.data.film_finder import films_under
from capitate.training.joints_labels import BOXES_OF_A_HAND, wrong_counts
from capitate.training.layouts import Reading
from capitate.training.manifest import Study
from capitate.training.table import Row, Table, read_table

__all__ = ["check_boxes", "check_crops", "is_box_table", "is_point_table"]

_TINY = 0.01
_ROUNDING = 0.0005
_SAME = 0.8
_SPLITS = frozenset({"train", "val", "valid", "validation", "test"})
Progress = Callable[[int], Callable[[], None]]


def is_box_table(table: Table) -> bool:
    """Whether a table holds boxes, one a row."""
    return set(COLUMNS[2:]) <= set(table.columns)


def is_point_table(table: Table) -> bool:
    """Whether a table holds key points, one hand a row."""
    return {"wrist_x", "wrist_y"} <= set(table.columns)


def check_boxes(path: Path, *, films: Path | None, workers: int = 1, progress: Progress | None = None) -> DataCheck:
    """Check a table of boxes or key points, and its films where their folder is given.

    Raises:
        TableError: if the table cannot be read.
    """
    table = read_table(path)
    boxes, cells = _boxes(table) if is_box_table(table) else ([], _point_faults(table))
    key = next((name for name in ("id", "file", "filename") if name in table.columns), None)
    if key is None:
        raise TableError(
            f"{path.name}, line 1: no column of films, got {', '.join(table.columns)}; name one of them id"
        )
    named = {Path(row.values[key]).stem: row for row in table.rows if row.text(key)}
    faults = [*check_cells(Reading("", (), tuple(cells), len(table.rows))), *_box_faults(boxes)]
    form = "table of boxes" if is_box_table(table) else "table of key points"
    if films is None:
        return DataCheck(path.name, form, len(table.rows), ordered(faults))
    there = {film.stem: film for film in films_under(films)}
    reading = Reading(form, tuple(_studies(named, there)), tuple(_missing(named, there, key)), len(table.rows))
    found = check_studies(reading, name=path.name, workers=workers, progress=progress)
    without = [f"film {stem}" for stem in sorted(there.keys() - named.keys())]
    faults += fault("film_without_labels", Gravity.NOTE, "A film of the folder has no label.", without)
    return replace(found, faults=ordered([*faults, *found.faults]))


def check_crops(folder: Path, *, workers: int = 1, progress: Progress | None = None) -> DataCheck:
    """Check graded crops: `JOINT/GRADE/` folders, below `train/` and `val/` or not, or crops named after their grade.

    Raises:
        TableError: if a crop states no joint and grade, or one that does not exist.
    """
    crops = read_named_crops(folder) if is_named_crops(folder) else read_crops(folder)
    reading = Reading("graded crops", tuple(_study(crop, folder) for crop in crops), (), len(crops))
    found = check_studies(reading, name=folder.name, workers=workers, progress=progress)
    return replace(found, faults=ordered([*found.faults, *_grade_faults(crops)]))


def _boxes(table: Table) -> tuple[list[LabelledBox], list[CellError]]:
    """Read boxes as far as they can be understood."""
    film = next((name for name in ("id", "file", "filename") if name in table.columns), "id")
    joint = next((name for name in ("joint", "class") if name in table.columns), "joint")
    table.require(film, joint)
    boxes: list[LabelledBox] = []
    faults: list[CellError] = []
    for row in table.rows:
        try:
            numbers = [_fraction(row, column) for column in COLUMNS[2:]]
        except CellError as error:
            faults.append(error)
            continue
        boxes.append(LabelledBox(Path(row.values[film]).stem, row.values[joint], *numbers))
    return boxes, faults


def _fraction(row: Row, column: str) -> float:
    value = row.number(column, most=1.0, unit="the film's width or height")
    if value is None:
        row.fail(column, "no coordinate", "write a fraction of the film's width or height", fault="empty_cell")
    return value


def _point_faults(table: Table) -> list[CellError]:
    """Find coordinates that are no fractions."""
    faults: list[CellError] = []
    columns = [name for name in table.columns if name.endswith(("_x", "_y", "_width", "_height"))]
    for row in table.rows:
        for column in columns:
            try:
                _fraction(row, column)
            except CellError as error:
                faults.append(error)
    return faults


def _box_faults(boxes: Sequence[LabelledBox]) -> list[Fault]:
    """Find boxes off the film, tiny and doubled ones, and hands with too few or too many."""
    films = by_film(boxes)
    off = [
        f"film {box.film}: {box.joint} reaches to {', '.join(f'{value:.3f}' for value in box.corners)}"
        for box in boxes
        if min(box.corners) < -_ROUNDING or max(box.corners) > 1 + _ROUNDING
    ]
    tiny = [
        f"film {box.film}: {box.joint} of {box.width:.3f} x {box.height:.3f}"
        for box in boxes
        if min(box.width, box.height) < _TINY
    ]
    doubled = [
        f"film {film}: {one.joint} and {other.joint}, overlap {_overlap(one, other):.2f}"
        for film, rows in films.items()
        for k, one in enumerate(rows)
        for other in rows[:k]
        if _overlap(one, other) > _SAME
    ]
    of_hands = {box.joint for box in boxes} == BOXES_OF_A_HAND.keys()
    wrong = wrong_counts({film: [box.joint for box in rows] for film, rows in films.items()}) if of_hands else {}
    return [
        *fault("wrong_box_counts", Gravity.ERROR, "A hand has 21 boxes: 1, 1, 1, 4, 5, 4 and 5 of its seven classes. "
               "Correct the labels; training leaves these hands out.", [f"film {k}: {v}" for k, v in wrong.items()]),
        *fault("box_beyond_film", Gravity.WARNING, "A box reaches past the film; reading cuts it off.", off),
        *fault("doubled_box", Gravity.WARNING, "Two boxes of a film cover nearly the same place. Remove one.", doubled),
        *fault("tiny_box", Gravity.WARNING, f"A side of a box is below {_TINY:g} of the film.", tiny),
    ]  # fmt: skip


def _overlap(one: LabelledBox, other: LabelledBox) -> float:
    """Intersection over union of two boxes."""
    a, b = one.corners, other.corners
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / max(1e-12, one.width * one.height + other.width * other.height - shared)


def _studies(named: dict[str, Row], there: dict[str, Path]) -> list[Study]:
    return [
        Study(path=there[stem].absolute(), id=stem, split=row.text("split"))
        for stem, row in named.items()
        if stem in there
    ]


def _missing(named: dict[str, Row], there: dict[str, Path], key: str) -> list[CellError]:
    return [
        CellError(f"line {row.line}: no film {stem}", line=row.line, column=key, value=stem, fault="missing_film")
        for stem, row in named.items()
        if stem not in there
    ]


def _study(crop: Crop, folder: Path) -> Study:
    inner = crop.path.relative_to(folder)
    split = inner.parts[0] if inner.parts[0].casefold() in _SPLITS else None
    return Study(path=crop.path.absolute(), id=inner.as_posix(), patient_id=crop.hand, split=split, region=crop.joint)


def _grade_faults(crops: Sequence[Crop]) -> list[Fault]:
    """Find grades without a crop, and grades that hold most of a joint's crops."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for crop in crops:
        counts[category_of(crop.joint)][crop.grade] += 1
    places = []
    for category, most in CATEGORIES.items():
        lacking = [grade for grade in range(1, most + 1) if not counts[category][grade]]
        if lacking:
            shown = ", ".join(map(str, lacking))
            places.append(f"{category}: {counts[category].total()} crops, none of grade {shown}")
    message = "A grader cannot learn a grade that it never sees. Find crops, or let the loss join grades."
    return fault("grade_without_crop", Gravity.WARNING, message, places)
