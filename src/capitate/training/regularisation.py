"""Regularisation that goes with the size of a stage: weaker on small views, stronger on large ones."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from capitate.training.settings.augment import AugmentConfig

__all__ = ["Dropouts", "strengthened"]

_RANGES = (
    "rotation",
    "scale",
    "aspect",
    "shear",
    "shift",
    "gamma",
    "contrast",
    "noise",
)
_CHANCES = ("blur", "surroundings", "patches")


def strengthened(config: AugmentConfig, factor: float) -> AugmentConfig:
    """Multiply the ranges of an augmentation and how often its parts come, these up to always; flips stay.

    Args:
        config: of factor 1.
        factor: 0 for none.
    """
    if factor == 1:
        return config
    ranges = {name: getattr(config, name) * factor for name in _RANGES}
    return replace(config, **ranges, **{name: min(1.0, getattr(config, name) * factor) for name in _CHANCES})


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
