"""Two runs over the same films, joined by id: how much one errs more than the other."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError
from capitate.evaluation.metrics import Estimate, Sample, estimate
from capitate.evaluation.prediction import Prediction
from capitate.training.manifest import Study

__all__ = ["Paired", "compare", "difference", "read_predictions"]


@dataclass(frozen=True)
class Paired:
    """Errors of two runs on the films that both assessed, months.

    Attributes:
        n: films in both.
        here: mean absolute error of this run.
        there: mean absolute error of the other.
        difference: here minus there, with its bootstrap 95 % interval over films.
        moved: median distance of the two predictions of one film.
    """

    n: int
    here: float
    there: float
    difference: Estimate
    moved: float


def read_predictions(path: Path) -> dict[str, float]:
    """Read predicted months by film id from a `predictions.csv`; refused films are left out.

    Raises:
        TableError: if the file cannot be read or lacks the columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"cannot read predictions from {path}: {error}") from error
    if not rows or not {"id", "predicted_months"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "no rows"
        raise TableError(f"{path} must have the columns id and predicted_months, got {found}; give a predictions.csv")
    try:
        return {row["id"]: float(row["predicted_months"]) for row in rows if row["predicted_months"]}
    except ValueError as error:
        raise TableError(f"{path} has a predicted age that is not a number: {error}") from error


def difference(here: NDArray[np.float64], there: NDArray[np.float64], *, seed: int = 0) -> Estimate:
    """Give the mean of paired differences with its bootstrap 95 % interval over films.

    Args:
        here: (n,), such as absolute errors of one run in months.
        there: (n,), of the other run on the same films.
        seed: of the bootstrap.
    """
    return estimate(Sample.of(there, here), seed=seed)["bias"]


def compare(
    studies: Sequence[Study], predictions: Sequence[Prediction], other: Mapping[str, float], *, seed: int = 0
) -> Paired:
    """Compare this run with another on the films that stand in both.

    Args:
        studies: films with their reference.
        predictions: this run's.
        other: predicted months of the other run, by id.
        seed: of the bootstrap.

    Raises:
        TableError: if no film stands in both.
    """
    truth = {study.id: study.bone_age_months for study in studies}
    rows = [
        (p.months, other[p.id], truth[p.id])
        for p in predictions
        if p.months is not None and p.id in other and truth.get(p.id) is not None
    ]
    if not rows:
        raise TableError(f"none of {len(predictions)} films stands in the other run's {len(other)} predictions")
    here, there, reference = np.array(rows, dtype=np.float64).T
    error, other_error = np.abs(here - reference), np.abs(there - reference)
    gap = difference(error, other_error, seed=seed)
    return Paired(
        n=len(rows),
        here=float(error.mean()),
        there=float(other_error.mean()),
        difference=gap,
        moved=float(np.median(np.abs(here - there))),
    )
