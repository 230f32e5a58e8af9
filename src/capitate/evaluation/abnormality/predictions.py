"""What networks say about studies: a table, curves, and figures by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import clusters_of
from capitate.evaluation.reliability import calibration_curve, calibration_figures
from capitate.evaluation.roc import at_threshold, auc_interval, roc_curve
from capitate.runtime.logistic import LogisticCalibration
from capitate.training.abnormality.films import ScreenFilms
from capitate.training.pictures.predicted import mean_of, names_of, predicted_rows
from capitate.training.runs import write_table

__all__ = ["CURVES", "PREDICTIONS", "StudyPredictions"]

PREDICTIONS = "predictions.csv"
CURVES = "curves.json"
_COLUMNS = ("study_id", "group", "region", "films", "abnormal", "probability", "threshold")


@dataclass(frozen=True, eq=False)
class StudyPredictions:
    """Predictions of studies, one element a study in every array.

    Attributes:
        studies: their ids.
        groups: patient, source or the study itself, by which intervals are resampled.
        regions: empty where the table has none.
        films: int64 (n,), that could be read.
        labels: bool (n,).
        probabilities: float64 (n,), mean over the films.
        thresholds: float64 (n,), of the network that predicted each.
    """

    studies: NDArray[np.str_]
    groups: NDArray[np.str_]
    regions: NDArray[np.str_]
    films: NDArray[np.int64]
    labels: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    @classmethod
    def of_films(
        cls,
        films: ScreenFilms,
        rows: NDArray[np.int64],
        probabilities: NDArray[np.float64],
        *,
        threshold: float = float("nan"),
    ) -> StudyPredictions:
        """Average films over their studies.

        Args:
            films: all of them.
            rows: labelled ones that were predicted.
            probabilities: of these.
            threshold: of the network.
        """
        names, first, study = np.unique(films.studies[rows], return_index=True, return_inverse=True)
        counts = np.bincount(study)
        at = rows[first]
        return cls(
            names,
            films.groups[at],
            films.regions[at],
            counts.astype(np.int64),
            films.labels[at] > 0.5,
            np.bincount(study, probabilities) / counts,
            np.full(names.size, threshold),
        )

    def part(self, where: NDArray[np.bool_]) -> StudyPredictions:
        """Return the studies where `where` is true."""
        return StudyPredictions(*(getattr(self, one.name)[where] for one in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[StudyPredictions]) -> StudyPredictions:
        """Put studies of several folds one after the other."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def calibrated(self, calibration: LogisticCalibration) -> StudyPredictions:
        """Calibrate probabilities and thresholds; no study passes another."""
        return replace(self, probabilities=calibration(self.probabilities), thresholds=calibration(self.thresholds))

    def save(self, path: Path) -> None:
        """Write a row a study."""
        columns = (self.studies, self.groups, self.regions, self.films, self.labels.astype(int))
        numbers = (np.round(self.probabilities, 6), np.round(self.thresholds, 6))
        rows = zip(*(column.tolist() for column in (*columns, *numbers)), strict=True)
        write_table(path, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])

    @classmethod
    def load(cls, paths: Sequence[Path]) -> StudyPredictions:
        """Read what runs predicted; a study that several predicted is averaged by its id.

        Raises:
            UsageError: if a file is missing or no such table.
        """
        rows = predicted_rows(paths, key="study_id", columns=_COLUMNS, of="studies")
        studies, groups, regions = (names_of(rows, name) for name in ("study_id", "group", "region"))
        return cls(
            studies,
            groups,
            regions,
            names_of(rows, "films").astype(np.int64),
            names_of(rows, "abnormal") == "1",
            mean_of(rows, "probability"),
            mean_of(rows, "threshold"),
        )

    def figures(self) -> dict[str, Any]:
        """Give `auc`, `sensitivity`, `specificity`, `precision`, `called`, `calibration_error` and `brier`.

        Under `regions` stand those of each region: its abnormal studies against its own others, or against all others
        where it has none of its own (`own_negatives` is then 0).
        """
        cluster = clusters_of(self.groups)
        found = calibration_figures(self.probabilities, self.labels, cluster)
        calibration = {name: estimate.to_json() for name, estimate in found.items()}
        whole = {**self._told(np.ones(self.labels.size, dtype=bool)), **calibration}
        apart = {}
        for region in np.unique(self.regions[self.labels]).tolist():
            mine = self.regions == region
            own = int((mine & ~self.labels).sum())
            where = mine | (~self.labels if not own else np.zeros_like(mine))
            apart[region or "not stated"] = {**self._told(where), "own_negatives": own}
        return {**whole, **({"regions": apart} if len(apart) > 1 else {})}

    def _told(self, where: NDArray[np.bool_]) -> dict[str, Any]:
        """Give the figures of some studies; those of a threshold only where every study has one."""
        scores, labels = self.probabilities[where], self.labels[where]
        cluster = clusters_of(self.groups[where])
        counts = {"n": int(where.sum()), "positives": int(labels.sum()), "groups": len(np.unique(cluster))}
        area = {"auc": auc_interval(scores, labels, cluster).to_json()}
        above = scores - self.thresholds[where]
        if not np.isfinite(above).all():
            return {**counts, **area}
        rates = at_threshold(above, labels, cluster, threshold=0.0)
        return {**counts, **area, **{name: estimate.to_json() for name, estimate in rates.items()}}

    def curves(self) -> dict[str, Any]:
        """Give the points of the ROC and of the calibration curve; no ROC where labels of one kind are missing."""
        roc: dict[str, Any] = {}
        if self.labels.any() and not self.labels.all():
            curve = roc_curve(self.probabilities, self.labels)
            roc = {name: np.round(getattr(curve, name), 6).tolist() for name in ("sensitivity", "specificity")}
            roc["thresholds"] = [1.0, *np.round(curve.thresholds[1:], 6).tolist()]
        return {"roc": roc, "calibration": calibration_curve(self.probabilities, self.labels)}
