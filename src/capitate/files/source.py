"""Bytes from a path, with every operating-system error turned into one of ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from capitate.errors import UnreadablePathError
from capitate.files.archive import archive_of, read_member
from capitate.files.limits import Limits

__all__ = ["load"]


def load(path: str | os.PathLike[str], *, limits: Limits) -> bytes:
    """Read a whole regular file, or a member of a zip archive.

    Raises:
        UnreadablePathError: if the path is missing, a folder, a device or pipe, or may not be read.
        FilmTooLargeError: if the file is larger than the limit; it is not read then.
    """
    shown = os.fspath(path)
    try:
        inside = archive_of(shown)
        if inside is not None:
            return read_member(*inside, limits=limits)
        status = os.stat(shown)
        _check_regular(shown, mode=status.st_mode)
        limits.check_bytes(status.st_size)
        with Path(shown).open("rb") as stream:
            data = stream.read(limits.max_bytes + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreadablePathError(f"cannot read {shown!r}: {reason}; check the path and its permissions") from error
    except ValueError as error:  # a path with a null character
        raise UnreadablePathError(f"cannot read {shown!r}: this is no valid path") from error
    limits.check_bytes(len(data))  # the file may have grown since
    return data


def _check_regular(shown: str, *, mode: int) -> None:
    """Refuse what is no regular file; opening a pipe would wait for ever."""
    if stat.S_ISDIR(mode):
        raise UnreadablePathError(f"{shown!r} is a folder, not a film; give its files, or let `find` list them")
    if not stat.S_ISREG(mode):
        raise UnreadablePathError(f"{shown!r} is a device, pipe or socket, not a regular file; copy the film to a file")
