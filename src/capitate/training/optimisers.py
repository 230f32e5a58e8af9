"""From settings to torch's optimisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from capitate.training.settings.optimiser import OptimiserConfig, OptimiserName

__all__ = ["make_optimiser", "parameter_groups"]


def parameter_groups(network: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels, not biases, norms and embeddings of one dimension."""
    heavy = [p for p in network.parameters() if p.ndim > 1]
    light = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": heavy, "weight_decay": weight_decay}, {"params": light, "weight_decay": 0.0}]


def make_optimiser(groups: Sequence[dict[str, Any]], config: OptimiserConfig) -> torch.optim.Optimizer:
    """Build the optimiser.

    Args:
        groups: of parameters; a group's own `lr` is its highest rate, `config.learning_rate` if it has none.
        config: the settings.
    """
    filled = [{"lr": config.learning_rate, **group} for group in groups]
    if config.name is OptimiserName.SGD:
        return torch.optim.SGD(filled, momentum=config.momentum, nesterov=config.nesterov)
    kind = torch.optim.Adam if config.name is OptimiserName.ADAM else torch.optim.AdamW
    return kind(filled)
