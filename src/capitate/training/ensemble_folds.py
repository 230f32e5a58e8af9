"""The folds of an ensemble's runs: which belong together, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from capitate.errors import UsageError
from capitate.training.runs import Run

__all__ = ["in_order"]


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
