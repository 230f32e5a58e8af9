"""Predictions that several runs wrote, brought together by id."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError

__all__ = ["mean_of", "names_of", "predicted_rows"]

Row = dict[str, str]


def predicted_rows(paths: Sequence[Path], *, key: str, columns: Collection[str], of: str) -> list[list[Row]]:
    """Read tables of predictions, the rows of one id together, in the order in which ids come first.

    Args:
        paths: one a run.
        key: column of the id.
        columns: that each table must have.
        of: what was predicted, for errors.

    Raises:
        UsageError: if a file is missing or has other columns.
    """
    rows: dict[str, list[Row]] = {}
    for path in paths:
        for row in _read(path, {key, *columns}, of):
            rows.setdefault(row[key], []).append(row)
    return list(rows.values())


def names_of(rows: Sequence[Sequence[Row]], column: str) -> NDArray[np.str_]:
    """Give what the first row of each id says, (ids,)."""
    return np.array([several[0][column] for several in rows], dtype=np.str_)


def mean_of(rows: Sequence[Sequence[Row]], column: str) -> NDArray[np.float64]:
    """Average a number over the rows of each id, float64 (ids,)."""
    return np.array([np.mean([float(row[column]) for row in several]) for several in rows], dtype=np.float64)


def _read(path: Path, columns: set[str], of: str) -> list[Row]:
    try:
        with path.open(encoding="utf8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; finish the run with a fold held out") from error
    if rows and not columns <= rows[0].keys():
        raise UsageError(f"{path} is no table of predicted {of}, got columns {', '.join(rows[0])}; give another run")
    return rows
