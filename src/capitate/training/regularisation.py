"""Dropout that goes with the size of a stage: weaker on small views, stronger on large ones."""

from __future__ import annotations

from torch import nn

__all__ = ["Dropouts"]


class Dropouts:
    """The dropout layers of a network and their own rates."""

    def __init__(self, network: nn.Module) -> None:
        """Find them."""
        kinds = (nn.Dropout, nn.Dropout2d)
        self._layers = [(one, one.p) for one in network.modules() if isinstance(one, kinds)]

    def set(self, rate: float | None) -> None:
        """Give all of them one rate, or each its own again for None."""
        for layer, own in self._layers:
            layer.p = own if rate is None else rate
