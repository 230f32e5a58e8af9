"""One TOML file describes one experiment; it becomes frozen dataclasses here.

`task = "bone-age"` (the default) gives a `BoneAgeConfig`, `task = "hand-locator"` a `LocatorConfig`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from capitate.errors import UsageError
from capitate.runtime.bone_age import TestView
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.freezing import FreezingConfig
from capitate.training.settings.locator import LocatorConfig
from capitate.training.settings.loss import LossConfig, check_loss
from capitate.training.settings.network import NetworkConfig
from capitate.training.settings.optimiser import OptimiserConfig, Stage
from capitate.training.settings.presets import with_preset

__all__ = ["SIX_VIEWS", "BoneAgeConfig", "experiment_of", "load_config", "load_experiment"]

T = TypeVar("T")

SIX_VIEWS = tuple(TestView(x, y, mirrored) for mirrored in (False, True) for x, y in ((-3, -2), (3, -2), (0, 4)))
"""Three moves of a view and the mirror images of these; their mean is what is released."""


@dataclass(frozen=True)
class BoneAgeConfig:
    """One experiment.

    Attributes:
        name: of the experiment and of the bundle made of it.
        seed: of weights, order and augmentation; a run adds the number of its fold.
        folds: number of folds.
        test_views: whose answers are averaged in out-of-fold prediction and in assessment.
        smoothing_months: width of the kernel that spreads both answers, see `capitate.runtime.bone_age.smoothed`.
        surroundings_removed: whether both see black outside the dilated hand.
        network: see `NetworkConfig`.
        augment: see `AugmentConfig`.
        optimiser: see `OptimiserConfig`.
        loss: see `LossConfig`.
        freezing: see `FreezingConfig`.
    """

    name: str = "bone-age"
    seed: int = 0
    folds: int = 5
    test_views: tuple[TestView, ...] = SIX_VIEWS
    smoothing_months: float = 3.0
    surroundings_removed: bool = True
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    freezing: FreezingConfig = field(default_factory=FreezingConfig)

    def to_dict(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        return asdict(self)


def load_config(path: Path | None = None, *, overrides: Iterable[str] = ()) -> BoneAgeConfig:
    """Read a bone-age experiment.

    Args:
        path: TOML file, or None for the defaults.
        overrides: `a.b=value` with the value in TOML syntax.

    Raises:
        UsageError: naming the unknown key, the wrong type or the unreadable file.
    """
    config = load_experiment(path, overrides=overrides)
    if not isinstance(config, BoneAgeConfig):
        raise UsageError(
            f"the configuration {path} is of the task 'hand-locator'; a bone-age experiment is needed here"
        )
    return config


def load_experiment(path: Path | None = None, *, overrides: Iterable[str] = ()) -> BoneAgeConfig | LocatorConfig:
    """Read an experiment of any task; arguments and errors as for `load_config`."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf8")) if path else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}") from error
    for text in overrides:
        _override(values, text)
    return experiment_of(values)


def experiment_of(values: Mapping[str, Any]) -> BoneAgeConfig | LocatorConfig:
    """Make an experiment from plain values, such as those of a run's `config.json`.

    Raises:
        UsageError: naming the unknown key or the wrong type.
    """
    values = dict(values)
    task = values.pop("task", "bone-age")
    if task == "hand-locator":
        return _build(LocatorConfig(), values, where="")
    if task != "bone-age":
        raise UsageError(f"task must be bone-age or hand-locator, got {task!r}")
    config = _build(BoneAgeConfig(), with_preset(values), where="")
    _check(config)
    return config


def _check(config: BoneAgeConfig) -> None:
    """Refuse values that no network or schedule could be made of."""
    check_loss(config.optimiser.loss, config.network)
    if not config.optimiser.stages:
        raise UsageError("optimiser.stages is empty; give at least one stage, such as [[12, 160, 128]]")
    if not config.test_views:
        raise UsageError("test_views is empty; give at least [[0, 0, false]]")
    if not 0 <= config.smoothing_months <= 24:
        raise UsageError(f"smoothing_months must lie between 0 and 24, got {config.smoothing_months}")
    last = config.optimiser.stages[-1]
    if any(abs(view.right) >= last.width or abs(view.down) >= last.height for view in config.test_views):
        raise UsageError(f"test_views move a view of {last.height} x {last.width} out of itself: {config.test_views}")


def _override(values: dict[str, Any], text: str) -> None:
    """Apply one `a.b=value`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes KEY=VALUE, got {text!r}")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    *parents, last = key.strip().split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UsageError(f"--set {key.strip()}: {parent} is no table; got {values!r} there")
    values[last] = parsed


def _build(default: T, values: Mapping[str, Any], *, where: str) -> T:
    """Replace values of a dataclass; unknown keys and wrong types are errors that name the key."""
    known = {f.name for f in fields(default)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise UsageError(f"unknown key {where}{unknown[0]}; known here: {', '.join(sorted(known))}")
    made = {name: _convert(value, getattr(default, name), f"{where}{name}") for name, value in values.items()}
    return replace(default, **made)  # type: ignore[type-var]


def _convert(value: object, default: object, where: str) -> object:
    """Bring one value to the type of its default."""
    if is_dataclass(default):
        if not isinstance(value, Mapping):
            raise UsageError(f"{where} must be a table, got {value!r}")
        return _build(default, value, where=f"{where}.")
    if where.endswith("stages"):
        return _stages(value, where)
    if where == "test_views":
        return _test_views(value)
    if isinstance(default, tuple) and isinstance(value, list):
        if not all(type(item) is type(default[0]) for item in value):
            raise UsageError(f"{where} must be a list of {type(default[0]).__name__}, got {value!r}")
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, type(default)) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise UsageError(f"{where} must be {type(default).__name__}, got {value!r}")
    return value


def _stages(value: object, where: str) -> tuple[Stage, ...]:
    """Read `[[epochs, height, width], ...]` or tables with these keys."""
    try:
        stages = tuple(Stage(**v) if isinstance(v, dict) else Stage(*v) for v in value)  # type: ignore[attr-defined]
    except TypeError as error:
        raise UsageError(f"{where} must be a list of [epochs, height, width], got {value!r}") from error
    numbers = [n for stage in stages for n in (stage.epochs, stage.height, stage.width)]
    if not all(type(n) is int and n > 0 for n in numbers):
        raise UsageError(f"{where} must hold whole numbers above 0, got {value!r}")
    return stages


def _test_views(value: object) -> tuple[TestView, ...]:
    """Read `[[right, down, mirrored], ...]` or tables with these keys."""
    try:
        views = tuple(TestView(**v) if isinstance(v, dict) else TestView(*v) for v in value)  # type: ignore[attr-defined]
    except TypeError as error:
        raise UsageError(f"test_views must be a list of [right, down, mirrored], got {value!r}") from error
    if not all(type(v.right) is int and type(v.down) is int and type(v.mirrored) is bool for v in views):
        raise UsageError(f"test_views must hold whole pixels right and down, and true or false, got {value!r}")
    return views
