"""Histogram matching: one film's grey levels brought to those of another, as if one machine had made both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig

__all__ = ["HistogramMatch", "levels_of"]

_LEVELS = 256


@dataclass(frozen=True, eq=False)
class HistogramMatch:
    """Which film of the batch each view is matched to, and how far.

    Attributes:
        partner: int64 (n,), place in the batch; a view's own place for none.
        share: (n,) of the way to the partner's grey levels, in [0, 1].
    """

    partner: Tensor
    share: Tensor

    COLUMNS: ClassVar[int] = 3

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> HistogramMatch:
        """Draw a partner among the others of the batch for the chosen share of views."""
        chosen, which, share = chances.below(config.histogram), chances.take(1)[:, 0], chances.take(1)[:, 0]
        n = len(chosen)
        places = torch.arange(n)
        others = (places + 1 + (which * (n - 1)).long()) % n
        chosen &= others != places
        return cls(torch.where(chosen, others, places), torch.where(chosen, share, torch.zeros_like(share)))

    def apply(self, x: Tensor, masks: Tensor) -> Tensor:
        """Match views.

        Levels are counted inside the hand, so that neither black borders nor markers take part; the table that results
        is applied to the whole view.

        Args:
            x: float (n, 1, height, width) in [0, 1].
            masks: bool, as large: the dilated hand.
        """
        chosen = (self.partner != torch.arange(len(self.partner))).nonzero()[:, 0]
        if chosen.numel() == 0:
            return x
        levels, own = (x * (_LEVELS - 1)).round().long().clamp_(0, _LEVELS - 1), chosen.to(x.device)
        theirs = self.partner[chosen].to(x.device)
        table = levels_of(_below(levels[own], masks[own]), _below(levels[theirs], masks[theirs]))
        share = self.share[chosen].to(x.device)[:, None, None, None]
        matched = table.gather(1, levels[own].flatten(1)).view_as(x[own])
        x = x.clone()
        x[own] = torch.lerp(x[own], matched, share)
        return x


def levels_of(own: Tensor, wanted: Tensor) -> Tensor:
    """Give for every grey level the one at which another film has as many pixels at or below it.

    Args:
        own: (n, 256) shares of pixels at or below each level.
        wanted: the same of the films to match.

    Returns:
        float (n, 256) in [0, 1], never falling.
    """
    found = torch.searchsorted(wanted.contiguous(), (own - 1e-6).contiguous())
    return found.clamp_(max=_LEVELS - 1).float() / (_LEVELS - 1)


def _below(levels: Tensor, masks: Tensor) -> Tensor:
    """Give the share of pixels of the hand, or of the view if it has none, at or below each grey level, (n, 256)."""
    masks = masks | ~masks.flatten(1).any(1)[:, None, None, None]
    counts = torch.zeros(len(levels), _LEVELS, device=levels.device)
    counts.scatter_add_(1, levels.flatten(1), masks.flatten(1).float())
    below = counts.cumsum(1)
    return below / below[:, -1:]
