"""How often a client may ask: a bucket that fills evenly and holds a burst."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["Rates"]

_MOST_CLIENTS = 10_000
_LEAST_BURST = 10


class Rates:
    """One bucket a client; used on the event loop alone."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets.

        Args:
            per_minute: requests; 0 sets no limit. A quarter of it may come at once.
            clock: seconds.
        """
        self._per_second, self._clock = per_minute / 60, clock
        self._burst = max(_LEAST_BURST, per_minute / 4)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str) -> int:
        """Count a request; gives the seconds to wait before another if this one is too many, otherwise 0."""
        if not self._per_second:
            return 0
        now = self._clock()
        left, then = self._buckets.get(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_second)
        if left < 1:
            self._buckets[client] = left, now
            return max(1, math.ceil((1 - left) / self._per_second))
        if client not in self._buckets and len(self._buckets) >= _MOST_CLIENTS:
            self._buckets.pop(next(iter(self._buckets)))
        self._buckets[client] = left - 1, now
        return 0
