"""A network's answers for the films that it never saw, the way assessment would give them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bone_age import TestView, ask, smoothed
from capitate.runtime.calibration import quantile
from capitate.runtime.session import Session
from capitate.training.config import BoneAgeConfig, changed
from capitate.training.export import export_network
from capitate.training.networks import BoneAgeNetwork
from capitate.training.out_of_fold import OutOfFold
from capitate.training.related_runs import load_bone_age_run
from capitate.training.runs import Run
from capitate.training.view_store import SEX_INDEX, ViewSource

__all__ = ["answer", "answer_again", "errors_of", "views_seen"]

_FILMS_AT_ONCE = 16


def answer(network: BoneAgeNetwork, store: ViewSource, rows: NDArray[np.int64], config: BoneAgeConfig) -> OutOfFold:
    """Predict films by the mean over the test views, spread by the configuration's kernel.

    The network answers from the very file that would be released, so that what is calibrated is what ships.

    Args:
        network: that never saw them.
        store: films.
        rows: which of them.
        config: test views, smoothing, and whether surroundings are removed.

    Returns:
        Predictions of those that can be read.

    Raises:
        UsageError: if none can.
    """
    last = config.optimiser.stages[-1]
    size = (last.height, last.width)
    usable: list[NDArray[np.int64]] = []
    given: list[NDArray[np.float32]] = []
    unknown: list[NDArray[np.float32]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_network(network, path, height=size[0], width=size[1])
        session = Session(path, threads=torch.get_num_threads())
        for some in np.array_split(rows, max(1, -(-rows.size // _FILMS_AT_ONCE))):
            part = store.usable(some)
            if not part.size:
                continue
            usable.append(part)
            views, sexes = views_seen(
                store, part, config.test_views, surroundings_removed=config.surroundings_removed, size=size
            )
            for sex, answers in ((sexes, given), (np.full_like(sexes, SEX_INDEX["unknown"]), unknown)):
                answers.append(ask(session, views, sex))
    if not usable:
        raise UsageError(f"none of the {rows.size} held-out films can be read; see `capitate data check`")
    rows, months = np.concatenate(usable), config.smoothing_months
    both = (smoothed(np.concatenate(answers), months) for answers in (given, unknown))
    return OutOfFold(store.ids[rows], store.months[rows], store.sexes[rows], *both)


def views_seen(
    store: ViewSource,
    rows: NDArray[np.int64],
    test_views: Sequence[TestView],
    *,
    surroundings_removed: bool,
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Make every test view of films as assessment does.

    Args:
        store: films.
        rows: which of them.
        test_views: to make of each.
        surroundings_removed: whether everything outside the dilated hand is black.
        size: rows and columns of the views.

    Returns:
        uint8 (n, views, height, width), and the films' sexes, int64 (n,).
    """
    views, masks, _, sexes = store.batch(rows, size=size)
    if surroundings_removed:
        views = torch.where(masks, views, torch.zeros_like(views))
    whole = views[:, 0].round().to(torch.uint8).numpy()
    return np.stack([[one.of(view) for one in test_views] for view in whole]), sexes.numpy()


def answer_again(folder: Path, store: ViewSource, *, changes: Iterable[str] = ()) -> OutOfFold:
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
    """Give the number of films, and mean absolute and root mean square error of the medians in months, and r2."""
    return {
        "films": float(len(films)),
        **_errors(films.given, films.months),
        "mae_sex_unknown": _errors(films.unknown, films.months)["mae"],
    }


def _errors(probabilities: NDArray[np.float32], months: NDArray[np.float32]) -> dict[str, float]:
    """Give the errors for one way of asking; r2 only where ages differ."""
    error = quantile(probabilities, 0.5) - months
    figures = {"mae": float(np.abs(error).mean()), "rmse": float(np.sqrt(np.square(error).mean()))}
    spread = float(np.square(months - months.mean()).sum())
    if spread:
        figures["r2"] = 1 - float(np.square(error).sum()) / spread
    return {name: round(value, 4) for name, value in figures.items()}
