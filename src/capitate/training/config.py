"""One TOML file describes one experiment; it becomes frozen dataclasses here.

`task` chooses their kind, see `TASKS`; without it an experiment is a `BoneAgeConfig`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from capitate.errors import UsageError
from capitate.runtime.several_views import TestView, read_test_views
from capitate.training.settings.abnormality import AbnormalityConfig, check_abnormality
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.checks import check_training, within
from capitate.training.settings.data import ReadingConfig
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.fractures import FracturesConfig, check_fractures
from capitate.training.settings.joint_grades import JointGradesConfig, check_joint_grades
from capitate.training.settings.joints import JointDetectorConfig, check_joints
from capitate.training.settings.locator import LocatorConfig
from capitate.training.settings.loss import LossConfig, check_loss
from capitate.training.settings.network import NetworkConfig
from capitate.training.settings.optimiser import BoneAgeOptimiserConfig
from capitate.training.settings.outlines import OutlinesConfig, check_outlines
from capitate.training.settings.presets import with_preset
from capitate.training.settings.reading import build, put, read_override
from capitate.training.settings.sampling import SamplingConfig

__all__ = ["SIX_VIEWS", "TASKS", "BoneAgeConfig", "changed", "experiment_of", "load_config", "load_experiment"]

Kind = TypeVar("Kind", bound=Experiment)

SIX_VIEWS = tuple(TestView(x, y, mirrored) for mirrored in (False, True) for x, y in ((-3, -2), (3, -2), (0, 4)))
"""Three moves of a view and the mirror images of these; their mean is what is released."""


@dataclass(frozen=True)
class BoneAgeConfig(Experiment):
    """A bone-age experiment.

    Attributes:
        test_views: whose answers are averaged in out-of-fold prediction and in assessment.
        smoothing_months: width of the kernel that spreads both answers, see `capitate.runtime.bone_age.smoothed`.
        surroundings_removed: whether both see black outside the dilated hand.
        network: see `NetworkConfig`.
        augment: see `AugmentConfig`.
        loss: see `LossConfig`.
        sampling: see `SamplingConfig`.
        reading: see `ReadingConfig`.
    """

    name: str = "bone-age"
    optimiser: BoneAgeOptimiserConfig = field(default_factory=BoneAgeOptimiserConfig)
    test_views: tuple[TestView, ...] = SIX_VIEWS
    smoothing_months: float = 3.0
    surroundings_removed: bool = True
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    reading: ReadingConfig = field(default_factory=ReadingConfig)


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
            f"the configuration {path} is of another task than bone-age; a bone-age experiment is needed here"
        )
    return config


def load_experiment(path: Path | None = None, *, overrides: Iterable[str] = ()) -> Experiment | LocatorConfig:
    """Read an experiment of any task; arguments and errors as for `load_config`."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf8")) if path else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}") from error
    for text in overrides:
        put(values, *read_override(text))
    return experiment_of(values)


def changed(config: BoneAgeConfig, overrides: Iterable[str]) -> BoneAgeConfig:
    """Change values of an experiment.

    Args:
        config: the experiment.
        overrides: `a.b=value` with the value in TOML syntax.

    Raises:
        UsageError: naming the unknown key or the wrong type.
    """
    values = config.to_dict()
    for text in overrides:
        put(values, *read_override(text))
    other = experiment_of(values)
    if not isinstance(other, BoneAgeConfig):
        raise UsageError(f"a change of a bone-age experiment cannot change its task, got {list(overrides)}")
    return other


def experiment_of(values: Mapping[str, Any]) -> Experiment | LocatorConfig:
    """Make an experiment from plain values, such as those of a run's `config.json`.

    Raises:
        UsageError: naming the unknown key or the wrong type.
    """
    values = dict(values)
    task = values.pop("task", "bone-age")
    if task not in TASKS:
        raise UsageError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    return TASKS[task](values)


def _bone_age(values: dict[str, Any]) -> BoneAgeConfig:
    if "test_views" in values:
        values["test_views"] = read_test_views(values["test_views"])
    config = build(BoneAgeConfig(), with_preset(values))
    check_training(config)
    _check(config)
    return config


def _locator(values: dict[str, Any]) -> LocatorConfig:
    return build(LocatorConfig(), values)


def _checked(default: Kind, check: Callable[[Kind], None]) -> Callable[[dict[str, Any]], Kind]:
    """Make what builds experiments of a kind, and refuses those that cannot be meant."""

    def read(values: dict[str, Any]) -> Kind:
        config = build(default, values)
        check(config)
        return config

    return read


TASKS: Mapping[str, Callable[[dict[str, Any]], Experiment | LocatorConfig]] = {
    "bone-age": _bone_age,
    "hand-locator": _locator,
    "joint-detector": _checked(JointDetectorConfig(), check_joints),
    "outlines": _checked(OutlinesConfig(), check_outlines),
    "joint-grades": _checked(JointGradesConfig(), check_joint_grades),
    "abnormality": _checked(AbnormalityConfig(), check_abnormality),
    "fractures": _checked(FracturesConfig(), check_fractures),
}
"""What reads the plain values of each task's experiments."""


def _check(config: BoneAgeConfig) -> None:
    """Refuse values that no bone-age network could be made of."""
    check_loss(config.optimiser.loss, config.network)
    within(
        [
            ("optimiser.unknown_sex", config.optimiser.unknown_sex, 0, 1),
            ("optimiser.distil", config.optimiser.distil, 0, 1),
            ("reading.workers", config.reading.workers, 0, 256),
            ("reading.most_unreadable", config.reading.most_unreadable, 0, 1),
            ("reading.height", config.reading.height, 16, 4096),
            ("reading.width", config.reading.width, 16, 4096),
            ("reading.source", config.reading.source, 64, 8192),
        ]
    )
    if config.optimiser.consistency and (config.augment.mixup or config.optimiser.accumulate > 1):
        raise UsageError(
            "optimiser.consistency compares two answers to one film of one step; it goes with neither augment.mixup, "
            f"got {config.augment.mixup:g}, nor optimiser.accumulate, got {config.optimiser.accumulate}"
        )
    if not config.test_views:
        raise UsageError("test_views is empty; give at least [[0, 0, false]]")
    if not 0 <= config.smoothing_months <= 24:
        raise UsageError(f"smoothing_months must lie between 0 and 24, got {config.smoothing_months}")
    last = config.optimiser.stages[-1]
    if any(abs(view.right) >= last.width or abs(view.down) >= last.height for view in config.test_views):
        raise UsageError(f"test_views move a view of {last.height} x {last.width} out of itself: {config.test_views}")
