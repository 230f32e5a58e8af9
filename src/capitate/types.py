"""Closed sets and small frozen values that every part of Capitate speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Box", "Finding", "Interval", "Severity", "Sex", "Side", "age_text"]


class Sex(StrEnum):
    """Sex of the child as the bone-age standards know it."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Side(StrEnum):
    """Side of the body that the hand belongs to."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much a finding matters: information, a warning, or a reason to refuse the film."""

    INFO = "info"
    WARNING = "warning"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class Finding:
    """One remark about a film or its assessment.

    Attributes:
        code: stable identifier in snake_case, for machines.
        severity: see `Severity`.
        message: one sentence for a reader; never holds a patient's name.
    """

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Box:
    """Axis-parallel rectangle in film pixels: upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Interval:
    """Prediction interval in months.

    Attributes:
        low: lower end, months.
        high: upper end, months.
        level: nominal coverage as a fraction, 0.9 for 90 %.
    """

    low: float
    high: float
    level: float


def age_text(months: float) -> str:
    """Write an age the way reports do, `10 years 6 months (126.5 months)`.

    Years are floor(months / 12) and the months are the floor of the rest, both taken from the value rounded to the
    one decimal that is printed, so that the two forms never contradict each other.

    Raises:
        ValueError: if `months` is negative or not finite.
    """
    if not 0 <= months < float("inf"):
        raise ValueError(f"an age must be a finite number of months, 0 or more, got {months!r}")
    shown = round(months, 1)
    years, rest = divmod(shown, 12)
    return f"{int(years)} years {int(rest)} months ({shown:.1f} months)"
