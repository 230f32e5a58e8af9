"""What a check finds: one kind of fault, how grave it is, and every place where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Fault", "Gravity", "fault"]


class Gravity(StrEnum):
    """How grave a fault is.

    An error makes training fail or figures wrong; a warning has to be looked at; a note is a fact to know.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Fault:
    """One kind of fault and where it was found.

    Attributes:
        code: stable identifier in snake_case.
        gravity: see `Gravity`.
        message: one sentence: what is wrong and what to do.
        places: film ids, lines or pairs, with what was found there; one entry a place.
    """

    code: str
    gravity: Gravity
    message: str
    places: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of places."""
        return len(self.places)


def fault(code: str, gravity: Gravity, message: str, places: list[str]) -> list[Fault]:
    """Return a fault as a list of one, or of none where it was found nowhere."""
    return [Fault(code, gravity, message, tuple(places))] if places else []
