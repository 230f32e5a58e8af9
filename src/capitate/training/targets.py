"""What a network learns from: the scale of its ages, and films of which sex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.settings.network import TrainedOn

__all__ = ["TargetStatistics", "rows_learnt_from", "trained_on_text"]

_SEX_CODE = {TrainedOn.FEMALE: 0, TrainedOn.MALE: 1}


@dataclass(frozen=True)
class TargetStatistics:
    """Bone ages of the training films: what z-scores and min-max targets are made with, and where months begin.

    Attributes:
        mean: months; without films the middle of the 240 that a distribution has.
        sd: months, of the sample.
        low: least age, months.
        high: greatest age, months.
    """

    mean: float = 120.0
    sd: float = 40.0
    low: float = 0.0
    high: float = 240.0

    @classmethod
    def of(cls, months: NDArray[np.floating]) -> TargetStatistics:
        """Take the statistics of training films, and of no others.

        Args:
            months: (n,) bone ages.

        Raises:
            UsageError: if there are not two different ages, or one is no number.
        """
        ages = np.asarray(months, dtype=np.float64)
        if not np.isfinite(ages).all():
            raise UsageError(f"a bone age of the training films is no number, got {ages[~np.isfinite(ages)][0]}")
        if ages.size == 0 or ages.min() == ages.max():
            raise UsageError(
                f"targets need training films of two bone ages or more, got {ages.size} films"
                f"{f' of {ages[0]:g} months' if ages.size else ''}; give more films"
            )
        return cls(float(ages.mean()), float(ages.std(ddof=1)), float(ages.min()), float(ages.max()))


def rows_learnt_from(rows: NDArray[np.int64], sexes: NDArray[np.int64], *, trained_on: str) -> NDArray[np.int64]:
    """Leave out the films that a network of one sex does not learn from, those of unknown sex included.

    Args:
        rows: of a store.
        sexes: (films of the store,): 0 female, 1 male, 2 unknown.
        trained_on: `both`, `female` or `male`.

    Raises:
        UsageError: if no film is left.
    """
    if trained_on == TrainedOn.BOTH:
        return rows
    kept: NDArray[np.int64] = rows[sexes[rows] == _SEX_CODE[TrainedOn(trained_on)]]
    if kept.size == 0:
        raise UsageError(
            f"network.trained_on = {trained_on!r} leaves none of {rows.size} films; give films of that sex"
        )
    return kept


def trained_on_text(trained_on: str) -> str:
    """Say for which films a network may be used, a sentence for its card; empty for both sexes."""
    if trained_on == TrainedOn.BOTH:
        return ""
    names = {TrainedOn.FEMALE: ("girls", "boys"), TrainedOn.MALE: ("boys", "girls")}
    ours, others = names[TrainedOn(trained_on)]
    return f"Trained on films of {ours} alone; its answers for {others} and where the sex is unknown mean nothing."
