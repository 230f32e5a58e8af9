"""One TOML file describes one bone-age experiment; it becomes frozen dataclasses here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from capitate.errors import UsageError

__all__ = ["AugmentConfig", "BoneAgeConfig", "NetworkConfig", "OptimiserConfig", "Stage", "load_config"]

T = TypeVar("T")


@dataclass(frozen=True)
class NetworkConfig:
    """Backbone, pooling, where sex enters, head.

    Attributes:
        backbone: `resnet` for timm's residual network with `widths` and `depths`, or any timm name.
        widths: channels of the stages.
        depths: blocks of the stages.
        drop_path: stochastic depth.
        pool: side of the grid that the last feature map is averaged to.
        sex: `none`, `early`, `late` or `both`.
        sex_width: width of the late sex embedding.
        hidden: width of the hidden layer of the head.
        dropout: before the head.
    """

    backbone: str = "resnet"
    widths: tuple[int, ...] = (32, 64, 128, 192)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    drop_path: float = 0.0
    pool: int = 1
    sex: str = "late"
    sex_width: int = 32
    hidden: int = 256
    dropout: float = 0.2


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation; see `capitate.training.augment`."""

    rotation: float = 12.0
    scale: float = 0.10
    aspect: float = 0.08
    shear: float = 0.08
    shift: float = 0.06
    flip: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.25
    noise: float = 6.0
    blur: float = 0.3
    surroundings: float = 0.4
    patches: float = 0.5


@dataclass(frozen=True)
class Stage:
    """A part of the schedule at one resolution: epochs, rows and columns."""

    epochs: int
    height: int
    width: int


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with one cycle, exponential moving average of the weights."""

    stages: tuple[Stage, ...] = (Stage(12, 160, 128),)
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    average: float = 0.998
    clip: float = 1.0
    loss: str = "combined"
    unknown_sex: float = 0.15
    distil: float = 0.0


@dataclass(frozen=True)
class BoneAgeConfig:
    """One experiment."""

    name: str = "bone-age"
    seed: int = 0
    folds: int = 5
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def to_dict(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        return asdict(self)


def load_config(path: Path | None = None, *, overrides: Iterable[str] = ()) -> BoneAgeConfig:
    """Read an experiment.

    Args:
        path: TOML file, or None for the defaults.
        overrides: `a.b=value` with the value in TOML syntax.

    Raises:
        UsageError: naming the unknown key, the wrong type or the unreadable file.
    """
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf8")) if path else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}") from error
    for text in overrides:
        _override(values, text)
    return _build(BoneAgeConfig, values, where="")


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
    values[last] = parsed


def _build(kind: type[T], values: Mapping[str, Any], *, where: str) -> T:
    """Make a dataclass from plain values; unknown keys and wrong types are errors that name the key."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(f"unknown key {where}{unknown[0]}; known here: {', '.join(sorted(known))}")
    default = kind()if all(f.default is not f.default_factory for f in known.values()) else None
    made = {name: _convert(value, getattr(default, name, None), f"{where}{name}") for name, value in values.items()}
    return kind(**made)


def _convert(value: Any, default: Any, where: str) -> Any:
    """Bring one value to the type of its default."""
    if is_dataclass(default):
        if not isinstance(value, Mapping):
            raise UsageError(f"{where} must be a table, got {value!r}")
        return _build(type(default), value, where=f"{where}.")  # type: ignore[arg-type]
    if where.endswith("stages"):
        return tuple(Stage(**dict(v)) if isinstance(v, Mapping) else Stage(*v) for v in value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and not isinstance(value, type(default)):
        raise UsageError(f"{where} must be {type(default).__name__}, got {value!r}")
    return value
