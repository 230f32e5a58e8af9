"""Several networks that answer for one film: how far they scatter, and when that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.calibration import quantile

__all__ = ["Disagreement", "scatter"]


@dataclass(frozen=True)
class Disagreement:
    """From which scatter of its members on an ensemble's answer is marked; stands in the card as `disagreement`.

    The rule is measured, not chosen: on films that none of the members had seen, the given share scatters as much or
    more.

    Attributes:
        months: the threshold, see `scatter`.
        share: of the films it was measured on that reach it.
        films: how many these were.
        mae_marked: mean absolute error in months of the mean answer on the films that reach it.
        mae_others: the same on the others.
    """

    months: float
    share: float
    films: int
    mae_marked: float
    mae_others: float

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Disagreement | None:
        """Read the rule of a card, None where it has none."""
        values = card.get("disagreement")
        return None if values is None else cls(**values)

    def to_card(self) -> dict[str, Any]:
        """Give the values for a card, months to a hundredth."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}

    def sentence(self) -> str:
        """Say what the rule is and what was measured with it."""
        return (
            f"The members of the ensemble disagree where their ages scatter by {self.months:.2f} months or more "
            f"({100 * self.share:.1f} % of {self.films} films that none had seen): mean absolute error "
            f"{self.mae_marked:.2f} months there, {self.mae_others:.2f} elsewhere."
        )


def scatter(answers: Sequence[NDArray[np.floating[Any]]] | NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give the standard deviation, in months, of the members' medians for each film.

    With one member less in the divisor, so that it means the same for two networks as for ten.

    Args:
        answers: a member each, probabilities (n, bins) of a month each.

    Returns:
        (n,); NaN where a single member answered.
    """
    if len(answers) < 2:
        return np.full(len(answers[0]), np.nan)
    medians = np.stack([quantile(each, 0.5) for each in answers])
    return np.asarray(medians.std(axis=0, ddof=1))
