"""What a run writes while it trains."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RecordConfig"]


@dataclass(frozen=True)
class RecordConfig:
    """Curves and checkpoints.

    Attributes:
        every: steps that one line of `batches.csv` sums up.
        checkpoint: steps between checkpoints within an epoch; 0 for the ends of epochs alone.
        tensorboard: whether the curves go to TensorBoard's files too.
    """

    every: int = 10
    checkpoint: int = 200
    tensorboard: bool = True
