"""How far augmentation goes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AugmentConfig"]


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation; see `capitate.training.augment`."""

    rotation: float = 12.0
    scale: float = 0.10
    aspect: float = 0.08
    shear: float = 0.08
    shift: float = 0.06
    flip: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.25
    noise: float = 6.0
    blur: float = 0.3
    surroundings: float = 0.4
    patches: float = 0.5
