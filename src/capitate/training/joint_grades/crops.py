"""Graded crops as the task sees them: category, grade and source hand of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.training.data.crops import (
    JOINTS,
    Crop,
    category_of,
    is_crop_folders,
    is_named_crops,
    read_crops,
    read_named_crops,
)
from capitate.training.folds import fold_of
from capitate.training.pictures.reading import Item
from capitate.training.table import MAX_MONTHS, Row, read_table

__all__ = [
    "ALLOWED",
    "CROPS_TABLE",
    "DRAWN",
    "NO_FOLD",
    "UNGRADED",
    "GradedCrops",
    "crop_tables",
    "joined",
    "read_graded",
]

_ORDER = list(CATEGORIES)
CROPS_TABLE = "crops.csv"
"""Table beside crops that `capitate data joints` cut."""

ALLOWED: NDArray[np.bool_] = np.arange(MOST_GRADES + 1)[None] <= np.array(list(CATEGORIES.values()))[:, None]
"""Which grades each category has, bool (9, 15), grade 0 counted."""

UNGRADED = -1
DRAWN = "drawn/"
"""Begins the ids of crops that only teach."""
NO_FOLD = -1


@dataclass(frozen=True, eq=False)
class GradedCrops:
    """Crops in one order.

    Attributes:
        items: id and path of each.
        joints: (n,), names as the data have them.
        categories: int64 (n,), place in `CATEGORIES`.
        grades: int64 (n,), -1 where nobody graded the joint.
        hands: (n,), what a split must not tear apart.
        sexes: (n,), empty where it is not known.
        ages: float64 (n,), bone age of the hand in months, NaN where it is not known.
        drawn: bool (n,), crops that only ever teach, such as drawn ones: no fold holds them out.
    """

    items: tuple[Item, ...]
    joints: NDArray[np.str_]
    categories: NDArray[np.int64]
    grades: NDArray[np.int64]
    hands: NDArray[np.str_]
    sexes: NDArray[np.str_]
    ages: NDArray[np.float64]
    drawn: NDArray[np.bool_]

    @classmethod
    def of(cls, crops: Sequence[Crop], *, base: Path) -> GradedCrops:
        """Bring crops into one record.

        Args:
            crops: in any order.
            base: folder that ids are relative to.

        Raises:
            TableError: if there is none.
        """
        if not crops:
            raise TableError(f"no graded crop lies in {str(base)!r}; put them into JOINT/GRADE/")
        ordered = sorted(crops, key=lambda crop: crop.path.as_posix())
        return cls(
            tuple(Item(crop.path.relative_to(base).as_posix(), crop.path) for crop in ordered),
            np.array([crop.joint for crop in ordered], dtype=np.str_),
            np.array([_ORDER.index(category_of(crop.joint)) for crop in ordered], dtype=np.int64),
            np.array([crop.grade for crop in ordered], dtype=np.int64),
            np.array([crop.hand for crop in ordered], dtype=np.str_),
            np.full(len(ordered), "", dtype="U7"),
            np.full(len(ordered), np.nan),
            np.zeros(len(ordered), dtype=bool),
        )

    @classmethod
    def of_table(cls, path: Path, *, base: Path) -> GradedCrops:
        """Read a table `crops.csv`: file, hand, joint, sex and bone age of each crop.

        Args:
            path: of the table; files are named from its folder.
            base: folder that ids are relative to.

        Raises:
            TableError: naming line and column of what cannot be used.
        """
        table = read_table(path)
        table.require("file", "hand", "joint", "sex", "bone_age_months")
        rows = sorted(table.rows, key=lambda row: _needed(row, "file"))
        files, joints, hands = ([_needed(row, name) for row in rows] for name in ("file", "joint", "hand"))
        for row, joint in zip(rows, joints, strict=True):
            if category_of(joint) not in CATEGORIES:
                row.fail("joint", "no such joint", f"the joints are {', '.join(JOINTS)}")
        ages = [row.number("bone_age_months", most=MAX_MONTHS) for row in rows]
        return cls(
            tuple(Item((path.parent / name).relative_to(base).as_posix(), path.parent / name) for name in files),
            np.array(joints, dtype=np.str_),
            np.array([_ORDER.index(category_of(joint)) for joint in joints], dtype=np.int64),
            np.full(len(rows), UNGRADED),
            np.array(hands, dtype=np.str_),
            np.array([str(row.sex("sex") or "").replace("unknown", "") for row in rows], dtype=np.str_),
            np.array([np.nan if age is None else age for age in ages]),
            np.zeros(len(rows), dtype=bool),
        )

    def __len__(self) -> int:
        return len(self.items)

    def with_drawn(self, other: GradedCrops) -> GradedCrops:
        """Add graded crops that only teach."""
        items = tuple(Item(f"{DRAWN}{item.id}", item.path) for item in other.items)
        return joined([self, replace(other, items=items, drawn=np.ones(len(other), dtype=bool))])

    def folds(self, count: int) -> NDArray[np.int64]:
        """Give the fold of every crop by its hand alone, int64 (n,); `NO_FOLD` for crops that only teach."""
        folds = np.array([fold_of(str(hand), folds=count) for hand in self.hands], dtype=np.int64)
        return np.where(self.drawn, NO_FOLD, folds)


def _needed(row: Row, column: str) -> str:
    found = row.text(column)
    return found if found is not None else row.fail(column, "the cell is empty", "fill it in")


def crop_tables(folder: Path) -> list[Path]:
    """List the tables of crops in a folder: its own, or those of the folders in it."""
    own = folder / CROPS_TABLE
    return [own] if own.is_file() else sorted(folder.glob(f"*/{CROPS_TABLE}"))


def joined(parts: Sequence[GradedCrops]) -> GradedCrops:
    """Put sets of crops behind one another."""
    arrays = [one.name for one in fields(GradedCrops) if one.name != "items"]
    items = tuple(item for part in parts for item in part.items)
    return GradedCrops(
        items=items, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    )


def read_graded(folder: Path) -> GradedCrops:
    """Read a table of crops, `JOINT/GRADE/` folders, or crops named after joint and grade.

    Raises:
        TableError: if the folder holds neither, or a crop has a grade that its joint does not have.
    """
    if not folder.is_dir():
        raise TableError(f"graded crops are read from a folder, got {str(folder)!r}; give the one above JOINT/GRADE/")
    tables = crop_tables(folder)
    if tables:
        return joined([GradedCrops.of_table(table, base=folder) for table in tables])
    if is_crop_folders(folder):
        return GradedCrops.of(read_crops(folder), base=folder)
    if is_named_crops(folder):
        return GradedCrops.of(read_named_crops(folder), base=folder)
    raise TableError(
        f"{str(folder)!r} holds no graded crops; put them into JOINT/GRADE/, such as Radius/9/, or name them as "
        f"Third_Metacarpal_Grade5.png; joints are those of RUS-CHN or {', '.join(CATEGORIES)}"
    )
