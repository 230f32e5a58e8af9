"""How long each step of an assessment took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Clock"]


@dataclass
class Clock:
    """Milliseconds by step.

    Attributes:
        steps: by name.
        tell: called with the name of each step as it begins.
    """

    steps: dict[str, float] = field(default_factory=dict)
    tell: Callable[[str], None] | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; one that is taken twice adds up."""
        if self.tell is not None:
            self.tell(name)
        began = time.perf_counter()
        yield
        self.steps[name] = round(self.steps.get(name, 0.0) + (time.perf_counter() - began) * 1000, 2)
