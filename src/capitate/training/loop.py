"""The training loop: one network, resumable at every checkpoint to the byte."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.training.averages import settle_norms
from capitate.training.batches import Feeder
from capitate.training.checkpoint import CHECKPOINT
from capitate.training.config import BoneAgeConfig
from capitate.training.curves import Curves
from capitate.training.devices import deterministic, make_fabric
from capitate.training.meter import Meter
from capitate.training.networks import BoneAgeNetwork, first_weights, freeze, unfreeze
from capitate.training.predicting import predict
from capitate.training.regularisation import Dropouts
from capitate.training.settings.optimiser import Stage
from capitate.training.settings.validation import Keep
from capitate.training.training_state import TrainingState
from capitate.training.validation import judge, kept_back
from capitate.training.view_store import ViewStore
from capitate.training.weights import load_weights, save_weights

__all__ = ["BEST", "Result", "predict", "train"]

BEST = "best.safetensors"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Result:
    """What training gives.

    Attributes:
        network: with the weights that the run ends with.
        history: one dictionary an epoch.
        validation: the smallest error on the films kept back, months, and its epoch; empty without such films.
    """

    network: BoneAgeNetwork
    history: list[dict[str, float]]
    validation: dict[str, float]


def train(
    store: ViewStore,
    rows: NDArray[np.int64],
    config: BoneAgeConfig,
    *,
    folder: Path,
    teacher: NDArray[np.float32] | None = None,
    start: dict[str, Tensor] | None = None,
    fabric: Fabric | None = None,
) -> Result:
    """Train on `rows` of the store.

    Args:
        store: films.
        rows: which of them to learn from; `validation.share` of these is kept back to choose the best weights.
        config: the experiment.
        folder: for checkpoints and curves; training resumes from its checkpoint if it is there.
        teacher: probabilities (len(store), 3, 240) by sex index, for distillation.
        start: weights to begin with instead of random ones.
        fabric: processes and their device, made from the experiment if None.

    Raises:
        UsageError: if the checkpoint in the folder is of another experiment, or the loss is no number any more.
        ReportWriteError: if the disk is full; the previous checkpoint stays.
    """
    fabric = fabric or make_fabric(config.devices)
    folder.mkdir(parents=True, exist_ok=True)
    training = _Training(store, rows, config, folder=folder, fabric=fabric, teacher=teacher, start=start)
    with deterministic(wanted=config.devices.deterministic):
        return training.run()


class _Training:
    """One call of `train`: what its steps share."""

    def __init__(
        self,
        store: ViewStore,
        rows: NDArray[np.int64],
        config: BoneAgeConfig,
        *,
        folder: Path,
        fabric: Fabric,
        teacher: NDArray[np.float32] | None,
        start: dict[str, Tensor] | None,
    ) -> None:
        torch.manual_seed(config.seed)
        kept = kept_back(store.ids[rows].tolist(), share=config.validation.share)
        self.store, self.kept, self.config, self.folder, self.fabric = store, rows[kept], config, folder, fabric
        self.feeder = Feeder(
            store,
            rows[~kept],
            config,
            rank=fabric.global_rank,
            processes=fabric.world_size,
            device=fabric.device,
            teacher=teacher,
        )
        if start is None and not (folder / CHECKPOINT).exists():
            start = first_weights(config.network, store.months[rows[~kept]])
        self.state = TrainingState(config, fabric, steps_an_epoch=self.feeder.steps, start=start)
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
        state.line = Meter()
        if self.curves is not None:
            self.curves.batch({"epoch": state.epoch + 1, "step": state.taken, "learning_rate": state.rate, **figures})

    def _end_epoch(self, stage: Stage) -> None:
        """Average, judge on the films kept back, move the schedule, and write the epoch's line."""
        state = self.state
        figures = self._finite(state.whole)
        state.epoch, state.step, state.whole = state.epoch + 1, 0, Meter()
        if state.swa is not None and state.epoch > self._epochs - self.config.swa.epochs:
            state.swa.update_parameters(state.network)
        judged = self._judge(state.judged, stage)
        state.schedule.after_epoch(state.epoch, judged.get("mae"))
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
        """Measure a network on the films kept back, and keep it if it is the best."""
        if not self.kept.size:
            return {}
        state, size = self.state, (stage.height, stage.width)
        figures = judge(network, self.store, self.kept, state.objective, size=size, fabric=self.fabric)
        if state.best.better(figures["mae"], state.epoch, self.config.validation) and self.fabric.is_global_zero:
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
        chosen = {"mae": state.best.mae, "epoch": float(state.best.epoch)} if self.kept.size else {}
        return Result(network.eval(), state.history, chosen)

    def _settle(self, network: nn.Module, stage: Stage) -> None:
        """Give an equal mean of weights the batch statistics that belong to it."""
        feeder = Feeder(self.store, self.feeder.rows, self.config, device=self.fabric.device)
        feeder.start(self._epochs, stage)
        shares = (feeder.batch(step).to(self.fabric.device) for step in range(feeder.steps))
        settle_norms(network, ({"views": one.views, "sexes": one.sexes} for one in shares))
