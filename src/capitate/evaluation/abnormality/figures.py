"""Figures of a screen over studies: the headline, regions, what looks strange to it, and what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capitate.errors import UsageError
from capitate.evaluation.abnormality.predictions import StudyPredictions
from capitate.evaluation.abnormality.studies import JudgedStudy, predictions_of

__all__ = ["FIGURES", "ScreenEvaluation", "evaluate_screen"]

FIGURES = ("auc", "sensitivity", "specificity", "precision", "called", "calibration_error", "brier")
"""Names of the figures of a group, in the order of reports; see `StudyPredictions.figures`."""


@dataclass(frozen=True, eq=False)
class ScreenEvaluation:
    """Everything an evaluation found.

    Attributes:
        overall: figures of the headline by name, each `value`, `low` and `high`: studies not seen in training.
        groups: the same by `region=WRIST`, `familiar=no`, `in_training`.
        predictions: of the headline.
        judged: every study.
    """

    overall: dict[str, Any]
    groups: dict[str, dict[str, Any]]
    predictions: StudyPredictions
    judged: tuple[JudgedStudy, ...]

    @property
    def refused(self) -> tuple[JudgedStudy, ...]:
        """Studies without an answer."""
        return tuple(one for one in self.judged if one.screened.error is not None)

    @property
    def unlabelled(self) -> int:
        """Studies that were judged and that nobody has read."""
        return sum(one.known.label is None and one.screened.error is None for one in self.judged)

    @property
    def seen(self) -> int:
        """Studies seen in training."""
        return sum(one.in_training for one in self.judged)

    def to_json(self) -> dict[str, Any]:
        """Return the headline's figures by name, and those of the groups under `groups`."""
        return {**self.overall, "groups": self.groups}


def evaluate_screen(judged: Sequence[JudgedStudy]) -> ScreenEvaluation:
    """Compare answers with readings; intervals resample patients or sources, 2,000 times.

    A region without negatives is compared with the negatives of all; `own_negatives` is then 0.

    Raises:
        UsageError: if no study has a reading.
    """
    if all(one.known.label is None for one in judged):
        raise UsageError(
            f"none of {len(judged)} studies has a reading to compare with; fill the column abnormal with 1 and 0"
        )
    main = [one for one in judged if not one.in_training]
    predictions = predictions_of(main)
    values = predictions.figures()
    regions: Mapping[str, Any] = values.pop("regions", {})
    groups = {f"region={name}": _plain(told) for name, told in regions.items()}
    for name, wanted in (("no", False), ("yes", True)):
        some = [one for one in main if one.screened.familiar is wanted]
        if some:
            groups[f"familiar={name}"] = _figures(some)
    if any(one.in_training for one in judged):
        groups["in_training"] = _figures([one for one in judged if one.in_training])
    refused = sum(one.screened.error is not None for one in main)
    return ScreenEvaluation(_plain(values | {"refused": refused}), groups, predictions, tuple(judged))


def _figures(some: Sequence[JudgedStudy]) -> dict[str, Any]:
    values = predictions_of(some).figures()
    values.pop("regions", None)
    return _plain(values)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give counts the form of figures, without an interval; `clusters` are the patients or sources they come from."""
    return {
        "clusters" if name == "groups" else name: value
        if isinstance(value, Mapping)
        else {"value": value, "low": None, "high": None}
        for name, value in values.items()
    }
