"""How a network is optimised, and at which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BoneAgeOptimiserConfig", "OptimiserConfig", "OptimiserName", "Stage"]


class OptimiserName(StrEnum):
    """Torch's optimisers that an experiment may name."""

    ADAM = "adam"
    ADAMW = "adamw"
    SGD = "sgd"


@dataclass(frozen=True)
class Stage:
    """A part of the training at one size, written `[epochs, height, width]` or as a table.

    Small views first and stronger regularisation as they grow is progressive learning (Tan & Le 2021, EfficientNetV2,
    section 4); `dropout` and `augment` are that regularisation.

    Attributes:
        epochs: passes over the training films.
        height: rows of a view.
        width: columns of a view.
        dropout: rate of every dropout layer in this stage, the network's own if left out.
        augment: factor on the ranges of the augmentation in this stage.
    """

    epochs: int
    height: int
    width: int
    dropout: float | None = None
    augment: float = 1.0


@dataclass(frozen=True)
class OptimiserConfig:
    """Optimiser, batches, gradients and the running average of the weights.

    Attributes:
        stages: sizes and their epochs, in order.
        batch: films a step, over all devices and all parts of an accumulated step together.
        learning_rate: highest rate of the schedule.
        weight_decay: of matrices and kernels; biases, norms and embeddings of one dimension are not decayed.
        warm_up: share of the steps before the highest rate, for `one_cycle` and `cosine`.
        average: most that the exponential running average of the weights keeps a step; 0 for no average.
        clip: largest norm of the gradient; 0 for no limit.
        name: which of torch's optimisers.
        momentum: of `sgd`; Adam and AdamW have torch's own 0.9.
        nesterov: whether `sgd` looks ahead.
        accumulate: parts that a step's films are worked through in; gradients add up to those of the whole batch.
    """

    stages: tuple[Stage, ...] = (Stage(12, 160, 128),)
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    average: float = 0.998
    clip: float = 1.0
    name: OptimiserName = OptimiserName.ADAMW
    momentum: float = 0.9
    nesterov: bool = False
    accumulate: int = 1


@dataclass(frozen=True)
class BoneAgeOptimiserConfig(OptimiserConfig):
    """The same with what a bone-age network is optimised for.

    Attributes:
        loss: see `capitate.training.losses`.
        unknown_sex: share of films whose sex is hidden, so that the network answers without it too.
        distil: share of the teachers' distributions in the loss.
        consistency: weight of the distance between the answers to two augmentations of a film; above 0 every film of
            a batch is seen twice. An age that moves with the film's frame cannot minimise it.
    """

    loss: str = "combined"
    unknown_sex: float = 0.15
    distil: float = 0.0
    consistency: float = 0.0
