"""A norm over a whole map of features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["MapNorm"]


class MapNorm(nn.GroupNorm):
    """Mean 0 and variance 1 over all channels and cells of a film, then a factor and a shift for each channel.

    Cells keep their order of strength, which a norm of each cell alone would take away. Unlike torch's own group norm
    it does not look at the batch's size, so that a file with any number of films can be traced.
    """

    def __init__(self, features: int) -> None:
        """Norm maps of `features` channels."""
        super().__init__(1, features)

    def forward(self, x: Tensor) -> Tensor:
        """Norm (n, features, rows, columns).

        The map is laid out row by row first: torch 2.13's gradient on the CPU reads outside a channels-last map of few
        cells and ends the process (`GroupNormBackwardKernelImplChannelsLastInternal`; of its kind is pytorch/pytorch
        issue 115940).
        """
        return torch.group_norm(x.contiguous(), 1, self.weight, self.bias, self.eps)
