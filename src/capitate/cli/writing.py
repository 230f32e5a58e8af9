"""Operating-system errors of writing, turned into one sentence."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capitate.errors import ReportWriteError

__all__ = ["make_folder", "replace_text", "writing"]


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


def replace_text(path: Path, text: str) -> None:
    """Write a file of UTF-8 text whole or not at all, in place of what was there.

    Raises:
        ReportWriteError: if the system refuses.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    with writing(path):
        try:
            part.write_text(text, encoding="utf-8", newline="")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
