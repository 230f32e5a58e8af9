"""What a sweep may state beside its runs: how errors are taken, and the ranges of a search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capitate.errors import UsageError

__all__ = ["Measure", "SearchConfig", "SearchRange", "SweepConfig"]


class Measure(StrEnum):
    """The error that a sweep compares, months: of the validation films, or of the held-out fold."""

    VALIDATION = "validation_mae"
    HELD_OUT = "mae"


@dataclass(frozen=True)
class SweepConfig:
    """The top of a sweep's file.

    Attributes:
        base: file of the experiment that every run changes, relative to the sweep's file; empty for the defaults.
        fold: held out by every run and predicted at its end; none if left out.
        error: `validation_mae`, the smallest error on the films that `validation.share` keeps back, or `mae`, the
            error on the held-out fold.
    """

    base: str = ""
    fold: int | None = None
    error: Measure = Measure.VALIDATION


@dataclass(frozen=True)
class SearchConfig:
    """How a search goes on.

    Attributes:
        trials: runs in all; a second call of the same sweep goes on to this number.
        seed: of the values drawn.
    """

    trials: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a search without a run.

        Raises:
            UsageError: naming the key.
        """
        if self.trials < 1:
            raise UsageError(f"search.trials must be 1 or more, got {self.trials}")


@dataclass(frozen=True)
class SearchRange:
    """Values of one key: from `low` to `high`, both included, or a list of `choices`.

    Attributes:
        low: smallest value; a whole number on both ends draws whole numbers.
        high: largest value.
        log: whether values are drawn evenly by their logarithm.
        choices: any values of TOML instead, in no order.
    """

    low: float = 0
    high: float = 0
    log: bool = False
    choices: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a range without values.

        Raises:
            UsageError: with the range received.
        """
        if self.choices:
            return
        if not self.low < self.high or (self.log and self.low <= 0):
            raise UsageError(
                f"a search range needs low below high, above 0 with log, or choices; got low {self.low:g}, "
                f"high {self.high:g}, log {str(self.log).lower()}"
            )

    @property
    def ends(self) -> tuple[object, ...]:
        """Values that a search can reach at its limits, for checking them before anything is trained."""
        return self.choices or (self.low, self.high)
