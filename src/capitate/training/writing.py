"""Operating-system errors of a run's files, turned into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capitate.errors import ReportWriteError

__all__ = ["writing"]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which file of a run could not be written, and why.

    Raises:
        ReportWriteError: if the system refuses: a full disk, no permission.
    """
    try:
        yield
    except OSError as error:
        raise ReportWriteError(
            f"cannot write {path}: {error.strerror or error}; free space there and run the same command again, it goes "
            "on from the last checkpoint"
        ) from error
