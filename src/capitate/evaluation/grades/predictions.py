"""What networks say about graded crops: a table, and how well it agrees with the grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.agreement import grade_agreement
from capitate.evaluation.bootstrap import RESAMPLES, Estimate, clusters_of
from capitate.evaluation.reliability import calibration_figures
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
        grades: true ones, int64 (n,), -1 where nobody graded the joint.
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

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the median grade, (n,)."""
        return self.probabilities[np.arange(self.ids.size), self.predicted]

    def part(self, where: NDArray[np.bool_]) -> GradePredictions:
        """Return the crops where `where` is true."""
        return GradePredictions(*(getattr(self, one.name)[where] for one in fields(self)))

    def save(self, path: Path) -> None:
        """Write a row a crop; see `rows`."""
        write_table(path, self.rows())

    def rows(self) -> list[dict[str, object]]:
        """Give a row a crop: truth, median and mean grade, probability of the median, and of every grade."""
        predicted, confidence = self.predicted, self.confidence
        expected = self.probabilities @ np.arange(MOST_GRADES + 1)
        return [
            {
                "id": self.ids[k],
                "joint": self.joints[k],
                "category": self.categories[k],
                "hand": self.hands[k],
                "grade": int(self.grades[k]),
                "predicted": int(predicted[k]),
                "expected": round(float(expected[k]), 4),
                "confidence": round(float(confidence[k]), 6),
                **{name: round(float(p), 6) for name, p in zip(_COLUMNS, self.probabilities[k], strict=True)},
            }
            for k in range(self.ids.size)
        ]

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

    @property
    def graded(self) -> GradePredictions:
        """The crops that somebody graded; others have the grade -1."""
        return self.part(self.grades >= 0)

    def figures(self) -> dict[str, Any]:
        """Give the figures of `estimates` as plain values over the graded crops, and under `categories`."""
        found = self.graded
        whole: dict[str, Any] = {"n": int(found.ids.size), "hands": len(np.unique(found.hands)), **_plain(found)}
        apart = {}
        for name in CATEGORIES:
            here = found.categories == name
            if here.any():
                apart[name] = {"n": int(here.sum()), **_plain(found.part(here))}
        return {**whole, "categories": apart}

    def estimates(self, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Estimate]:
        """Estimate agreement and calibration, resampled by hand.

        `exact`, `within_one`, `mean_absolute` (grades), `bias` and `kappa`, see
        `capitate.evaluation.agreement.grade_agreement`; `calibration_error` and `brier` of the confidence as the
        probability that the grade is exact, see `capitate.evaluation.reliability.calibration_figures`.
        """
        hands, predicted = clusters_of(self.hands), self.predicted
        found = grade_agreement(self.grades, predicted, hands, resamples=resamples, seed=seed)
        exact = predicted == self.grades
        return found | calibration_figures(self.confidence, exact, hands, resamples=resamples, seed=seed)


def _plain(predictions: GradePredictions) -> dict[str, Any]:
    return {name: estimate.to_json() for name, estimate in predictions.estimates().items()}
