"""Films inside zip archives, read in place: `films.zip/folder/1377.png` names the member `folder/1377.png`."""

from __future__ import annotations

import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from capitate.errors import CorruptFileError, UnreadablePathError
from capitate.files.limits import DEFAULT_LIMITS, Limits

__all__ = ["archive_of", "members", "read_member"]

_OPEN_ARCHIVES = 8


def archive_of(path: str | os.PathLike[str]) -> tuple[Path, str] | None:
    """Tell whether a path leads into a zip archive.

    Returns:
        The archive and the member's name, or None where no part of the path but the last is a `.zip` file.
    """
    parts = Path(path).parts
    for end in range(1, len(parts)):
        if parts[end - 1].lower().endswith(".zip") and Path(*parts[:end]).is_file():
            return Path(*parts[:end]), "/".join(parts[end:])
    return None


def members(archive: Path) -> tuple[str, ...]:
    """List the files of an archive in its order; folders and the hidden copies that macOS adds are left out.

    Raises:
        UnreadablePathError: if the archive cannot be read.
        CorruptFileError: if it is no zip archive.
    """
    names = (info.filename for info in _opened(archive).infolist() if not info.is_dir())
    return tuple(name for name in names if not name.startswith("__MACOSX/") and not Path(name).name.startswith("._"))


def read_member(archive: Path, name: str, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read one file of an archive.

    Args:
        archive: the zip file.
        name: of the member, with forward slashes.
        limits: the most bytes that the member may have, as announced and as unpacked.

    Raises:
        UnreadablePathError: if there is no such member, it is encrypted, or the archive cannot be read.
        FilmTooLargeError: if it is larger than the limit; no more than that is unpacked.
        CorruptFileError: if the archive or the member is damaged.
    """
    opened = _opened(archive)
    try:
        info = opened.getinfo(name)
    except KeyError as error:
        raise UnreadablePathError(f"{archive.name!r} has no member {name!r}; check the path") from error
    limits.check_bytes(info.file_size)
    try:
        with opened.open(info) as stream:
            data = stream.read(limits.max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CorruptFileError(
            f"the member {name!r} of {archive.name!r} is damaged; copy or download the archive again"
        ) from error
    except (OSError, RuntimeError, NotImplementedError) as error:
        raise UnreadablePathError(
            f"cannot read the member {name!r} of {archive.name!r} ({error}); unpack the archive and give its folder"
        ) from error
    limits.check_bytes(len(data))
    return data


def _opened(archive: Path) -> zipfile.ZipFile:
    """Open an archive once a process; another one of the same name, or a changed one, is opened anew."""
    try:
        status = os.stat(archive)
        return _kept(archive.absolute(), status.st_mtime_ns, status.st_size, os.getpid())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreadablePathError(f"cannot read {str(archive)!r}: {reason}; check the path") from error
    except zipfile.BadZipFile as error:
        raise CorruptFileError(
            f"{archive.name!r} is no zip archive or is damaged; copy or download it again"
        ) from error


@lru_cache(maxsize=_OPEN_ARCHIVES)
def _kept(archive: Path, _changed: int, _size: int, _process: int) -> zipfile.ZipFile:
    """Keep what was opened: reading the list of ten thousand members takes longer than reading a film.

    The process is part of the key because two processes must not share a file position.
    """
    return zipfile.ZipFile(archive)
