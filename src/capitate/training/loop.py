"""The training loop: one network, resumable at every checkpoint to the byte."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.training.averages import settle_norms
from capitate.training.checkpoint import CHECKPOINT
from capitate.training.curves import Curves
from capitate.training.devices import deterministic, make_fabric
from capitate.training.meter import Meter
from capitate.training.networks import freeze, unfreeze
from capitate.training.regularisation import Dropouts
from capitate.training.settings.optimiser import Stage
from capitate.training.settings.validation import Keep
from capitate.training.task import Task
from capitate.training.training_state import TrainingState
from capitate.training.validation import judge, kept_back
from capitate.training.weights import load_weights, save_weights

__all__ = ["BEST", "Result", "train"]

BEST = "best.safetensors"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Result:
    """What training gives.

    Attributes:
        network: with the weights that the run ends with.
        history: one dictionary an epoch.
        validation: the smallest error on the examples kept back, by its name, and its epoch; empty without such, or
            where no epoch had one.
    """

    network: nn.Module
    history: list[dict[str, float]]
    validation: dict[str, float]


def train(
    task: Task[Any, Any],
    rows: NDArray[np.int64],
    *,
    folder: Path,
    start: dict[str, Tensor] | None = None,
    fabric: Fabric | None = None,
) -> Result:
    """Train on some examples.

    Args:
        task: the experiment with its data.
        rows: which examples to learn from; `validation.share` of these is kept back to choose the best weights.
        folder: for checkpoints and curves; training resumes from its checkpoint if it is there.
        start: weights to begin with instead of random ones.
        fabric: processes and their device, made from the experiment if None.

    Raises:
        UsageError: if the checkpoint in the folder is of another experiment, or the loss is no number any more.
        ReportWriteError: if the disk is full; the previous checkpoint stays.
    """
    fabric = fabric or make_fabric(task.config.devices)
    folder.mkdir(parents=True, exist_ok=True)
    training = _Training(task, rows, folder=folder, fabric=fabric, start=start)
    with deterministic(wanted=task.config.devices.deterministic):
        return training.run()


class _Training:
    """One call of `train`: what its steps share."""

    def __init__(
        self,
        task: Task[Any, Any],
        rows: NDArray[np.int64],
        *,
        folder: Path,
        fabric: Fabric,
        start: dict[str, Tensor] | None,
    ) -> None:
        config = task.config
        torch.manual_seed(config.seed)
        kept = kept_back(task.groups(rows), share=config.validation.share)
        self.task, self.kept, self.config, self.folder, self.fabric = task, rows[kept], config, folder, fabric
        self.learnt = rows[~kept]
        self.feeder = task.feeder(
            self.learnt, rank=fabric.global_rank, processes=fabric.world_size, device=fabric.device
        )
        if start is None and not (folder / CHECKPOINT).exists():
            start = task.first_weights(self.learnt)
        self.state = TrainingState(task, fabric, steps_an_epoch=self.feeder.steps, start=start)
        self.dropouts = Dropouts(self.state.network)
        self.draws = self.state.resume(folder / CHECKPOINT)
        board = config.record.tensorboard
        self.curves = Curves(folder, step=self.state.taken, tensorboard=board) if fabric.is_global_zero else None

    def run(self) -> Result:
        """Go through the epochs that are left."""
        state, record = self.state, self.config.record
        stages = [stage for stage in self.config.optimiser.stages for _ in range(stage.epochs)]
        while state.epoch < len(stages) and not state.best.enough(self.config.validation):
            stage = stages[state.epoch]
            self._begin_epoch(stage)
            began = time.perf_counter()
            for batch, draws in self.feeder.steps_from(state.step):
                self.draws = draws
                state.take(batch, began=began)
                if state.taken % record.every == 0:
                    self._line()
                if record.checkpoint and state.taken % record.checkpoint == 0 and state.step < self.feeder.steps:
                    self._save()
                began = time.perf_counter()
            self._end_epoch(stage)
            self._save()
        return self._finish(stages[-1])

    def _begin_epoch(self, stage: Stage) -> None:
        """Set the order, the size and the strength of an epoch up, and the random numbers where it was broken off."""
        self.feeder.start(self.state.epoch, stage)
        self.dropouts.set(stage.dropout)
        (freeze if self.state.epoch < self.config.freezing.epochs else unfreeze)(self.state.network)
        if self.state.step and self.draws is not None:
            self.feeder.draws.set_state(self.draws)

    def _line(self) -> None:
        """Add a line to the curve of batches."""
        state, figures = self.state, self._finite(self.state.line)
        state.line = Meter(self.task.figures)
        if self.curves is not None:
            self.curves.batch({"epoch": state.epoch + 1, "step": state.taken, "learning_rate": state.rate, **figures})

    def _end_epoch(self, stage: Stage) -> None:
        """Average, judge on the examples kept back, move the schedule, and write the epoch's line."""
        state = self.state
        figures = self._finite(state.whole)
        state.epoch, state.step, state.whole = state.epoch + 1, 0, Meter(self.task.figures)
        if state.swa is not None and state.epoch > self._epochs - self.config.swa.epochs:
            state.swa.update_parameters(state.network)
        judged = self._judge(state.judged, stage)
        state.schedule.after_epoch(state.epoch, judged.get(self.task.judged_by))
        seen = {f"validation_{name}": value for name, value in judged.items()}
        state.history.append(
            {"epoch": state.epoch, "step": state.taken, "learning_rate": state.rate, **figures, **seen}
        )
        if self.curves is not None:
            self.curves.epoch(state.history)
        told = "".join(f", {name.replace('_', ' ')} {value:.3f}" for name, value in seen.items())
        speed = f"{figures['films_a_second']:.0f} films a second"
        _log.info("%s epoch %d: loss %.3f%s, %s", self.config.name, state.epoch, figures["loss"], told, speed)

    @property
    def _epochs(self) -> int:
        return sum(stage.epochs for stage in self.config.optimiser.stages)

    def _judge(self, network: nn.Module, stage: Stage) -> dict[str, float]:
        """Measure a network on the examples kept back, and keep it if it is the best."""
        if not self.kept.size:
            return {}
        state, size = self.state, (stage.height, stage.width)
        figures = judge(network, self.task, self.kept, size=size, fabric=self.fabric)
        if (
            state.best.better(figures[self.task.judged_by], state.epoch, self.config.validation)
            and self.fabric.is_global_zero
        ):
            save_weights(network, self.folder / BEST)
        return figures

    def _finite(self, meter: Meter) -> dict[str, float]:
        """Read figures, and stop a run that has lost its way before it overwrites a checkpoint."""
        figures = meter.figures()
        if not math.isfinite(figures["loss"]):
            raise UsageError(
                f"the loss is {figures['loss']} at step {self.state.taken}; lower optimiser.learning_rate or set "
                "optimiser.clip, and begin the run in another folder"
            )
        return figures

    def _save(self) -> None:
        """Write the checkpoint, unless the sums of the epoch say that it would be worth nothing."""
        if self.state.step:
            self._finite(self.state.whole)
        self.state.save(self.folder / CHECKPOINT, draws=self.draws)

    def _finish(self, stage: Stage) -> Result:
        """Choose the weights that the run ends with."""
        state, settings = self.state, self.config.validation
        network = state.judged
        if state.swa is not None and int(state.swa.n_averaged):
            network = state.swa.module
            self._settle(network, stage)
            self._judge(network, stage)
        if self.curves is not None:
            self.curves.close()
        if settings.share and settings.keep is Keep.BEST and state.best.epoch:
            self.fabric.barrier()
            load_weights(network, self.folder / BEST)
        best = {self.task.judged_by: state.best.error, "epoch": float(state.best.epoch)}
        return Result(network.eval(), state.history, best if state.best.epoch else {})

    def _settle(self, network: nn.Module, stage: Stage) -> None:
        """Give an equal mean of weights the batch statistics that belong to it."""
        feeder = self.task.feeder(self.learnt, device=self.fabric.device)
        feeder.start(self._epochs, stage)
        batches = (feeder.batch(step).to(self.fabric.device) for step in range(feeder.steps))
        settle_norms(network, batches, answer=self.task.answer)
