"""Which losses there are, the numbers inside them, and which networks they fit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from capitate.errors import UsageError
from capitate.training.settings.network import NetworkConfig, Spread, SpreadShape

__all__ = ["LossConfig", "LossName", "check_loss"]


class LossName(StrEnum):
    """Values of `optimiser.loss`; see `capitate.training.losses`."""

    COMBINED = "combined"
    CRPS = "crps"
    LABEL_DISTRIBUTION = "label_distribution"
    LABEL_AND_L1 = "label_and_l1"
    ORDINAL = "ordinal"
    L1 = "l1"
    MSE = "mse"
    SQUARED = "squared"
    HUBER = "huber"
    SMOOTH_L1 = "smooth_l1"
    WING = "wing"
    L1_L2 = "l1_l2"
    L1_RELATIVE = "l1_relative"
    GAUSSIAN = "gaussian"
    LAPLACE = "laplace"


_LIKELIHOODS = {LossName.GAUSSIAN: SpreadShape.NORMAL, LossName.LAPLACE: SpreadShape.LAPLACE}
_SEE_NO_SPREAD = frozenset(
    {
        LossName.L1,
        LossName.MSE,
        LossName.SQUARED,
        LossName.HUBER,
        LossName.SMOOTH_L1,
        LossName.WING,
        LossName.L1_L2,
        LossName.L1_RELATIVE,
    }
)


@dataclass(frozen=True)
class LossConfig:
    """Widths and shares; which loss is taken is `optimiser.loss`. Errors e are in months.

    Attributes:
        label_sigma: standard deviation of the label distribution, months.
        huber_delta: error from which Huber's loss grows linearly, months.
        smooth_l1_beta: the same of smooth L1, months.
        wing_width: error from which the wing loss grows linearly, months (w of Feng et al. 2018).
        wing_curvature: how sharp it is around zero, months (epsilon there).
        l1_share: weight of |e| beside e squared in `l1_l2`.
        relative_share: weight of |e| / age beside |e| in `l1_relative`.
        relative_floor: least age that an error is divided by, months.
    """

    label_sigma: float = 5.0
    huber_delta: float = 6.0
    smooth_l1_beta: float = 6.0
    wing_width: float = 10.0
    wing_curvature: float = 2.0
    l1_share: float = 0.5
    relative_share: float = 0.3
    relative_floor: float = 12.0

    def __post_init__(self) -> None:
        """Refuse numbers that make no loss.

        Raises:
            UsageError: naming the key.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share"):
                if not 0 <= value <= 1:
                    raise UsageError(f"loss.{field.name} must lie between 0 and 1, got {value}")
            elif not value > 0:
                raise UsageError(f"loss.{field.name} must be above 0, got {value}")


def check_loss(name: str, network: NetworkConfig) -> None:
    """Refuse a loss that there is not, or that a network cannot learn by.

    Args:
        name: value of `optimiser.loss`.
        network: that is to learn.

    Raises:
        UsageError: naming the keys that do not go together.
    """
    if name not in set(LossName):
        raise UsageError(f"optimiser.loss must be one of {', '.join(LossName)}, got {name!r}")
    if name in _LIKELIHOODS:
        shape = _LIKELIHOODS[LossName(name)]
        if network.spread != Spread.PREDICTED or network.spread_shape != shape:
            raise UsageError(
                f"optimiser.loss = {name!r} needs network.head = 'scalar', network.spread = 'predicted' and "
                f"network.spread_shape = '{shape}', got {network.head!r}, {network.spread!r} and "
                f"{network.spread_shape!r}"
            )
    elif network.spread == Spread.PREDICTED and name in _SEE_NO_SPREAD:
        raise UsageError(
            f"network.spread = 'predicted' would never be taught by optimiser.loss = {name!r}; use 'gaussian', "
            "'laplace' or 'crps', or network.spread = 'fitted'"
        )
