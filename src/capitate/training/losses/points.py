"""Losses of one number in months, and of a number with a scale; e is what is predicted less the bone age."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

__all__ = [
    "gaussian",
    "huber",
    "l1",
    "l1_l2",
    "l1_relative",
    "laplace",
    "mse",
    "smooth_l1",
    "squared",
    "wing",
]


def l1(predicted: Tensor, months: Tensor) -> Tensor:
    """Mean of |e|, months."""
    return functional.l1_loss(predicted, months)


def mse(predicted: Tensor, months: Tensor) -> Tensor:
    """Mean of e squared, square months."""
    return functional.mse_loss(predicted, months)


def squared(predicted: Tensor, months: Tensor) -> Tensor:
    """Mean of e squared, scaled by 1 / 20 months so that steps are of L1's size."""
    return mse(predicted, months) / 20.0


def huber(predicted: Tensor, months: Tensor, *, delta: float = 6.0) -> Tensor:
    """Huber's loss: e squared / 2 up to `delta` months, beyond it delta (|e| - delta / 2).

    Source: Huber 1964, Annals of Mathematical Statistics 35:73.
    """
    return functional.huber_loss(predicted, months, delta=delta)


def smooth_l1(predicted: Tensor, months: Tensor, *, beta: float = 6.0) -> Tensor:
    """Smooth L1: e squared / (2 beta) up to `beta` months, beyond it |e| - beta / 2 (Girshick 2015, ICCV)."""
    return functional.smooth_l1_loss(predicted, months, beta=beta)


def wing(predicted: Tensor, months: Tensor, *, width: float = 10.0, curvature: float = 2.0) -> Tensor:
    """Wing loss: w ln(1 + |e| / epsilon) below `width` w months, beyond it |e| less what makes both meet.

    Source: Feng et al. 2018, CVPR, with their w = 10 and epsilon = 2, there in pixels.
    """
    error = (predicted - months).abs()
    meets = width - width * math.log1p(width / curvature)
    return (width * (error / curvature).log1p()).where(error < width, error - meets).mean()


def l1_l2(predicted: Tensor, months: Tensor, *, l1_share: float = 0.5) -> Tensor:
    """Mean of `l1_share` |e| + (1 - `l1_share`) e squared."""
    return l1_share * l1(predicted, months) + (1 - l1_share) * mse(predicted, months)


def l1_relative(predicted: Tensor, months: Tensor, *, relative_share: float = 0.3, floor: float = 12.0) -> Tensor:
    """Mean of (1 - share) |e| + share |e| / age, with ages below `floor` months counted as `floor`.

    The hybrid loss of BoneXage-assessment divides by the age alone, which has no bound near birth.
    """
    error = (predicted - months).abs()
    return ((1 - relative_share) * error + relative_share * error / months.clamp_min(floor)).mean()


def gaussian(predicted: Tensor, scale: Tensor, months: Tensor) -> Tensor:
    """Mean of minus the logarithm of a normal density: ln(2 pi s^2) / 2 + e^2 / (2 s^2), `scale` s in months."""
    error = (predicted - months) / scale
    return (0.5 * math.log(2 * math.pi) + scale.log() + 0.5 * error.square()).mean()


def laplace(predicted: Tensor, scale: Tensor, months: Tensor) -> Tensor:
    """Mean of minus the logarithm of a Laplace density: ln(2 b) + |e| / b, `scale` b in months."""
    return ((2 * scale).log() + (predicted - months).abs() / scale).mean()
