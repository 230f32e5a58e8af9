"""Exposure, contrast and noise: what the generator, the plate and the window do to a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Noise", "Tone"]


@dataclass(frozen=True, eq=False)
class Tone:
    """Power law, gain and offset of grey levels in [0, 1].

    kornia's `adjust_gamma` cuts off at white before an offset could bring a highlight back, so the formula is written
    out here; nothing is cut off until noise has been added.

    Attributes:
        gamma: (n,) exponents.
        gain: (n,) factors.
        offset: (n,) shares of the range of grey levels.
    """

    gamma: Tensor
    gain: Tensor
    offset: Tensor

    COLUMNS: ClassVar[int] = 3

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Tone:
        """Draw all three for every view."""
        return cls(
            gamma=torch.exp(chances.even() * config.gamma),
            gain=1 + chances.even() * config.contrast,
            offset=chances.even().clamp(min=-0.4) * config.contrast * 0.4,
        )

    def apply(self, x: Tensor) -> Tensor:
        """Change views (n, 1, height, width); the result may leave [0, 1]."""
        gamma, gain, offset = (v.to(x.device)[:, None, None, None] for v in (self.gamma, self.gain, self.offset))
        return x.clamp(0, 1).pow(gamma).mul_(gain).add_(offset)


@dataclass(frozen=True, eq=False)
class Noise:
    """Normal noise of every pixel.

    Attributes:
        deviation: (n,) standard deviations, shares of the range of grey levels; the square of an even draw times the
            largest, so that most views have little.
        seeds: int64 (n,), what each view's noise is made from. The same kind of device makes the same noise.
    """

    deviation: Tensor
    seeds: Tensor

    COLUMNS: ClassVar[int] = 3

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Noise:
        """Draw how much noise each view gets, and from which seed."""
        return cls(chances.take(1)[:, 0].square() * (config.noise / 255), chances.seeds())

    def apply(self, x: Tensor) -> Tensor:
        """Add noise to views (n, 1, height, width), in place."""
        generator = torch.Generator(x.device)
        noise = torch.empty_like(x[0])
        for view, deviation, seed in zip(x, self.deviation.tolist(), self.seeds.tolist(), strict=True):
            if deviation > 0:
                view.add_(noise.normal_(generator=generator.manual_seed(seed)), alpha=deviation)
        return x
