"""Values and combinations of the training's settings that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable

from capitate.errors import UsageError
from capitate.training.settings.devices import DevicesConfig
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.optimiser import OptimiserConfig, OptimiserName
from capitate.training.settings.schedule import CycleMode, ScheduleConfig, ScheduleName
from capitate.training.settings.swa import SwaConfig
from capitate.training.settings.validation import ValidationConfig

__all__ = ["Range", "check_training", "within"]

Range = tuple[str, float, float, float]
_ANY = float("inf")


def check_training(config: Experiment) -> None:
    """Refuse what no training of any task could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    optimiser, schedule, validation = config.optimiser, config.schedule, config.validation
    _check_stages(optimiser)
    if not 0 < optimiser.learning_rate < _ANY:
        raise UsageError(f"optimiser.learning_rate must be above 0, got {optimiser.learning_rate:g}")
    within(_ranges(config))
    _check_optimiser(optimiser, config.devices)
    _check_schedule(optimiser, schedule, validation)
    _check_swa(optimiser, schedule, config.swa)
    if validation.patience and not validation.share:
        raise UsageError(
            f"validation.patience is {validation.patience} and validation.share is 0; stopping early needs films to "
            "judge by, set validation.share, such as 0.1"
        )


def _check_stages(optimiser: OptimiserConfig) -> None:
    stages = optimiser.stages
    if not stages:
        raise UsageError("optimiser.stages is empty; give at least one stage, such as [[12, 160, 128]]")
    if min(n for one in stages for n in (one.epochs, one.height, one.width)) < 1:
        shown = [[one.epochs, one.height, one.width] for one in stages]
        raise UsageError(f"optimiser.stages must hold whole numbers above 0, got {shown}")
    within((f"optimiser.stages[{k}].dropout", one.dropout or 0.0, 0, 0.99) for k, one in enumerate(stages))
    within((f"optimiser.stages[{k}].augment", one.augment, 0, 4) for k, one in enumerate(stages))


def _ranges(config: Experiment) -> list[Range]:
    """List every number with its key, its least and its greatest value."""
    optimiser, schedule, swa, validation = config.optimiser, config.schedule, config.swa, config.validation
    return [
        ("optimiser.batch", optimiser.batch, 1, _ANY),
        ("optimiser.accumulate", optimiser.accumulate, 1, _ANY),
        ("optimiser.weight_decay", optimiser.weight_decay, 0, _ANY),
        ("optimiser.warm_up", optimiser.warm_up, 0, 0.99),
        ("optimiser.average", optimiser.average, 0, 1),
        ("optimiser.clip", optimiser.clip, 0, _ANY),
        ("optimiser.momentum", optimiser.momentum, 0, 1),
        ("schedule.lowest", schedule.lowest, 0, optimiser.learning_rate),
        ("schedule.factor", schedule.factor, 0, 1),
        ("schedule.every", schedule.every, 1, _ANY),
        ("schedule.patience", schedule.patience, 0, _ANY),
        ("schedule.cooldown", schedule.cooldown, 0, _ANY),
        ("schedule.threshold", schedule.threshold, 0, _ANY),
        ("schedule.rise", schedule.rise, 1, _ANY),
        ("schedule.gamma", schedule.gamma, 0, 1),
        ("swa.epochs", swa.epochs, 0, sum(stage.epochs for stage in optimiser.stages)),
        ("swa.learning_rate", swa.learning_rate, 0, _ANY),
        ("swa.anneal", swa.anneal, 0, _ANY),
        ("validation.share", validation.share, 0, 0.9),
        ("validation.patience", validation.patience, 0, _ANY),
        ("validation.smallest", validation.smallest, 0, _ANY),
        ("devices.count", config.devices.count, 1, _ANY),
        ("devices.ahead", config.devices.ahead, 0, _ANY),
        ("record.every", config.record.every, 1, _ANY),
        ("record.checkpoint", config.record.checkpoint, 0, _ANY),
    ]


def within(ranges: Iterable[Range]) -> None:
    """Refuse a number outside its range.

    Args:
        ranges: key, value, least and greatest value of each.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    for key, value, least, most in ranges:
        if not least <= value <= most:
            allowed = f"at least {least:g}" if most == _ANY else f"{least:g} to {most:g}"
            raise UsageError(f"{key} must be {allowed}, got {value:g}")


def _check_optimiser(optimiser: OptimiserConfig, devices: DevicesConfig) -> None:
    if optimiser.nesterov and (optimiser.name is not OptimiserName.SGD or not optimiser.momentum):
        raise UsageError(
            f"optimiser.nesterov needs sgd with momentum, got {optimiser.name} and momentum {optimiser.momentum:g}"
        )
    if optimiser.batch < optimiser.accumulate * devices.count:
        raise UsageError(
            f"optimiser.batch {optimiser.batch} cannot be shared by devices.count {devices.count} in "
            f"optimiser.accumulate {optimiser.accumulate} parts each; give a larger batch"
        )


def _check_schedule(optimiser: OptimiserConfig, schedule: ScheduleConfig, validation: ValidationConfig) -> None:
    if schedule.name is ScheduleName.PLATEAU and not validation.share:
        raise UsageError(
            "schedule.name is plateau and validation.share is 0; a plateau of the validation error needs films to "
            "judge by, set validation.share, such as 0.1"
        )
    if schedule.name is ScheduleName.CYCLICAL:
        if schedule.lowest in (0.0, optimiser.learning_rate):
            raise UsageError(
                f"schedule.lowest must lie between 0 and optimiser.learning_rate {optimiser.learning_rate:g} for "
                f"cyclical, got {schedule.lowest:g}; the cycle would stand still or stop learning"
            )
        if schedule.gamma < 1 and schedule.mode is not CycleMode.EXP_RANGE:
            raise UsageError(f"schedule.gamma {schedule.gamma:g} acts in exp_range only, got mode {schedule.mode}")


def _check_swa(optimiser: OptimiserConfig, schedule: ScheduleConfig, swa: SwaConfig) -> None:
    if swa.epochs and optimiser.average:
        raise UsageError(
            f"swa.epochs is {swa.epochs} and optimiser.average is {optimiser.average:g}; a run keeps one average of "
            "its weights, set one of them to 0"
        )
    if swa.learning_rate and not swa.epochs:
        raise UsageError(f"swa.learning_rate is {swa.learning_rate:g} and swa.epochs is 0; set swa.epochs")
    if swa.learning_rate and schedule.name is ScheduleName.PLATEAU:
        raise UsageError(
            "swa.learning_rate and schedule.name plateau both set the rate at the ends of epochs; drop one"
        )
