"""Stochastic weight averaging."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SwaConfig"]


@dataclass(frozen=True)
class SwaConfig:
    """Equal mean of the weights at the ends of the last epochs (Izmailov et al. 2018, UAI).

    Attributes:
        epochs: last epochs that are averaged; 0 for none.
        learning_rate: constant rate of these epochs; 0 leaves the schedule alone.
        anneal: epochs that the rate takes to get there.
    """

    epochs: int = 0
    learning_rate: float = 0.0
    anneal: int = 1
