"""Probabilities made to keep what they say: a logistic function of the network's own logit, in two numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogisticCalibration"]

_CERTAIN = 1e-7
"""A probability in 32-bit floats tells nothing finer from 0 or 1."""


@dataclass(frozen=True)
class LogisticCalibration:
    """sigmoid(slope logit(p) + intercept), Platt's scaling (Platt 1999, Advances in Large Margin Classifiers).

    With a slope above 0 it moves no film past another, so that the area under the ROC curve stays what it was.

    Attributes:
        slope: 1 leaves a network's confidence as it is, less draws it towards the middle.
        intercept: in logits; a network that learnt with heavier positives needs one below 0.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate probabilities of any shape, float64."""
        inside = np.clip(np.asarray(probabilities, dtype=np.float64), _CERTAIN, 1 - _CERTAIN)
        logits = np.log(inside) - np.log1p(-inside)
        calibrated: NDArray[np.float64] = 1 / (1 + np.exp(-(self.slope * logits + self.intercept)))
        return calibrated

    def of(self, probability: float) -> float:
        """Calibrate one probability, such as a threshold."""
        return float(self(np.array([probability]))[0])

    @classmethod
    def from_card(cls, values: Mapping[str, Any] | None) -> LogisticCalibration:
        """Read `slope` and `intercept`; what leaves probabilities as they are where a card has none."""
        return cls() if values is None else cls(float(values["slope"]), float(values["intercept"]))

    def to_card(self) -> dict[str, float]:
        """Give both numbers as plain values."""
        return {"slope": round(self.slope, 6), "intercept": round(self.intercept, 6)}
