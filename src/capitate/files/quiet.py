"""Keep the decoders' Python warnings out of the user's terminal.

Pillow and pydicom warn about damaged metadata through `warnings`; what matters of that is checked here and reported as
findings or errors. `warnings.catch_warnings` saves and restores state of the whole process, and two threads that
interleave it can leave the wrong state behind, so all films that are being decoded share one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

_lock = threading.Lock()
_depth = 0
_saved: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore Python warnings while at least one film is being decoded; safe in threads and when nested."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _depth, _saved  # noqa: PLW0603 - the state of the process that is guarded here
    with _lock:
        if _depth == 0:
            _saved = warnings.catch_warnings()
            _saved.__enter__()
            warnings.simplefilter("ignore")
        _depth += 1


def _leave() -> None:
    global _depth, _saved  # noqa: PLW0603
    with _lock:
        _depth -= 1
        if _depth == 0 and _saved is not None:
            _saved.__exit__(None, None, None)
            _saved = None
