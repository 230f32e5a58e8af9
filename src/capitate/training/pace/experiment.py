"""One experiment set up as its run would be: everything in this package that knows the loop's parts is here."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.bone_age_task import BoneAgeTask
from capitate.training.config import BoneAgeConfig
from capitate.training.devices import make_fabric
from capitate.training.feeding import Feeder
from capitate.training.networks import unfreeze
from capitate.training.pace.clock import wait_for
from capitate.training.pace.held_views import HeldViews
from capitate.training.pace.report import Pace
from capitate.training.regularisation import Dropouts
from capitate.training.settings.optimiser import Stage
from capitate.training.sweeping.costs import multiply_adds
from capitate.training.training_state import TrainingState
from capitate.training.view_store import ViewSource

__all__ = ["Bench", "alone"]

_LEAST = 3


def alone(config: BoneAgeConfig, *, ahead: int | None = None) -> BoneAgeConfig:
    """Give one device's share of an experiment, which is what is measured.

    Args:
        config: the experiment; without teachers, whose answers cost a step next to nothing, and with random weights.
        ahead: batches prepared beside the step, the experiment's if None.

    Raises:
        UsageError: if a device's share is no film.
    """
    devices = config.devices
    batch = config.optimiser.batch // devices.count
    if batch < 1:
        raise UsageError(f"optimiser.batch {config.optimiser.batch} leaves no film for each of {devices.count} devices")
    changed = replace(devices, count=1, ahead=devices.ahead if ahead is None else ahead)
    network = replace(config.network, pretrained=False, weights="")
    optimiser = replace(config.optimiser, batch=batch, distil=0.0)
    return replace(config, devices=changed, optimiser=optimiser, network=network)


class Bench:
    """An experiment with its films, its network and its optimiser, in its last stage and with nothing frozen."""

    def __init__(self, source: ViewSource, config: BoneAgeConfig, rows: NDArray[np.int64]) -> None:
        """Set up.

        Args:
            source: films.
            config: the experiment, from `alone`.
            rows: films that an epoch goes over.

        Raises:
            UsageError: if the device is not there.
        """
        torch.manual_seed(config.seed)
        self.source, self.config, self.rows = source, config, rows
        self.stage: Stage = config.optimiser.stages[-1]
        self.fabric = make_fabric(config.devices)
        task = BoneAgeTask(source, config)
        feeder = task.feeder(rows, device=self.fabric.device)
        self.state = TrainingState(task, self.fabric, steps_an_epoch=feeder.steps, start=task.first_weights(rows))
        Dropouts(self.state.network).set(self.stage.dropout)
        unfreeze(self.state.network)

    @property
    def device(self) -> torch.device:
        """What the experiment computes on."""
        return self.fabric.device

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a view."""
        return self.stage.height, self.stage.width

    @property
    def shown(self) -> int:
        """Times that a step shows each film."""
        return 2 if self.config.optimiser.consistency > 0 else 1

    @property
    def parameters(self) -> int:
        """Numbers that are learnt."""
        return sum(one.numel() for one in self.state.network.parameters())

    def multiply_adds(self) -> int:
        """Count those of one view, forward."""
        return multiply_adds(self.state.network, size=self.size)

    def held(self, *, steps: int = 1) -> HeldViews:
        """Read the films of some steps to the device."""
        rows = self.rows[: self.config.optimiser.batch * steps]
        return HeldViews(self.source, rows, size=self.size, device=self.device)

    def fed(self, source: ViewSource, rows: NDArray[np.int64]) -> Generator[Any, None, None]:
        """Prepare batches of a source, epoch after epoch, each when it is asked for."""
        feeder = self._feeder(source, rows)
        for epoch in count():
            feeder.start(epoch, self.stage)
            for step in range(feeder.steps):
                yield feeder.batch(step)

    def take(self, batch: Any) -> None:  # noqa: ANN401  (a batch of whatever task)
        """Take one step: forward, backward, clipping, optimiser, schedule, running average, sums."""
        self.state.take(batch, began=time.perf_counter())

    def run(self, name: str, source: ViewSource, *, runs: int, seconds: float) -> Pace:
        """Take steps with the feeder beside them, as the loop does.

        Args:
            name: of the pace.
            source: that the feeder reads from.
            runs: most steps.
            seconds: after which no further step begins, once there are three.
        """
        batches = self._beside(source)
        for _ in range(self.config.devices.ahead + 1):
            self.take(next(batches))
        wait_for(self.device)
        began = time.perf_counter()
        films = steps = 0
        while steps < runs and (steps < _LEAST or time.perf_counter() < began + seconds):
            batch = next(batches)
            self.take(batch)
            films, steps = films + len(batch) // self.shown, steps + 1
        wait_for(self.device)
        pace = films / (time.perf_counter() - began)
        batches.close()
        return Pace(name, pace, films // steps, steps)

    def _beside(self, source: ViewSource) -> Generator[Any, None, None]:
        """Give batches as the loop takes them, epoch after epoch."""
        feeder = self._feeder(source, np.arange(len(source.ids)))
        for epoch in count():
            feeder.start(epoch, self.stage)
            for batch, _ in feeder.steps_from(0):
                yield batch

    def _feeder(self, source: ViewSource, rows: NDArray[np.int64]) -> Feeder[Any]:
        return BoneAgeTask(source, self.config).feeder(rows, device=self.device)
