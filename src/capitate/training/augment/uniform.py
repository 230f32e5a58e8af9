"""UniformAugment: some operations a view, each at an even probability and an even magnitude, nothing to tune.

LingChen, Khonsari, Lashkari, Nazari, Sambee, Nascimento: UniformAugment: A Search-free Probabilistic Data Augmentation
Approach, arXiv:2003.14348 (2020), for colour photographs. Of its operations colour is left out because a film has none,
and inversion, solarisation and pairing of samples because what they give is no radiograph. Shear and shift are narrowed
to what a hand on a plate can do; the other ranges are those of the publication.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import torch
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    equalize,
    normalize_min_max,
    posterize,
    sharpness,
)
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.augment.geometry import warp
from capitate.training.settings.augment import MOST_OPERATIONS, AugmentConfig

__all__ = ["Operation", "UniformAugment", "change"]

SHEAR, SHIFT, TURN, CUT_OUT = 0.2, 0.1, 30.0, 0.2
"""Largest shear (slide across one side, as a share of the other), shift (shares of a side), rotation (degrees) and side
of the cut-out square (shares of the width)."""
FACTORS = (0.1, 1.9)
"""Range of the factors of contrast, brightness and sharpness; 1 changes nothing."""
BITS = (4, 8)
"""Range of the bits that posterisation leaves."""


class Operation(IntEnum):
    """What may be done to a view."""

    SHEAR_ACROSS = 0
    SHEAR_DOWN = 1
    SHIFT_ACROSS = 2
    SHIFT_DOWN = 3
    TURN = 4
    STRETCH = 5
    EQUALIZE = 6
    POSTERIZE = 7
    CONTRAST = 8
    BRIGHTNESS = 9
    SHARPNESS = 10
    CUT_OUT = 11


@dataclass(frozen=True, eq=False)
class UniformAugment:
    """What is done to every view, one operation after the other.

    Attributes:
        operation: int64 (n, operations), see `Operation`; -1 for none.
        magnitude: (n, operations) in [0, 1], the whole range of the operation.
        place: (n, operations, 2), centre of a cut-out square, shares of width and height.
    """

    operation: Tensor
    magnitude: Tensor
    place: Tensor

    COLUMNS: ClassVar[int] = MOST_OPERATIONS * 6

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> UniformAugment:
        """Draw operations, whether each is carried out, and how far each goes."""
        count = int(config.uniform_operations)
        which, probability, gate, magnitude, x, y = chances.take(6 * count).unflatten(1, (6, count)).unbind(1)
        operation = (which * len(Operation)).long()
        return cls(torch.where(gate < probability, operation, -1), magnitude, torch.stack([x, y], 2))

    def apply(self, x: Tensor) -> Tensor:
        """Change views (n, 1, height, width) in [0, 1]."""
        if not bool((self.operation >= 0).any()):
            return x
        x = x.clone()
        for turn in range(self.operation.shape[1]):
            for operation in Operation:
                rows = (self.operation[:, turn] == operation).nonzero()[:, 0]
                if rows.numel():
                    magnitude, place = (v[rows, turn].to(x.device) for v in (self.magnitude, self.place))
                    chosen = rows.to(x.device)
                    x[chosen] = change(x[chosen], operation, magnitude=magnitude, place=place)
        return x


def change(x: Tensor, operation: Operation, *, magnitude: Tensor, place: Tensor) -> Tensor:
    """Carry one operation out.

    Args:
        x: float (n, 1, height, width) in [0, 1].
        operation: which.
        magnitude: (n,) in [0, 1]; 0.5 changes nothing where an operation goes both ways.
        place: (n, 2), see `UniformAugment`.

    Returns:
        As `x`.
    """
    if operation in _MATRICES:
        return warp(x, _MATRICES[operation](magnitude * 2 - 1))
    if operation is Operation.CUT_OUT:
        return _cut_out(x, magnitude * CUT_OUT, place)
    return _TONES[operation](x, magnitude)


def _matrix(across: tuple[Tensor, Tensor, Tensor], down: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    return torch.stack([torch.stack(across, 1), torch.stack(down, 1)], 1)


def _sheared(m: Tensor, *, across: bool) -> Tensor:
    one, zero, shear = torch.ones_like(m), torch.zeros_like(m), m * SHEAR
    return _matrix((one, shear if across else zero, zero), (zero if across else shear, one, zero))


def _shifted(m: Tensor, *, across: bool) -> Tensor:
    one, zero, shift = torch.ones_like(m), torch.zeros_like(m), m * 2 * SHIFT
    return _matrix((one, zero, shift if across else zero), (zero, one, zero if across else shift))


def _turned(m: Tensor) -> Tensor:
    angle, zero = m * math.radians(TURN), torch.zeros_like(m)
    return _matrix((angle.cos(), -angle.sin(), zero), (angle.sin(), angle.cos(), zero))


def _factor(m: Tensor) -> Tensor:
    return FACTORS[0] + (FACTORS[1] - FACTORS[0]) * m


def _posterized(x: Tensor, m: Tensor) -> Tensor:
    least, most = BITS
    return posterize(x, least + (m * (most - least + 1)).long().clamp(max=most - least).int())


def _cut_out(x: Tensor, side: Tensor, place: Tensor) -> Tensor:
    """Blacken a square of `side` times the view's width around each place."""
    height, width = x.shape[2:]
    down = (torch.arange(height, device=x.device) + 0.5 - place[:, 1:] * height).abs()[:, None, :, None]
    across = (torch.arange(width, device=x.device) + 0.5 - place[:, :1] * width).abs()[:, None, None, :]
    half = (side * width / 2)[:, None, None, None]
    return torch.where((down < half) & (across < half), torch.zeros_like(x), x)


_MATRICES: Mapping[Operation, Callable[[Tensor], Tensor]] = {
    Operation.SHEAR_ACROSS: lambda m: _sheared(m, across=True),
    Operation.SHEAR_DOWN: lambda m: _sheared(m, across=False),
    Operation.SHIFT_ACROSS: lambda m: _shifted(m, across=True),
    Operation.SHIFT_DOWN: lambda m: _shifted(m, across=False),
    Operation.TURN: _turned,
}
_TONES: Mapping[Operation, Callable[[Tensor, Tensor], Tensor]] = {
    Operation.STRETCH: lambda x, _: normalize_min_max(x),
    Operation.EQUALIZE: lambda x, _: equalize(x),
    Operation.POSTERIZE: _posterized,
    Operation.CONTRAST: lambda x, m: adjust_contrast_with_mean_subtraction(x, _factor(m)),
    Operation.BRIGHTNESS: lambda x, m: adjust_brightness_accumulative(x, _factor(m)),
    Operation.SHARPNESS: lambda x, m: sharpness(x, _factor(m)),
}
