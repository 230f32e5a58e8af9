"""Films inside the training films that choose the best weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Keep", "ValidationConfig"]


class Keep(StrEnum):
    """Which weights a run ends with."""

    BEST = "best"
    LAST = "last"


@dataclass(frozen=True)
class ValidationConfig:
    """A share of the training films that is not learnt from; the held-out fold is never looked at.

    Attributes:
        share: of the training films, chosen by film id; 0 for none, the weights of the last epoch are then kept.
        keep: `best`, the weights with the smallest mean absolute error on these films, or `last`.
        patience: epochs without improvement after which training stops; 0 for never.
        smallest: improvement in months that counts.
    """

    share: float = 0.0
    keep: Keep = Keep.BEST
    patience: int = 0
    smallest: float = 0.0
