"""What training minimises: errors in months, distributions over months, and losses of yes or no."""

from capitate.training.losses.binary import focal, positive_weight, weighted_bce
from capitate.training.losses.distributions import (
    combined,
    crps,
    distillation,
    inconsistency,
    label_and_l1,
    label_distribution,
    ordinal,
)
from capitate.training.losses.objective import LOSSES, Loss, make_loss
from capitate.training.losses.points import (
    gaussian,
    huber,
    l1,
    l1_l2,
    l1_relative,
    laplace,
    mse,
    smooth_l1,
    squared,
    wing,
)
from capitate.training.networks.bins import expectation

__all__ = [
    "LOSSES",
    "Loss",
    "combined",
    "crps",
    "distillation",
    "expectation",
    "focal",
    "gaussian",
    "huber",
    "inconsistency",
    "l1",
    "l1_l2",
    "l1_relative",
    "label_and_l1",
    "label_distribution",
    "laplace",
    "make_loss",
    "mse",
    "ordinal",
    "positive_weight",
    "smooth_l1",
    "squared",
    "weighted_bce",
    "wing",
]
