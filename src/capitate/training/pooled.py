"""Figures of a recipe from runs that each held one fold out: the mean over folds, weighted by what each held out."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.runs import Run, read_json

__all__ = ["pooled_figures"]

_PREDICTIONS = "predictions.csv"
_SIGMAS = 1.959964
"""Half of a 95 % interval in standard errors."""


def pooled_figures(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Join the figures that runs of one task measured on the folds they held out.

    A fold's standard error is a quarter of its bootstrap interval's width; folds share no hand, so that the error of
    the weighted mean follows from those of the folds.

    Args:
        folders: finished runs, each of another fold.

    Returns:
        For a bundle's card, `name`, `value`, `low`, `high` and `on`.

    Raises:
        UsageError: if the runs are of different tasks, or two held the same fold out, or one none.
    """
    if not folders:
        return []
    runs = [Run.load(folder) for folder in folders]
    if len({run.task for run in runs}) > 1:
        raise UsageError(f"figures are joined over runs of one task, got {', '.join(sorted({r.task for r in runs}))}")
    folds = [run.fold for run in runs]
    if None in folds or len(set(folds)) < len(folds):
        raise UsageError(f"every run must have held another fold out, got {', '.join(map(str, folds))}")
    measured = [dict(_flat(read_json(run.folder / "metrics.json"))) for run in runs]
    weights = [_held_out(run.folder) for run in runs]
    on = f"{sum(weights)} held out, in {len(runs)} folds"
    names = [name for name in measured[0] if all(name in one for one in measured)]
    return [{"name": name, **_joined([one[name] for one in measured], weights), "on": on} for name in names]


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, float]]]:
    """Give figures with an interval, those of groups behind the group's name."""
    for name, value in figures.items():
        shown = f"{prefix}{name.replace('_', ' ')}"
        if not isinstance(value, Mapping):
            continue
        if "value" not in value:
            yield from _flat(value, f"{shown}: ")
        elif all(value.get(end) is not None for end in ("value", "low", "high")):
            yield shown, value


def _joined(parts: Sequence[Mapping[str, float]], weights: Sequence[int]) -> dict[str, float]:
    total = sum(weights)
    shares = [weight / total for weight in weights]
    value = sum(share * one["value"] for share, one in zip(shares, parts, strict=True))
    errors = [(one["high"] - one["low"]) / (2 * _SIGMAS) for one in parts]
    apart = _SIGMAS * math.sqrt(sum((share * error) ** 2 for share, error in zip(shares, errors, strict=True)))
    return {"value": round(value, 6), "low": round(value - apart, 6), "high": round(value + apart, 6)}


def _held_out(folder: Path) -> int:
    """Count the films, or hands, that a run predicted."""
    path = folder / _PREDICTIONS
    if not path.is_file():
        raise UsageError(f"the run {folder} has predicted nothing; let it end, with --fold")
    with path.open(encoding="utf8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = next((name for name in ("hand", "study", "id") if rows and name in rows[0]), None)
    return len({row[column] for row in rows}) if column else len(rows)
