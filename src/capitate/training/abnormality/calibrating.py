"""The calibration of a screen's bundle, and the studies that show what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.evaluation.abnormality.predictions import PREDICTIONS, StudyPredictions
from capitate.evaluation.logistic_fit import fit_logistic
from capitate.runtime.logistic import LogisticCalibration
from capitate.training.abnormality.task import THRESHOLD
from capitate.training.runs import Run, read_json

__all__ = ["ScreenCalibration", "calibrate"]


@dataclass(frozen=True, eq=False)
class ScreenCalibration:
    """How a bundle's probabilities are calibrated.

    Attributes:
        calibration: of the bundle.
        on: what it was fitted to.
        by_fold: for each fold, one fitted without that fold.
        held_out: studies that runs held out, each calibrated by what never saw its fold; None if there are none.
    """

    calibration: LogisticCalibration
    on: str
    by_fold: Mapping[int, LogisticCalibration] = field(default_factory=dict)
    held_out: StudyPredictions | None = None

    def to_card(self) -> dict[str, Any]:
        """Give the numbers for a card."""
        folds = {str(fold): one.to_card() for fold, one in self.by_fold.items()}
        return {**self.calibration.to_card(), "on": self.on, **({"by_fold": folds} if folds else {})}


def calibrate(runs: Sequence[Run], others: Sequence[Run] = ()) -> ScreenCalibration:
    """Calibrate the bundle of some runs.

    With several folds held out, the calibration is fitted to all of their studies, and what it is worth is measured on
    each fold by one that was fitted to the others. With one fold, the studies kept back inside the training folds fit
    it and the fold measures it. With none, the studies kept back are all there is.

    Args:
        runs: of the bundle.
        others: runs of the same recipe that each held a fold out, for runs that held none out.

    Raises:
        UsageError: if one of the others held no fold out, or is of another task.
    """
    wrong = [run.folder for run in others if run.fold is None or run.task != "abnormality"]
    if wrong:
        raise UsageError(f"--held-out takes runs of the screen that held a fold out, got {wrong[0]}; give those")
    folds = _held_out(others or runs)
    if not folds:
        return ScreenCalibration(_kept_back(runs), "studies kept back inside the training folds")
    if len(folds) == 1:
        calibration = _kept_back(others or runs)
        held_out = next(iter(folds.values())).calibrated(calibration)
        return ScreenCalibration(calibration, "studies kept back inside the training folds", held_out=held_out)
    every = StudyPredictions.joined(list(folds.values()))
    apart = {fold: _without(folds, fold) for fold in folds}
    held_out = StudyPredictions.joined([found.calibrated(apart[fold]) for fold, found in folds.items()])
    on = f"{every.labels.size} studies, each held out by one of {len(folds)} networks"
    return ScreenCalibration(_fit(every), on, apart, held_out)


def _held_out(runs: Sequence[Run]) -> dict[int, StudyPredictions]:
    """Read what runs said about the folds that they held out; several runs of one fold are averaged by study."""
    paths: dict[int, list[Path]] = {}
    for run in runs:
        path = run.folder / PREDICTIONS
        if run.fold is not None and path.exists():
            paths.setdefault(run.fold, []).append(path)
    return {fold: StudyPredictions.load(some) for fold, some in sorted(paths.items())}


def _without(folds: Mapping[int, StudyPredictions], fold: int) -> LogisticCalibration:
    return _fit(StudyPredictions.joined([found for k, found in folds.items() if k != fold]))


def _fit(found: StudyPredictions) -> LogisticCalibration:
    """Fit; probabilities stay as they are where labels of one kind are missing."""
    return fit_logistic(found.probabilities, found.labels) or LogisticCalibration()


def _kept_back(runs: Sequence[Run]) -> LogisticCalibration:
    """Average what each run fitted to the studies that it kept back."""
    told = [LogisticCalibration.from_card(read_json(run.folder / THRESHOLD).get("calibration")) for run in runs]
    count = len(told)
    return LogisticCalibration(sum(one.slope for one in told) / count, sum(one.intercept for one in told) / count)
