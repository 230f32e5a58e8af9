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

__all__ = ["BlindPredictor", "Prediction", "Predictor", "run", "run_both"]


class Predictor(Protocol):
    """What an evaluation needs from a model."""

    def predict(self, row: Study, /) -> Assessment:
        """Assess one film; a `FilmError`, or an assessment with an error, is a refusal."""

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in the model's training."""


class BlindPredictor(Predictor, Protocol):
    """A model that can also be asked without the sex."""

    def predict_both(self, row: Study, /) -> tuple[Assessment, Assessment]:
        """Assess one film as the table has it, and with its sex hidden, reading it once."""


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
        mature: whether the hand was read as mature for the sex as it was told.
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
    rows: Sequence[Study],
    predictor: Predictor,
    *,
    intervals: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prediction]:
    """Predict every film, in the order of the rows.

    Args:
        rows: films.
        predictor: the model.
        intervals: whether its intervals were calibrated; others are left out.
        progress: called after every film with the number of films done and of all films.

    Returns:
        One prediction a row. Only a `FilmError` becomes a refusal; any other exception is a fault and passes through.
    """
    found = _each(rows, predictor, lambda row: [predictor.predict(row)], intervals=intervals, progress=progress)
    return [each[0] for each in found]


def run_both(
    rows: Sequence[Study],
    predictor: BlindPredictor,
    *,
    intervals: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Prediction], list[Prediction]]:
    """Predict every film as the table has it and with its sex hidden, each film read once; arguments as for `run`.

    Returns:
        Predictions with the sex as it is, and with it hidden, in the order of the rows.
    """
    found = _each(rows, predictor, predictor.predict_both, intervals=intervals, progress=progress)
    return [each[0] for each in found], [each[-1] for each in found]


def _each(
    rows: Sequence[Study],
    predictor: Predictor,
    assess: Callable[[Study], Sequence[Assessment]],
    *,
    intervals: bool,
    progress: Callable[[int, int], None] | None,
) -> list[list[Prediction]]:
    """Assess films one after another; a `FilmError` stands for all assessments of its film."""
    found = []
    for number, row in enumerate(rows, start=1):
        seen = predictor.seen(row.path.stem)
        try:
            predictions = [_prediction(row, one, in_training=seen) for one in assess(row)]
        except FilmError as error:
            predictions = [Prediction(id=row.id, refusal=error.code, message=str(error), in_training=seen)]
        found.append(predictions if intervals else [replace(p, low=None, high=None, level=None) for p in predictions])
        if progress is not None:
            progress(number, len(rows))
    return found


def _prediction(row: Study, assessment: Assessment, *, in_training: bool) -> Prediction:
    """Take from an assessment what is compared with a reading."""
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
