"""Grades of single joints from a bundle: a probability of every grade that the joint's category has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.runtime.film_rule import CropRule
from capitate.runtime.grade_categories import category_of
from capitate.runtime.picture_model import PictureModel
from capitate.types import Box

__all__ = ["GradeAnswer", "JointGrader", "median_grade"]


def median_grade(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Give the least grade up to which half of the probability lies, int64 (n,), of (n, grades).

    It makes the expected number of grades off the mark least.
    """
    below = np.cumsum(probabilities, axis=1, dtype=np.float64)
    grades: NDArray[np.int64] = (below < 0.5 * below[:, -1:]).sum(axis=1).astype(np.int64)
    return grades


@dataclass(frozen=True, eq=False)
class GradeAnswer:
    """What is known about one joint.

    Attributes:
        joint: as it was asked for.
        category: whose grades these are.
        probabilities: float64 (grades + 1,), of grade 0 (not yet visible), 1, 2, ...; sum 1.
    """

    joint: str
    category: str
    probabilities: NDArray[np.float64]

    @property
    def grade(self) -> int:
        """Median grade."""
        return int(median_grade(self.probabilities[None])[0])

    @property
    def confidence(self) -> float:
        """Probability of the median grade."""
        return float(self.probabilities[self.grade])

    @property
    def expected(self) -> float:
        """Mean grade, a fraction."""
        return float(self.probabilities @ np.arange(self.probabilities.size))


class JointGrader(PictureModel):
    """The grading networks of a bundle.

    Attributes:
        categories: number of grades of each category, grade 0 not counted, in the network's order.
        crops: how joints are cut from films.
        interval_widening: factor on the intervals of scores, because errors of one hand's joints go together.
        confirm_below: confidence below which a grade is a suggestion that a reader has to confirm, as the card states
            it; None if it states none.
    """

    task = "joint-grades"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        """Load the networks; arguments and errors as of `PictureModel`."""
        super().__init__(bundle, threads=threads)
        self.categories = {str(name): int(count) for name, count in bundle.card["categories"].items()}
        self.crops = CropRule.from_card(bundle.card)
        self.interval_widening = float(bundle.card.get("interval_widening", 1.0))
        stated = bundle.card.get("confirm_below")
        self.confirm_below = None if stated is None else float(stated)

    def picture(self, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Make the picture of a crop's file, see `CropRule.of_file`."""
        return self.crops.of_file(pixels)

    def cut(self, pixels: NDArray[np.float32], box: Box) -> NDArray[np.uint8]:
        """Cut a joint from a film (rows, columns) by its box, and make its picture, uint8 (height, width)."""
        return self.crops.cut(pixels, box).pixels

    def grade(self, pictures: NDArray[np.uint8], joints: Sequence[str]) -> list[GradeAnswer]:
        """Grade joints.

        Args:
            pictures: uint8 (n, height, width), from `cut` or `picture`.
            joints: n names of joints or of categories.

        Raises:
            UsageError: if a joint belongs to no category, or there are not as many pictures as joints.
        """
        if len(pictures) != len(joints):
            raise UsageError(f"every joint needs its picture, got {len(pictures)} pictures and {len(joints)} joints")
        names, order = [category_of(joint) for joint in joints], list(self.categories)
        strange = [joint for joint, name in zip(joints, names, strict=True) if name not in order]
        if strange:
            raise UsageError(f"no grader for the joint {strange[0]!r}; there are {', '.join(order)}")
        if not joints:
            return []
        codes = np.array([order.index(name) for name in names], dtype=np.int64)
        found = self._mean({"picture": pictures[:, None], "category": codes})
        rows = [row[: self.categories[name] + 1] for row, name in zip(found, names, strict=True)]
        return [GradeAnswer(joint, name, row / row.sum()) for joint, name, row in zip(joints, names, rows, strict=True)]
