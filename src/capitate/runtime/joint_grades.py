"""Grades of single joints from a bundle: a probability of every grade that the joint's category has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.integrated import contributions
from capitate.explain.placing import PlacedCells, spread
from capitate.explain.readings import expected_grade
from capitate.runtime.bundle import Bundle
from capitate.runtime.film_rule import CropRule, Fitted
from capitate.runtime.grade_categories import category_of
from capitate.runtime.picture_model import PictureModel
from capitate.types import Box

__all__ = ["GradeAnswer", "JointGrader", "median_grade"]

_MAP_TOLERANCE_GRADES = 0.005
"""By how much the parts of a map may miss the expected grade minus its base; half of the last digit that is shown."""
_CROP_SIDE = 24
"""Cells of a crop's map: a crop has four to eight feature cells along a side."""


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
        names, codes = self._categories(joints, pictures=len(pictures))
        if not joints:
            return []
        return self._answers(self._mean({"picture": pictures[:, None], "category": codes}), joints, names)

    def explained(
        self, pixels: NDArray[np.float32], boxes: Sequence[Box], joints: Sequence[str]
    ) -> tuple[list[GradeAnswer], list[ActivationMap]]:
        """Grade joints of a film, and in the same pass map what each expected grade rests on.

        Args:
            pixels: float32 (rows, columns), the film.
            boxes: n, film pixels.
            joints: n names of joints or of categories.

        Returns:
            What `grade` gives, and for each joint a map of its crop, with the crop's box.

        Raises:
            UsageError: as of `grade`.
            NoMapError: if the bundle's networks carry no feature maps, or the parts do not sum up.
        """
        names, codes = self._categories(joints, pictures=len(boxes))
        if not joints:
            return [], []
        crops = [self.crops.cut(pixels, box) for box in boxes]
        pictures = np.stack([crop.pixels for crop in crops])
        mean, features = self._mean_and_features({"picture": pictures[:, None], "category": codes})
        answers = self._answers(mean, joints, names)
        maps = []
        for place, (answer, crop) in enumerate(zip(answers, crops, strict=True)):
            one = [found[place : place + 1] for found in features]
            maps.append(self._map(one, int(codes[place]), answer, crop))
        return answers, maps

    def _map(
        self, features: Sequence[NDArray[np.float32]], code: int, answer: GradeAnswer, crop: Fitted
    ) -> ActivationMap:
        """Share one joint's expected grade out among the cells of its crop."""
        seen = [network.seen(one, code=code) for network, one in zip(self._explained, features, strict=True)]
        reading = expected_grade(grades=self.categories[answer.category])
        found = contributions(seen, reading, tolerance=_MAP_TOLERANCE_GRADES)
        height, width = crop.pixels.shape
        placed = [PlacedCells(one[0], (height, width), np.eye(3)[:2]) for one in found.cells]
        (x, y), (right, bottom) = crop.to_film(np.array([[0.0, 0.0], [width, height]])).tolist()
        return ActivationMap(
            model=self.bundle.name,
            quantity="grade",
            unit="grades",
            values=spread(placed, (height, width), long_side=_CROP_SIDE),
            base=found.base,
            answer=answer.expected,
            box=Box(x, y, right - x, bottom - y),
        )

    def _categories(self, joints: Sequence[str], *, pictures: int) -> tuple[list[str], NDArray[np.int64]]:
        """Name the category of each joint, and its place in the network's order."""
        if pictures != len(joints):
            raise UsageError(f"every joint needs its picture, got {pictures} pictures and {len(joints)} joints")
        names, order = [category_of(joint) for joint in joints], list(self.categories)
        strange = [joint for joint, name in zip(joints, names, strict=True) if name not in order]
        if strange:
            raise UsageError(f"no grader for the joint {strange[0]!r}; there are {', '.join(order)}")
        return names, np.array([order.index(name) for name in names], dtype=np.int64)

    def _answers(self, found: NDArray[np.float64], joints: Sequence[str], names: Sequence[str]) -> list[GradeAnswer]:
        """Keep each row's own grades."""
        rows = [row[: self.categories[name] + 1] for row, name in zip(found, names, strict=True)]
        return [GradeAnswer(joint, name, row / row.sum()) for joint, name, row in zip(joints, names, rows, strict=True)]
