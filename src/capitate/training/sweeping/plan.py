"""A sweep's file: a base experiment and what each run changes in it.

The file has exactly one of `[grid]` (keys to lists, every combination is a run), `[[run]]` (tables, each with a name)
and `[search]` (ranges that optuna draws from). Keys are those of an experiment, `network.backbone` or as tables.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.settings.reading import build, put, read_override
from capitate.training.settings.sweep import Measure, SearchConfig, SearchRange, SweepConfig
from capitate.training.sweeping.listing import Planned, flattened, runs_of, short, table_of

__all__ = ["SearchPlan", "SweepPlan", "load_sweep"]

_KINDS = ("grid", "run", "search")


@dataclass(frozen=True)
class SearchPlan:
    """A search.

    Attributes:
        config: see `SearchConfig`.
        ranges: by dotted key.
    """

    config: SearchConfig
    ranges: Mapping[str, SearchRange]


@dataclass(frozen=True)
class SweepPlan:
    """A sweep's file, read and checked.

    Attributes:
        name: of the file.
        config: see `SweepConfig`.
        base: the experiment that runs change, as plain values.
        runs: those of a grid or a list; empty for a search.
        search: or None.
    """

    name: str
    config: SweepConfig
    base: Mapping[str, Any]
    runs: tuple[Planned, ...]
    search: SearchPlan | None

    def experiment(self, run: Planned) -> BoneAgeConfig:
        """Resolve a run's experiment; it bears the run's name unless it states another.

        Raises:
            UsageError: naming the run and what does not fit.
        """
        try:
            config = experiment_of(_changed(self.base, {"name": run.name, **run.changes}))
        except UsageError as error:
            raise UsageError(f"run {run.name!r} of the sweep {self.name}: {error}") from error
        if not isinstance(config, BoneAgeConfig):
            raise UsageError(f"the sweep {self.name} is of the task 'hand-locator'; bone-age experiments are compared")
        _check_run(config, self.config, run.name)
        return config


def load_sweep(path: Path, *, overrides: Iterable[str] = (), fold: int | None = None) -> SweepPlan:
    """Read a sweep's file and check every run before anything is trained.

    Args:
        path: TOML file.
        overrides: `a.b=value` in TOML syntax, which every run has whatever the file says.
        fold: held out in every run instead of the file's.

    Raises:
        UsageError: naming the file, the key or the run that does not fit.
    """
    values = _read(path)
    parts = {kind: values.pop(kind) for kind in _KINDS if kind in values}
    if len(parts) != 1:
        told = ", ".join(f"[{kind}]" for kind in parts) or "none of them"
        raise UsageError(f"a sweep has exactly one of [grid], [[run]] and [search], {path.name} has {told}")
    common = flattened(table_of(values.pop("set", {}), "set"))
    config = build(SweepConfig(), values if fold is None else {**values, "fold": fold})
    fixed = dict(read_override(text) for text in overrides)
    base = _changed(_read(path.parent / config.base) if config.base else {}, {**common, **fixed})
    runs, search = runs_of(parts, fixed=frozenset(fixed)), _search(parts.get("search"))
    plan = SweepPlan(path.stem, config, base, runs, search)
    if search is not None and config.error is Measure.HELD_OUT:
        raise UsageError(
            "a search chooses by its error, and a fold that was chosen by is no longer held out; set "
            "error = 'validation_mae' and validation.share, such as 0.1"
        )
    for run in (*plan.runs, *_limits(search)):
        plan.experiment(run)
    return plan


def _changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put values by dotted key into a copy of nested tables."""
    values = copy.deepcopy(dict(base))
    for key, value in changes.items():
        put(values, key, value)
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path} of a sweep: {error}") from error


def _search(table: object) -> SearchPlan | None:
    if table is None:
        return None
    values = dict(table_of(table, "search"))
    ranges = flattened(table_of(values.pop("ranges", {}), "search.ranges"))
    if not ranges:
        raise UsageError("search.ranges names no key; give at least one, with low and high or choices")
    read = {key: _range(value, f"search.ranges.{key}") for key, value in ranges.items()}
    return SearchPlan(build(SearchConfig(), values, where="search."), read)


def _range(value: object, where: str) -> SearchRange:
    table = table_of(value, where)
    unknown = sorted(set(table) - {"low", "high", "log", "choices"})
    choices, log = table.get("choices", []), table.get("log", False)
    ends = [table.get(name, 0) for name in ("low", "high")]
    right = isinstance(choices, list) and isinstance(log, bool) and all(type(end) in (int, float) for end in ends)
    if unknown or not right:
        raise UsageError(f"{where} must have low and high (numbers), log (true or false) or choices, got {value!r}")
    try:
        return SearchRange(low=ends[0], high=ends[1], log=log, choices=tuple(choices))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _limits(search: SearchPlan | None) -> Iterable[Planned]:
    """Name runs at each end of each range, the other keys at their first."""
    if search is None:
        return
    first = {key: one.ends[0] for key, one in search.ranges.items()}
    for key, one in search.ranges.items():
        for value in one.ends:
            yield Planned(f"{key}={short(value)}", {**first, key: value})


def _check_run(config: BoneAgeConfig, sweep: SweepConfig, name: str) -> None:
    if sweep.error is Measure.VALIDATION and not config.validation.share:
        raise UsageError(
            f"run {name!r} keeps no films back to compare by; set validation.share, such as 0.1, or error = 'mae' with "
            "a fold"
        )
    if sweep.error is Measure.HELD_OUT and sweep.fold is None:
        raise UsageError("error = 'mae' is the error on a held-out fold; set fold, such as 0")
    if config.devices.count > 1:
        raise UsageError(f"a sweep runs in one process, got devices.count {config.devices.count} in run {name!r}")
    if config.optimiser.distil:
        raise UsageError(f"run {name!r} has optimiser.distil {config.optimiser.distil:g}; a sweep has no teachers")
