"""From settings to torch's learning-rate schedules, stepped by steps, by epochs or by the validation error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedules
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import SWALR

from capitate.training.settings.optimiser import OptimiserConfig
from capitate.training.settings.schedule import ScheduleConfig, ScheduleName
from capitate.training.settings.swa import SwaConfig

__all__ = ["Schedule"]

_START = 1e-3
"""Share of the highest rate that the warm-up of `cosine` starts from; torch's linear schedule cannot start from 0."""


class Schedule:
    """One of torch's schedules, and the constant rate of weight averaging that may follow it."""

    def __init__(
        self,
        optimiser: Optimizer,
        config: ScheduleConfig,
        *,
        settings: OptimiserConfig,
        swa: SwaConfig,
        steps_an_epoch: int,
    ) -> None:
        """Build the schedule; it sets the optimiser's first rate.

        Args:
            optimiser: each group's rate is its highest one.
            config: which schedule.
            settings: epochs, warm-up.
            swa: a rate other than 0 takes over in its epochs.
            steps_an_epoch: optimiser steps in an epoch.
        """
        self.optimiser, self.name = optimiser, config.name
        self.steps_an_epoch = steps_an_epoch
        epochs = sum(stage.epochs for stage in settings.stages)
        self.swa_from = epochs - swa.epochs if swa.learning_rate else epochs
        self._main = _MAKERS[config.name](optimiser, config, settings, epochs * steps_an_epoch)
        rates = [group["lr"] for group in optimiser.param_groups]
        self._swa = SWALR(optimiser, swa.learning_rate, swa.anneal) if swa.learning_rate else None
        if self._swa is not None:
            _restore(optimiser, rates)
        self.taken = 0

    @property
    def rates(self) -> list[float]:
        """Learning rate of each group, as the optimiser has it now."""
        return [float(group["lr"]) for group in self.optimiser.param_groups]

    def after_step(self) -> None:
        """Move on after a step of the optimiser."""
        self.taken += 1
        by_step = self.name in {ScheduleName.ONE_CYCLE, ScheduleName.COSINE, ScheduleName.CYCLICAL}
        if by_step and self.taken <= self.swa_from * self.steps_an_epoch:
            self._main.step()

    def after_epoch(self, epoch: int, error: float | None) -> None:
        """Move on after an epoch.

        Args:
            epoch: epochs that are done.
            error: of the validation films, months; None without any.
        """
        if self._swa is not None and epoch >= self.swa_from:
            self._swa.step()
        elif self.name is ScheduleName.STEP:
            self._main.step()
        elif self.name is ScheduleName.PLATEAU:
            self._main.step(error)

    def state_dict(self) -> dict[str, Any]:
        """Give everything that moves."""
        swa = None if self._swa is None else _plain(self._swa.state_dict())
        return {"taken": self.taken, "main": _plain(self._main.state_dict()), "swa": swa}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; the optimiser's rates come with its own."""
        self.taken = state["taken"]
        self._main.load_state_dict(dict(state["main"]))
        if self._swa is not None:
            self._swa.load_state_dict(dict(state["swa"]))


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is rebuilt from the settings: functions."""
    return {key: value for key, value in state.items() if not callable(value)}


def _restore(optimiser: Optimizer, rates: list[float]) -> None:
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate


def _highest(optimiser: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimiser.param_groups]


def _constant(optimiser: Optimizer, _config: ScheduleConfig, _settings: OptimiserConfig, _steps: int) -> LRScheduler:
    return torch_schedules.ConstantLR(optimiser, factor=1.0)


def _one_cycle(optimiser: Optimizer, _config: ScheduleConfig, settings: OptimiserConfig, steps: int) -> LRScheduler:
    return torch_schedules.OneCycleLR(
        optimiser, _highest(optimiser), steps, pct_start=settings.warm_up, cycle_momentum=False
    )


def _cosine(optimiser: Optimizer, config: ScheduleConfig, settings: OptimiserConfig, steps: int) -> LRScheduler:
    rise = min(round(settings.warm_up * steps), steps - 1)
    fall = torch_schedules.CosineAnnealingLR(optimiser, steps - rise, eta_min=config.lowest)
    if rise == 0:
        return fall
    up = torch_schedules.LinearLR(optimiser, _START, 1.0, rise)
    return torch_schedules.SequentialLR(optimiser, [up, fall], [rise])


def _step(optimiser: Optimizer, config: ScheduleConfig, _settings: OptimiserConfig, _steps: int) -> LRScheduler:
    return torch_schedules.StepLR(optimiser, config.every, config.factor)


def _plateau(optimiser: Optimizer, config: ScheduleConfig, _settings: OptimiserConfig, _steps: int) -> LRScheduler:
    return torch_schedules.ReduceLROnPlateau(
        optimiser,
        factor=config.factor,
        patience=config.patience,
        threshold=config.threshold,
        threshold_mode="abs",
        cooldown=config.cooldown,
        min_lr=config.lowest,
        eps=0.0,
    )


def _cyclical(optimiser: Optimizer, config: ScheduleConfig, settings: OptimiserConfig, _steps: int) -> LRScheduler:
    highest = _highest(optimiser)
    lowest = [config.lowest * one / settings.learning_rate for one in highest]
    return torch_schedules.CyclicLR(
        optimiser, lowest, highest, config.rise, mode=config.mode.value, gamma=config.gamma, cycle_momentum=False
    )


_MAKERS: dict[ScheduleName, Callable[[Optimizer, ScheduleConfig, OptimiserConfig, int], LRScheduler]] = {
    ScheduleName.CONSTANT: _constant,
    ScheduleName.ONE_CYCLE: _one_cycle,
    ScheduleName.COSINE: _cosine,
    ScheduleName.STEP: _step,
    ScheduleName.PLATEAU: _plateau,
    ScheduleName.CYCLICAL: _cyclical,
}
