"""Everything that moves while a network trains, one step of it, and its checkpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from capitate.errors import UsageError
from capitate.training.averages import RunningAverage, stochastic_average
from capitate.training.checkpoint import read_checkpoint, restore_optimiser, write_checkpoint
from capitate.training.devices import gathered, summed
from capitate.training.meter import Meter
from capitate.training.networks import parameter_groups
from capitate.training.optimisers import make_optimiser
from capitate.training.schedules import Schedule
from capitate.training.settings.devices import Precision
from capitate.training.task import Batch, Task
from capitate.training.validation import Best

__all__ = ["TrainingState"]


class TrainingState:
    """Network, averages, optimiser, schedule, sums, best, and the place in the run.

    Attributes:
        network: what learns.
        epoch: epochs that are done.
        step: steps of the current epoch that are done.
        history: one dictionary an epoch.
        line: sums since the last line of the batch curve.
        whole: sums of the current epoch.
        best: smallest validation error.
        rate: highest learning rate of the last step.
    """

    def __init__(
        self,
        task: Task[Any, Any],
        fabric: Fabric,
        *,
        steps_an_epoch: int,
        start: dict[str, Tensor] | None = None,
    ) -> None:
        """Build everything as it is before the first step.

        Args:
            task: the experiment with its data.
            fabric: processes and their device.
            steps_an_epoch: for the schedule.
            start: weights to begin with instead of random ones.
        """
        self.task, self.config, self.fabric, self.steps_an_epoch = task, task.config, fabric, steps_an_epoch
        config = task.config
        self.network = task.network()
        self.network.to(memory_format=torch.channels_last)
        if start is not None:
            self.network.load_state_dict(start)
        self._module = fabric.setup_module(self.network)
        if fabric.global_rank:
            torch.manual_seed(config.seed + fabric.global_rank * 1_000_003)  # else dropout hides the same units in all
        settings = config.optimiser
        groups = parameter_groups(
            self.network,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            layer_decay=config.freezing.layer_decay,
        )
        self.optimiser = make_optimiser(groups, settings)
        self.schedule = Schedule(
            self.optimiser, config.schedule, settings=settings, swa=config.swa, steps_an_epoch=steps_an_epoch
        )
        self.average = RunningAverage(self.network, most=settings.average) if settings.average else None
        self.swa: AveragedModel | None = stochastic_average(self.network) if config.swa.epochs else None
        self.epoch, self.step, self.rate = 0, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.line, self.whole, self.best = Meter(task.figures), Meter(task.figures), Best()

    @property
    def taken(self) -> int:
        """Steps taken since the beginning of the run."""
        return self.epoch * self.steps_an_epoch + self.step

    @property
    def judged(self) -> nn.Module:
        """The network that answers: the running average if there is one."""
        return self.network if self.average is None else self.average.network

    def take(self, batch: Batch, *, began: float) -> None:
        """Take one step of the optimiser, and sum up what it says.

        Args:
            batch: this process's share.
            began: when the step began to wait for its data, `time.perf_counter`.
        """
        data_seconds = time.perf_counter() - began
        sums = summed(self.fabric, self._gradients(batch.to(self.fabric.device)))
        if self.config.optimiser.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimiser.clip)
        self.rate = max(self.schedule.rates)
        self.optimiser.step()
        self.schedule.after_step()
        if self.average is not None:
            self.average.follow(self.network, taken=self.schedule.taken)
        self.step += 1
        seconds = time.perf_counter() - began
        for meter in (self.line, self.whole):
            meter.add(sums, seconds=seconds, data_seconds=data_seconds)

    def _gradients(self, batch: Batch) -> Tensor:
        """Add the gradients of all parts up to that of the mean over the whole step's examples; give their sums."""
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        parts = list(batch.parts(self.config.optimiser.accumulate))
        sums = torch.zeros(self.task.terms, dtype=torch.float64, device=self.fabric.device)
        for k, part in enumerate(parts):
            with self.fabric.no_backward_sync(self._module, enabled=k + 1 < len(parts)):
                with self._products():
                    answer = self.task.answer(self._module, part)
                loss = self.task.loss(answer, part)
                share = len(part) * self.fabric.world_size / part.of
                self.fabric.backward(loss if share == 1 else loss * share)
            sums += self.task.sums(answer, part, loss)
        return sums

    def _products(self) -> torch.autocast:
        """Compute products in the precision of the experiment."""
        wanted = self.config.devices.precision is Precision.BF16
        return torch.autocast(self.fabric.device.type, torch.bfloat16, enabled=wanted)

    def save(self, path: Path, *, draws: Tensor) -> None:
        """Write the checkpoint in full, then put it in place of the previous one; all processes call this.

        Args:
            path: of the file.
            draws: state of this process's random numbers for augmentation.

        Raises:
            ReportWriteError: if it cannot be written; the previous one stays.
        """
        random = {"torch": torch.get_rng_state(), "draws": draws}
        if self.fabric.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.fabric.device)
        kept = {name: gathered(self.fabric, value) for name, value in random.items()}
        if self.fabric.is_global_zero:
            parts = {name: one.state_dict() for name, one in self._parts().items()}
            place = {"epoch": self.epoch, "step": self.step, "history": self.history, "best": self.best.state_dict()}
            write_checkpoint({**parts, **place, "random": kept}, path)
        self.fabric.barrier()

    def resume(self, path: Path) -> Tensor | None:
        """Go on from a checkpoint if there is one.

        Returns:
            State of the random numbers for augmentation, for an epoch that was broken off; None without a checkpoint.

        Raises:
            UsageError: if the file is damaged or belongs to another network or experiment.
        """
        if not path.exists():
            return None
        state = read_checkpoint(path)
        try:
            for name, one in self._parts().items():
                if name == "optimiser":
                    restore_optimiser(self.optimiser, state[name])
                else:
                    one.load_state_dict(state[name])
            self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]
            self.best = Best(**state["best"])
            return self._restore_random(state["random"])
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UsageError(
                f"the checkpoint {path} is of another network or experiment: {reason}; remove it or change --out"
            ) from error

    def _restore_random(self, random: dict[str, Tensor]) -> Tensor:
        # cloned, because torch reads a state from the beginning of its storage, where that of the first process lies
        mine = {name: states[self.fabric.global_rank].clone() for name, states in random.items()}
        torch.set_rng_state(mine["torch"])
        if self.fabric.device.type == "cuda":
            torch.cuda.set_rng_state(mine["cuda"], self.fabric.device)
        return mine["draws"]

    def _parts(self) -> dict[str, Any]:
        """What a checkpoint keeps by its own state."""
        parts: dict[str, Any] = {
            "network": self.network,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
            "line": self.line,
            "whole": self.whole,
        }
        if self.average is not None:
            parts["average"] = self.average.network
        if self.swa is not None:
            parts["swa"] = self.swa
        return parts
