"""What training makes small, in one place: the loss on the labels, and the teachers' share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from capitate.training.batches import Batch
from capitate.training.config import BoneAgeConfig
from capitate.training.losses import distillation, make_loss
from capitate.training.networks import Answer

__all__ = ["Objective", "make_objective"]

Objective = Callable[[Answer, Batch], Tensor]


def make_objective(config: BoneAgeConfig) -> Objective:
    """Bind an experiment's loss: the network's answer and a batch to the mean over its films."""
    labels, share = make_loss(config.optimiser.loss, config.loss), config.optimiser.distil

    def objective(answer: Answer, batch: Batch) -> Tensor:
        if batch.teacher is None:
            return labels(answer, batch.months)
        return share * distillation(answer.logits, batch.teacher) + (1 - share) * labels(answer, batch.months)

    return objective
