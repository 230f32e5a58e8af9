"""Sums over examples from which losses, errors and speeds of a stretch of training follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

__all__ = ["Meter"]

Figures = Callable[[Sequence[float]], dict[str, float]]


class Meter:
    """Adds up batches; figures are read when a line is written, so that a GPU is not waited for at each step."""

    def __init__(self, figures: Figures) -> None:
        """Begin with nothing.

        Args:
            figures: reads figures from sums whose first is the number of examples, see `Task.figures`.
        """
        self._read = figures
        self.sums: Tensor | None = None
        self.seconds = 0.0
        self.data_seconds = 0.0

    def add(self, sums: Tensor, *, seconds: float = 0.0, data_seconds: float = 0.0) -> None:
        """Add a step.

        Args:
            sums: from `Task.sums`, of all devices.
            seconds: that the step took, data included.
            data_seconds: of these, waiting for data.
        """
        self.sums = sums if self.sums is None else self.sums + sums
        self.seconds += seconds
        self.data_seconds += data_seconds

    def figures(self) -> dict[str, float]:
        """Give the task's figures, films a second, seconds, and those that data took; none before the first step."""
        if self.sums is None:
            return {}
        return {
            **self._read(self.sums.tolist()),
            "films_a_second": float(self.sums[0]) / self.seconds if self.seconds else 0.0,
            "seconds": self.seconds,
            "data_seconds": self.data_seconds,
        }

    def state_dict(self) -> dict[str, Any]:
        """Give the sums."""
        return {"sums": self.sums, "seconds": self.seconds, "data_seconds": self.data_seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from sums."""
        self.sums, self.seconds, self.data_seconds = state["sums"], state["seconds"], state["data_seconds"]
