"""Operating-system errors of writing, turned into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capitate.errors import ReportWriteError

__all__ = ["make_folder", "writing"]


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say what could not be written.

    Args:
        place: file or folder that the block writes to.

    Raises:
        ReportWriteError: if the system refuses.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReportWriteError(
            f"cannot write to {str(place)!r}: {reason}; free space there or choose another --out"
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, before the work whose results it is to hold.

    Raises:
        ReportWriteError: if it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
