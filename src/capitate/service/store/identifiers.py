"""Identifiers that sort as the times at which they were made: 48 bits of milliseconds, 80 random bits (a ULID)."""

from __future__ import annotations

import secrets
import threading
import time

__all__ = ["LENGTH", "is_identifier", "new_identifier"]

LENGTH = 26
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32 (https://www.crockford.com/base32.html), without I, L, O and U."""
_RANDOM_BITS = 80
_lock = threading.Lock()
_last = 0


def new_identifier() -> str:
    """Make an identifier; within a process each is greater than the one before, within one millisecond too."""
    global _last  # noqa: PLW0603 - one clock a process is what makes them rise
    with _lock:
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        _last = fresh if fresh >> _RANDOM_BITS > _last >> _RANDOM_BITS else _last + 1
        number = _last
    return "".join(_DIGITS[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def is_identifier(text: str) -> bool:
    """Say whether a text has the form of an identifier."""
    return len(text) == LENGTH and not set(text) - set(_DIGITS)
