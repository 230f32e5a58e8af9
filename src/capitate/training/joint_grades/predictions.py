"""What networks say about crops that they never saw: a table, and how well it agrees with the grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.agreement import grade_agreement
from capitate.evaluation.bootstrap import clusters_of
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.runtime.joint_grades import median_grade
from capitate.training.pictures.predicted import mean_of, names_of, predicted_rows
from capitate.training.runs import write_table

__all__ = ["PREDICTIONS", "GradePredictions"]

PREDICTIONS = "predictions.csv"
_COLUMNS = tuple(f"p{k}" for k in range(MOST_GRADES + 1))


@dataclass(frozen=True, eq=False)
class GradePredictions:
    """Predictions of crops, one element a crop in every array.

    Attributes:
        ids: of the crops.
        joints: as the data name them.
        categories: names.
        hands: that they come from.
        grades: true ones, int64 (n,).
        probabilities: float64 (n, 15).
    """

    ids: NDArray[np.str_]
    joints: NDArray[np.str_]
    categories: NDArray[np.str_]
    hands: NDArray[np.str_]
    grades: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Median grades, int64 (n,)."""
        return median_grade(self.probabilities)

    def save(self, path: Path) -> None:
        """Write a row a crop: truth, median and mean grade, probability of the median, and of every grade."""
        predicted, expected = self.predicted, self.probabilities @ np.arange(MOST_GRADES + 1)
        lines = [
            {
                "id": self.ids[k],
                "joint": self.joints[k],
                "category": self.categories[k],
                "hand": self.hands[k],
                "grade": int(self.grades[k]),
                "predicted": int(predicted[k]),
                "expected": round(float(expected[k]), 4),
                "confidence": round(float(self.probabilities[k, predicted[k]]), 6),
                **{name: round(float(p), 6) for name, p in zip(_COLUMNS, self.probabilities[k], strict=True)},
            }
            for k in range(self.ids.size)
        ]
        write_table(path, lines)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> GradePredictions:
        """Read what runs predicted; a crop that several predicted is averaged by its id.

        Raises:
            UsageError: if a file is missing or no such table.
        """
        rows = predicted_rows(paths, key="id", columns=("grade", *_COLUMNS), of="grades")
        ids, joints, categories, hands = (names_of(rows, name) for name in ("id", "joint", "category", "hand"))
        found = np.stack([mean_of(rows, name) for name in _COLUMNS], axis=1)
        return cls(ids, joints, categories, hands, names_of(rows, "grade").astype(np.int64), found)

    def figures(self) -> dict[str, Any]:
        """Give `exact`, `within_one`, `mean_absolute`, `bias` and `kappa`, over all and under `categories`."""
        whole: dict[str, Any] = {"n": int(self.ids.size), "hands": len(np.unique(self.hands)), **self._of(slice(None))}
        apart = {}
        for name in CATEGORIES:
            here = self.categories == name
            if here.any():
                apart[name] = {"n": int(here.sum()), **self._of(here)}
        return {**whole, "categories": apart}

    def _of(self, where: slice | NDArray[np.bool_]) -> dict[str, Any]:
        found = grade_agreement(self.grades[where], self.predicted[where], clusters_of(self.hands[where]))
        return {name: estimate.to_json() for name, estimate in found.items()}
