"""From films to predictions, in order, with refusals kept as results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from capitate.assessment import Assessment, BoneAge, Distribution, ModelReference
from capitate.errors import FilmError
from capitate.runtime.calibration import quantile
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["Prediction", "Predictor", "hide_sex", "run"]


class Predictor(Protocol):
    """What an evaluation needs from a model."""

    def predict(self, row: Study, /) -> Assessment:
        """Assess one film; a `FilmError`, or an assessment with an error, is a refusal."""

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in the model's training."""


@dataclass(frozen=True)
class Prediction:
    """What came of one film.

    Attributes:
        id: of the `Study`.
        months: predicted bone age, of a mature hand too (where reports give a lower bound); None if refused.
        low: lower end of the prediction interval, months, or None.
        high: upper end, months, or None.
        level: nominal coverage of the interval as a fraction, or None.
        distribution: the predicted distribution, or None.
        mature: whether the hand was read as mature.
        refusal: error code of a refused film, or None.
        message: why, one sentence.
        in_training: whether the model was trained on this film.
        models: which weights answered.
    """

    id: str
    months: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    distribution: Distribution | None = None
    mature: bool = False
    refusal: str | None = None
    message: str | None = None
    in_training: bool = False
    models: tuple[ModelReference, ...] = ()


def run(
    rows: Sequence[Study], predictor: Predictor, *, progress: Callable[[int, int], None] | None = None
) -> list[Prediction]:
    """Predict every film, in the order of the rows.

    Args:
        rows: films.
        predictor: the model.
        progress: called after every film with the number of films done and of all films.

    Returns:
        One prediction a row. Only a `FilmError` becomes a refusal; any other exception is a fault and passes through.
    """
    predictions = []
    for number, row in enumerate(rows, start=1):
        predictions.append(_predict(row, predictor))
        if progress is not None:
            progress(number, len(rows))
    return predictions


def hide_sex(rows: Sequence[Study]) -> list[Study]:
    """Return the films with the sex stated as unknown, to measure what not knowing it costs."""
    return [replace(row, sex=Sex.UNKNOWN, sex_stated=True) for row in rows]


def _predict(row: Study, predictor: Predictor) -> Prediction:
    in_training = predictor.seen(row.path.stem)
    try:
        assessment = predictor.predict(row)
    except FilmError as error:
        return Prediction(id=row.id, refusal=error.code, message=str(error), in_training=in_training)
    if assessment.error is not None:
        refusal = assessment.error
        return Prediction(id=row.id, refusal=refusal.code, message=refusal.message, in_training=in_training)
    age = assessment.bone_age
    if age is None:
        message = "The film was accepted, but no bone age was assessed."
        return Prediction(id=row.id, refusal="no_bone_age", message=message, in_training=in_training)
    return Prediction(
        id=row.id,
        months=_point(age),
        low=age.interval.low,
        high=age.interval.high,
        level=age.interval.level,
        distribution=age.distribution,
        mature=age.mature,
        in_training=in_training,
        models=assessment.models,
    )


def _point(age: BoneAge) -> float:
    """Give the age to compare with a reading: the median where the report only has a lower bound."""
    if not age.mature:
        return age.months
    distribution = age.distribution
    median = float(quantile(np.array([distribution.probabilities]), 0.5)[0])
    return distribution.start_months + distribution.step_months * median
