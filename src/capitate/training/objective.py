"""What training makes small, in one place: the loss on the labels, and the teachers' share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from capitate.training.batches import Batch
from capitate.training.config import BoneAgeConfig
from capitate.training.losses import LOSSES, distillation, expectation

__all__ = ["Objective", "answer", "make_objective"]

Objective = Callable[[Tensor, Batch], Tensor]


def make_objective(config: BoneAgeConfig) -> Objective:
    """Bind an experiment's loss: the network's output and a batch to the mean over its films."""
    labels, share = LOSSES[config.optimiser.loss], config.optimiser.distil

    def objective(output: Tensor, batch: Batch) -> Tensor:
        if batch.teacher is None:
            return labels(output, batch.months)
        return share * distillation(output, batch.teacher) + (1 - share) * labels(output, batch.months)

    return objective


def answer(output: Tensor) -> Tensor:
    """Give the bone age in months (n,) that an output stands for in the curves: the distribution's mean."""
    return expectation(output.detach())
