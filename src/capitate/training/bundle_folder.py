"""What a bundle is made with, and the folder that becomes one only when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.runtime.bundle import FOLDS_FILE
from capitate.training.card_about import About
from capitate.training.folds import fold_of
from capitate.training.int8_measured import MEASURED_ON
from capitate.training.runs import Run

__all__ = ["BundleOptions", "fresh_bundle", "write_folds"]


@dataclass(frozen=True)
class BundleOptions:
    """What a bundle says beyond what its runs know, and what is measured when it is made.

    Attributes:
        name: of the bundle; the experiment's if None.
        version: of the weights.
        calibration: file of `capitate calibrate --out`; from the runs' own out-of-fold predictions if None.
        figures: further figures for the card, each with `name`, `value`, `low`, `high`, `unit`, `on`, `command`.
        notes: further entries of the card's `training`.
        changes: `a.b=value` of the runs' configuration: other test views, another smoothing.
        shares: name of a released bundle, or folder of one beside this, that has the same networks already; this one
            then holds a card alone.
        about: what the maker says in the card.
        data: store of views that the runs were trained on.
        agreement: store of views or table of films to compare files with torch on; `data` if None, else drawn hands.
        films: how many films of it at most.
        limit: largest difference that passes, months (of a locator, hand lengths); the task's own if None.
        held_out: runs of the same recipe that each held a fold out, by which a grader says how sure it is.
        int8: whether to write twins in 8-bit integers; needs `data`.
        int8_films: how many films for each network to measure them on.
        maps: of a bundle that is copied, whether its networks' files are made to explain their answers.
    """

    name: str | None = None
    version: str = "1"
    calibration: Path | None = None
    figures: Sequence[Mapping[str, Any]] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[str] = ()
    shares: str | None = None
    about: About | None = None
    data: Path | None = None
    agreement: Path | None = None
    films: int = 60
    limit: float | None = None
    held_out: Sequence[Path] = ()
    int8: bool = False
    int8_films: int = MEASURED_ON
    maps: bool = False


@contextmanager
def fresh_bundle(out: Path) -> Iterator[Path]:
    """Give a new folder that takes the place of a bundle once it is complete.

    Args:
        out: the bundle's folder.

    Raises:
        UsageError: if something else than a bundle lies there.
    """
    if out.exists() and any(out.iterdir()) and not (out / "SHA256SUMS").exists():
        raise UsageError(f"{out} holds something else than a bundle; choose another --out")
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_folds(folder: Path, runs: Sequence[Run]) -> None:
    """Keep which fold each film was on, where the folds of several runs do not follow from the films' ids alone."""
    by_fold = {run.fold: run.training_ids for run in runs if run.fold is not None}
    if len(by_fold) < 2:
        return
    every = frozenset[str]().union(*by_fold.values())
    folds = {film: next((k for k, known in by_fold.items() if film not in known), None) for film in sorted(every)}
    if any(fold != fold_of(film, folds=len(by_fold)) for film, fold in folds.items()):
        lines = [f"{fold} {film}\n" for film, fold in folds.items() if fold is not None]
        (folder / FOLDS_FILE).write_text("".join(lines), encoding="utf8")
