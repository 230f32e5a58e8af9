"""A network's answers for the films that it never saw, the way assessment would give them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bone_age import smoothed
from capitate.runtime.calibration import quantile
from capitate.training.beginning import load_bone_age_run
from capitate.training.config import BoneAgeConfig, changed
from capitate.training.loop import predict
from capitate.training.networks import BoneAgeNetwork
from capitate.training.out_of_fold import OutOfFold
from capitate.training.runs import Run
from capitate.training.view_store import SEX_INDEX, ViewStore

__all__ = ["answer", "answer_again", "errors_of"]


def answer(network: BoneAgeNetwork, store: ViewStore, rows: NDArray[np.int64], config: BoneAgeConfig) -> OutOfFold:
    """Predict films by the mean over the test views, spread by the configuration's kernel.

    Args:
        network: that never saw them.
        store: films.
        rows: which of them.
        config: test views, smoothing, and whether surroundings are removed.
    """
    last = config.optimiser.stages[-1]
    given, unknown = (
        predict(
            network,
            store,
            rows,
            sex=sex,
            test_views=config.test_views,
            surroundings_removed=config.surroundings_removed,
            size=(last.height, last.width),
        )
        for sex in (None, SEX_INDEX["unknown"])
    )
    months = config.smoothing_months
    return OutOfFold(
        store.ids[rows], store.months[rows], store.sexes[rows], smoothed(given, months), smoothed(unknown, months)
    )


def answer_again(folder: Path, store: ViewStore, *, changes: Iterable[str] = ()) -> OutOfFold:
    """Predict the held-out fold of a finished run anew: on another store, or by other test views.

    Args:
        folder: the run's.
        store: films, in which the run's held-out films are found by id.
        changes: `a.b=value` of the run's configuration, such as `test_views=[[0, 0, false]]`.

    Raises:
        UsageError: if the run held out no fold, or a film that it learnt from would be predicted.
    """
    run = Run.load(folder)
    network, config = load_bone_age_run(run)
    if run.fold is None:
        raise UsageError(
            f"the run {folder} learnt from every film and can predict none honestly; give runs with a fold"
        )
    rows = np.flatnonzero(store.folds(int(run.split["folds"])) == run.fold)
    known = run.training_ids.intersection(store.ids[rows].tolist())
    if rows.size == 0 or known:
        found = f"{len(known)} films that it learnt from, such as {min(known)!r}" if known else "none of its films"
        raise UsageError(f"the store holds {found} in fold {run.fold} of the run {folder}; give its own films")
    return answer(network, store, rows, changed(config, changes))


def errors_of(films: OutOfFold) -> dict[str, float]:
    """Give the number of films and the mean absolute errors of the medians in months, sex given and hidden."""
    return {
        "films": float(len(films)),
        "mae": _error(films.given, films.months),
        "mae_sex_unknown": _error(films.unknown, films.months),
    }


def _error(probabilities: NDArray[np.float32], months: NDArray[np.float32]) -> float:
    return round(float(np.abs(quantile(probabilities, 0.5) - months).mean()), 4)
