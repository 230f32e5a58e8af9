"""What the parts found: figures, and complaints about what must not be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotHereError(Exception):
    """A part cannot be run on this machine, for the reason that it says."""


@dataclass(frozen=True)
class Plan:
    """How much is done, and with what.

    Attributes:
        scale: 1 is the whole soak; durations and counts are multiplied by it.
        seed: of every random choice.
        model: bone-age bundle.
        judge_times: whether figures that depend on the machine's speed may be complained of.
        folder: for stores and logs.
    """

    scale: float
    seed: int
    model: str
    judge_times: bool
    folder: Path

    def count(self, whole: int, *, least: int = 1) -> int:
        """Scale a number."""
        return max(least, round(whole * self.scale))

    def seconds(self, whole: float, *, least: float = 2.0) -> float:
        """Scale a duration."""
        return max(least, whole * self.scale)

    def dice(self, part: str) -> random.Random:
        """Random numbers of a part, the same in every run of a seed."""
        return random.Random(f"{self.seed} {part}")


@dataclass
class Part:
    """What a part found."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    skipped: str | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """One word."""
        return "failed" if self.complaints else "skipped" if self.skipped else "passed"

    def expect(self, holds: bool, complaint: str) -> None:
        """Complain unless something holds."""
        if not holds:
            self.complaints.append(complaint)

    def written(self) -> dict[str, Any]:
        """For the JSON file."""
        told = {"verdict": self.verdict, "seconds": round(self.seconds, 1)}
        reason = {"reason": self.skipped} if self.skipped else {}
        return {**told, **reason, **self.figures, "complaints": self.complaints}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of all do not exceed, by nearest rank; nan of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    """Median and tails of durations given in seconds, as milliseconds."""
    named = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(1000 * quantile(values, share), 1) for name, share in named.items()} if values else {}
