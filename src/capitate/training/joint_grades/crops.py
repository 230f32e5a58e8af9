"""Graded crops as the task sees them: category, grade and source hand of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.training.data.crops import (
    Crop,
    category_of,
    is_crop_folders,
    is_named_crops,
    read_crops,
    read_named_crops,
)
from capitate.training.folds import fold_of
from capitate.training.pictures.reading import Item

__all__ = ["ALLOWED", "GradedCrops", "read_graded"]

_ORDER = list(CATEGORIES)

ALLOWED: NDArray[np.bool_] = np.arange(MOST_GRADES + 1)[None] <= np.array(list(CATEGORIES.values()))[:, None]
"""Which grades each category has, bool (9, 15), grade 0 counted."""


@dataclass(frozen=True, eq=False)
class GradedCrops:
    """Crops in one order.

    Attributes:
        items: id and path of each.
        joints: (n,), names as the data have them.
        categories: int64 (n,), place in `CATEGORIES`.
        grades: int64 (n,).
        hands: (n,), what a split must not tear apart.
    """

    items: tuple[Item, ...]
    joints: NDArray[np.str_]
    categories: NDArray[np.int64]
    grades: NDArray[np.int64]
    hands: NDArray[np.str_]

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
        )

    def folds(self, count: int) -> NDArray[np.int64]:
        """Give the fold of every crop by its hand alone, int64 (n,)."""
        return np.array([fold_of(str(hand), folds=count) for hand in self.hands], dtype=np.int64)


def read_graded(folder: Path) -> GradedCrops:
    """Read `JOINT/GRADE/` folders, or crops named after joint and grade.

    Raises:
        TableError: if the folder holds neither, or a crop has a grade that its joint does not have.
    """
    if not folder.is_dir():
        raise TableError(f"graded crops are read from a folder, got {str(folder)!r}; give the one above JOINT/GRADE/")
    if is_crop_folders(folder):
        return GradedCrops.of(read_crops(folder), base=folder)
    if is_named_crops(folder):
        return GradedCrops.of(read_named_crops(folder), base=folder)
    raise TableError(
        f"{str(folder)!r} holds no graded crops; put them into JOINT/GRADE/, such as Radius/9/, or name them as "
        f"Third_Metacarpal_Grade5.png; joints are those of RUS-CHN or {', '.join(CATEGORIES)}"
    )
