"""From settings to torch's optimisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from capitate.training.settings.optimiser import OptimiserConfig, OptimiserName

__all__ = ["make_optimiser"]


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
