"""Sums over films from which losses, errors and speeds of a stretch of training follow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["Meter", "film_sums"]


def film_sums(loss: Tensor, predicted: Tensor, months: Tensor) -> Tensor:
    """Sum what a batch says.

    Args:
        loss: mean over the films, scalar.
        predicted: bone ages, months (n,).
        months: true ones (n,).

    Returns:
        float64 (6,): films, loss, absolute and squared error, age and squared age.
    """
    error, age = (predicted - months).double(), months.double()
    films = age.new_full((), len(months))
    parts = [films, loss.double() * films, error.abs().sum(), error.square().sum(), age.sum(), age.square().sum()]
    return torch.stack(parts).detach()


class Meter:
    """Adds up batches; figures are read when a line is written, so that a GPU is not waited for at each step."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sums: Tensor | float = 0.0
        self.seconds = 0.0
        self.data_seconds = 0.0

    def add(self, sums: Tensor, *, seconds: float, data_seconds: float) -> None:
        """Add a step.

        Args:
            sums: from `film_sums`, of all devices.
            seconds: that the step took, data included.
            data_seconds: of these, waiting for data.
        """
        self.sums = self.sums + sums
        self.seconds += seconds
        self.data_seconds += data_seconds

    def figures(self) -> dict[str, float]:
        """Give loss, mae and rmse in months, r2, films a second, seconds, and those that data took."""
        if isinstance(self.sums, float):
            return {}
        films, loss, absolute, squared, age, squares = self.sums.tolist()
        spread = squares - age * age / films
        return {
            "loss": loss / films,
            "mae": absolute / films,
            "rmse": (squared / films) ** 0.5,
            "r2": 1 - squared / spread if spread > 0 else float("nan"),
            "films_a_second": films / self.seconds if self.seconds else 0.0,
            "seconds": self.seconds,
            "data_seconds": self.data_seconds,
        }

    def state_dict(self) -> dict[str, Any]:
        """Give the sums."""
        return {"sums": self.sums, "seconds": self.seconds, "data_seconds": self.data_seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from sums."""
        self.sums, self.seconds, self.data_seconds = state["sums"], state["seconds"], state["data_seconds"]
