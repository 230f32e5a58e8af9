"""A cheap convolution for maps at fine strides."""

from __future__ import annotations

from torch import nn

__all__ = ["separable"]


def separable(inputs: int, outputs: int) -> nn.Module:
    """Build a depthwise and a pointwise convolution, each with its norm, and an activation at the end."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
