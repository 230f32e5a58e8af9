"""What lies beside the hand: repainted or overlaid, so that a network cannot rest on letters, edges and neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Surroundings"]

_RECTANGLES = 2


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Grey surroundings and rectangles.

    Attributes:
        grey: (n,) level in [0, 1] that replaces everything outside the hand, or -1 for none. 0.6 of those drawn are
            even in [0, 0.7], the others black.
        patches: (n, 2, 5) rectangles x, y, width, height in fractions and grey level; width 0 for none.
    """

    grey: Tensor
    patches: Tensor

    COLUMNS: ClassVar[int] = 3 + _RECTANGLES * 6

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Surroundings:
        """Draw both for every view."""
        replaced, light, level = chances.below(config.surroundings), chances.below(0.6), chances.take(1)[:, 0]
        numbers = chances.take(_RECTANGLES * 6).unflatten(1, (_RECTANGLES, 6))
        patches = numbers[:, :, :5].clone()
        patches[:, :, 2:4] = patches[:, :, 2:4] * 0.2 + 0.02
        patches[:, :, 2] *= (numbers[:, :, 5] < config.patches).float()
        return cls(torch.where(replaced, level * 0.7 * light.float(), torch.full_like(level, -1.0)), patches)

    def apply(self, x: Tensor, masks: Tensor) -> Tensor:
        """Repaint views.

        Args:
            x: float (n, 1, height, width) in [0, 1].
            masks: bool, as large: the dilated hand, which is never touched.
        """
        grey = self.grey.to(x.device)[:, None, None, None]
        x = torch.where(masks | (grey < 0), x, grey)
        if not bool((self.patches[:, :, 2] > 0).any()):
            return x
        rows, columns = (torch.arange(size, device=x.device) / size for size in x.shape[2:])
        for rectangles in self.patches.to(x.device).unbind(1):
            left, top, width, height, level = rectangles.unbind(1)
            across, down = _between(columns, left, width), _between(rows, top, height)
            inside = (across[:, None, :] & down[:, :, None])[:, None]
            x = torch.where(inside & ~masks, level[:, None, None, None], x)
        return x


def _between(places: Tensor, start: Tensor, length: Tensor) -> Tensor:
    """Tell which places (m,) lie in [start, start + length) of every view, bool (n, m)."""
    end = start + length
    return (places >= start[:, None]) & (places < end[:, None])
