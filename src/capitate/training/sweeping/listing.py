"""The runs that a sweep's file lists: every combination of a grid, or tables with a name each."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capitate.errors import UsageError

__all__ = ["Planned", "flattened", "runs_of", "short", "table_of"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,99}")
_LONGEST = 80


@dataclass(frozen=True)
class Planned:
    """A run of a sweep.

    Attributes:
        name: of the run and its folder.
        changes: values by dotted key that it puts into the base.
    """

    name: str
    changes: Mapping[str, Any]


def flattened(values: Mapping[str, Any], *, where: str = "") -> dict[str, Any]:
    """Turn nested tables into dotted keys; lists stay."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, Mapping) and not {"low", "choices"} & value.keys()
        flat |= flattened(value, where=f"{where}{key}.") if inner else {f"{where}{key}": value}
    return flat


def table_of(value: object, where: str) -> Mapping[str, Any]:
    """Insist on a table.

    Raises:
        UsageError: naming where it should stand.
    """
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} must be a table, got {value!r}")
    return value


def runs_of(parts: Mapping[str, Any], *, fixed: frozenset[str]) -> tuple[Planned, ...]:
    """List the runs of a grid or of tables.

    Args:
        parts: `grid` or `run` of the file; none of both for a search.
        fixed: keys that the command line overrides; they leave the runs.

    Raises:
        UsageError: naming the entry that makes no run.
    """
    if "grid" in parts:
        runs = list(_combinations(flattened(table_of(parts["grid"], "grid"))))
    else:
        runs = list(_listed(parts.get("run", [])))
    names = [run.name for run in runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two runs of the sweep have the name {twice!r}; give each its own")
    if not runs and "search" not in parts:
        raise UsageError("the sweep has no run; give lists with values in [grid], or [[run]] tables")
    kept = [{key: value for key, value in run.changes.items() if key not in fixed} for run in runs]
    return tuple(Planned(name, changes) for name, changes in zip(names, kept, strict=True))


def _combinations(grid: Mapping[str, Any]) -> Iterator[Planned]:
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise UsageError(f"grid.{key} must be a list of values, got {values!r}")
    for combination in itertools.product(*grid.values()) if grid else ():
        changes = dict(zip(grid, combination, strict=True))
        yield Planned(_name_of(changes), changes)


def _listed(tables: object) -> Iterator[Planned]:
    if not isinstance(tables, list):
        raise UsageError(f"run must be [[run]] tables, got {tables!r}")
    for table in tables:
        values = dict(table_of(table, "run"))
        name = values.pop("name", None)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(f"every [[run]] needs a name of letters, digits and . _ + = -, got {name!r}")
        yield Planned(name, flattened(values))


def _name_of(changes: Mapping[str, Any]) -> str:
    """Name a combination by the last parts of its keys and its values; long or unusual ones end in a digest."""
    said = "_".join(f"{key.rpartition('.')[2]}={short(value)}" for key, value in changes.items())
    plain = re.sub(r"[^A-Za-z0-9._+=-]+", "-", said).strip("-")
    digest = hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:8]
    return plain if plain == said and len(plain) <= _LONGEST else f"{plain[:_LONGEST]}-{digest}"


def short(value: object) -> str:
    """Write a value of TOML in a name."""
    return value if isinstance(value, str) else json.dumps(value)
