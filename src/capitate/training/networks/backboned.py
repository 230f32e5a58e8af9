"""A network whose largest part, its backbone, may rest while the others learn."""

from __future__ import annotations

from typing import Self

from torch import nn

__all__ = ["Backboned"]


class Backboned(nn.Module):
    """What freezing and learning rates by depth act on.

    Attributes:
        backbone: timm's network; a subclass sets it.
        frozen: whether it rests.
    """

    backbone: nn.Module
    frozen: bool = False

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation; a frozen backbone stays in evaluation, or its batch statistics would move."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self
