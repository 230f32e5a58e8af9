"""What training makes small, in one place: the loss on the labels, the teachers' share, and consistency."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from capitate.training.batches import Batch
from capitate.training.config import BoneAgeConfig
from capitate.training.losses import distillation, inconsistency, make_loss
from capitate.training.networks import Answer

__all__ = ["Objective", "make_objective"]

Objective = Callable[[Answer, Batch], Tensor]


def make_objective(config: BoneAgeConfig) -> Objective:
    """Bind an experiment's loss: the network's answer and a batch to the mean over its films."""
    labels, settings = make_loss(config.optimiser.loss, config.loss), config.optimiser

    def objective(answer: Answer, batch: Batch) -> Tensor:
        total = labels(answer, batch.months)
        if batch.teacher is not None:
            total = settings.distil * distillation(answer.logits, batch.teacher) + (1 - settings.distil) * total
        return total + settings.consistency * inconsistency(answer.logits) if batch.paired else total

    return objective
