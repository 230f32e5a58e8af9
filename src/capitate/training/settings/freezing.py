"""How long a backbone rests, and how much slower its early layers learn."""

from __future__ import annotations

from dataclasses import dataclass

from capitate.errors import UsageError

__all__ = ["FreezingConfig"]


@dataclass(frozen=True)
class FreezingConfig:
    """A frozen phase and layer-wise learning rates; see `capitate.training.networks.freezing`.

    Attributes:
        epochs: first epochs in which the backbone's weights and batch statistics stay as they are.
        layer_decay: factor of the learning rate from each part of the backbone to the one before it; 1 for one rate.
    """

    epochs: int = 0
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no phase or no factor.

        Raises:
            UsageError: naming the key.
        """
        if self.epochs < 0:
            raise UsageError(f"freezing.epochs must be 0 or more, got {self.epochs}")
        if not 0 < self.layer_decay <= 1:
            raise UsageError(f"freezing.layer_decay must be above 0 and at most 1, got {self.layer_decay}")
