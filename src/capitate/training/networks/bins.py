"""The 240 months over which every network states its answer."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["BINS", "BIN_MONTHS", "bin_centres", "expectation"]

BINS = 240
BIN_MONTHS = 1.0


def bin_centres(device: torch.device | str = "cpu") -> Tensor:
    """Give the bone age in months at each bin of the distribution, float32 (240,): 0, 1, ... 239."""
    return torch.arange(BINS, device=device, dtype=torch.float32) * BIN_MONTHS


def expectation(logits: Tensor) -> Tensor:
    """Mean of the distribution, months (n,)."""
    return logits.softmax(1) @ bin_centres(logits.device)
