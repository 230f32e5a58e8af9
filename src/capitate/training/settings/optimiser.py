"""How a network is optimised, and on what schedule."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OptimiserConfig", "Stage"]


@dataclass(frozen=True)
class Stage:
    """A part of the schedule at one resolution: epochs, rows and columns."""

    epochs: int
    height: int
    width: int


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with one cycle, exponential moving average of the weights."""

    stages: tuple[Stage, ...] = (Stage(12, 160, 128),)
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    average: float = 0.998
    clip: float = 1.0
    loss: str = "combined"
    unknown_sex: float = 0.15
    distil: float = 0.0
