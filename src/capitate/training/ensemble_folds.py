"""The folds of an ensemble's runs: in which order, and which fold each film was on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from capitate.errors import UsageError
from capitate.runtime.bundle import FOLDS_FILE
from capitate.training.folds import fold_of
from capitate.training.runs import Run

__all__ = ["in_order", "write_folds"]


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Sort runs by fold.

    An ensemble is of all folds, each held out by as many runs (seeds, architectures), or of runs that learnt from
    every film.

    Raises:
        UsageError: if they are something else.
    """
    if len(runs) == 1:
        return list(runs)
    found = Counter(run.fold for run in runs)
    whole = set(found) == {None}
    even = len(set(found.values())) == 1 and len(found) > 1 and set(found) == set(range(len(found)))
    if len({run.folder.resolve() for run in runs}) < len(runs) or not (whole or even):
        raise UsageError(
            f"the runs of an ensemble hold out folds 0 to {int(runs[0].split['folds']) - 1}, as many runs each, or "
            f"learn from every film, and each is given once; got folds {[run.fold for run in runs]}"
        )
    return sorted(runs, key=lambda run: run.fold or 0)


def write_folds(folder: Path, runs: Sequence[Run]) -> None:
    """Keep which fold each film was on, where an ensemble's folds do not follow from the films' ids alone."""
    by_fold = {run.fold: run.training_ids for run in runs if run.fold is not None}
    if len(by_fold) < 2:
        return
    every = frozenset[str]().union(*by_fold.values())
    folds = {film: next((k for k, known in by_fold.items() if film not in known), None) for film in sorted(every)}
    if any(fold != fold_of(film, folds=len(by_fold)) for film, fold in folds.items()):
        lines = [f"{fold} {film}\n" for film, fold in folds.items() if fold is not None]
        (folder / FOLDS_FILE).write_text("".join(lines), encoding="utf8")
