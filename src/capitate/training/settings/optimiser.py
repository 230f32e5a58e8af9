"""How a network is optimised, and on what schedule."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OptimiserConfig", "Stage"]


@dataclass(frozen=True)
class Stage:
    """A part of the schedule at one resolution: epochs, rows and columns."""

    epochs: int
    height: int
    width: int


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with one cycle, exponential moving average of the weights.

    Attributes:
        stages: parts of the schedule.
        batch: films a step.
        learning_rate: peak of the cycle.
        weight_decay: of matrices and kernels.
        warm_up: share of the steps before the peak.
        average: most that the running average of the weights keeps a step.
        clip: largest norm of the gradient.
        loss: see `capitate.training.losses.LOSSES`.
        unknown_sex: share of films whose sex is hidden.
        distil: share of the teachers' answer in the loss.
        consistency: weight of the distance between the answers to two augmentations of a film; above 0 every film of
            a batch is seen twice. An age that moves with the film's frame cannot minimise it.
    """

    stages: tuple[Stage, ...] = (Stage(12, 160, 128),)
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    average: float = 0.998
    clip: float = 1.0
    loss: str = "combined"
    unknown_sex: float = 0.15
    distil: float = 0.0
    consistency: float = 0.0
