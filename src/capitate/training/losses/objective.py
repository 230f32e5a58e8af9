"""Losses by name: from a network's answer and the bone age in months to a scalar, in months."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from torch import Tensor

from capitate.errors import UsageError
from capitate.training.losses import distributions, points
from capitate.training.networks.answer import Answer, answer_of
from capitate.training.settings.loss import LossConfig, LossName

__all__ = ["LOSSES", "Loss", "make_loss"]

Loss = Callable[[Answer | Tensor, Tensor], Tensor]
"""Takes an answer, or logits (n, 240) alone, and months (n,)."""

_OfPair = Callable[[Tensor, Tensor], Tensor]


def make_loss(name: str, config: LossConfig | None = None) -> Loss:
    """Build the loss that `optimiser.loss` names.

    Args:
        name: one of `LossName`.
        config: its numbers, the defaults if None.

    Raises:
        UsageError: naming the losses that there are.
    """
    if name not in set(LossName):
        raise UsageError(f"optimiser.loss must be one of {', '.join(LossName)}, got {name!r}")
    config = config or LossConfig()
    likelihoods = {LossName.GAUSSIAN: points.gaussian, LossName.LAPLACE: points.laplace}
    if name in likelihoods:
        return partial(_of_scale, likelihoods[LossName(name)])
    of_months = _of_months(config)
    if name in of_months:
        return partial(_of_point, of_months[LossName(name)])
    return partial(_of_logits, _of_distributions(config)[LossName(name)])


def _of_months(config: LossConfig) -> dict[LossName, _OfPair]:
    return {
        LossName.L1: points.l1,
        LossName.MSE: points.mse,
        LossName.SQUARED: points.squared,
        LossName.HUBER: partial(points.huber, delta=config.huber_delta),
        LossName.SMOOTH_L1: partial(points.smooth_l1, beta=config.smooth_l1_beta),
        LossName.WING: partial(points.wing, width=config.wing_width, curvature=config.wing_curvature),
        LossName.L1_L2: partial(points.l1_l2, l1_share=config.l1_share),
        LossName.L1_RELATIVE: partial(
            points.l1_relative, relative_share=config.relative_share, floor=config.relative_floor
        ),
    }


def _of_distributions(config: LossConfig) -> dict[LossName, _OfPair]:
    return {
        LossName.COMBINED: partial(distributions.combined, sigma=config.label_sigma),
        LossName.CRPS: distributions.crps,
        LossName.LABEL_DISTRIBUTION: partial(distributions.label_distribution, sigma=config.label_sigma),
        LossName.LABEL_AND_L1: partial(distributions.label_and_l1, sigma=config.label_sigma),
        LossName.ORDINAL: distributions.ordinal,
    }


def _of_point(loss: _OfPair, answer: Answer | Tensor, months: Tensor) -> Tensor:
    return loss(_whole(answer).months, months)


def _of_logits(loss: _OfPair, answer: Answer | Tensor, months: Tensor) -> Tensor:
    return loss(_whole(answer).logits, months)


def _of_scale(loss: Callable[[Tensor, Tensor, Tensor], Tensor], answer: Answer | Tensor, months: Tensor) -> Tensor:
    whole = _whole(answer)
    if whole.scale is None:
        raise UsageError(
            "a Gaussian or Laplace likelihood needs the scale that the head states, got an answer without one; set "
            "network.head = 'scalar' and network.spread = 'predicted'"
        )
    return loss(whole.months, whole.scale, months)


def _whole(answer: Answer | Tensor) -> Answer:
    return answer if isinstance(answer, Answer) else answer_of(answer)


LOSSES: Mapping[str, Loss] = MappingProxyType({str(name): make_loss(name) for name in LossName})
"""Every loss with its default numbers."""
