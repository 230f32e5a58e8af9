"""Which films a list of paths and folders means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from capitate.files.sniff import EXTENSIONS

__all__ = ["find"]

_DIGITS = re.compile(r"(\d+)")
# DICOM exports name files by number or UID, where what follows the last dot is no extension: `1.2.840.113619.2.5`.
_NO_EXTENSION = re.compile(r"(\.\d*)?")
_OWN_PICTURES = (
    ".joints.png", ".contact-sheet.png", "-map-bone-age.png", "-map-abnormality.png", "-map-grades.png",
)  # fmt: skip
_OWN_MARK = b"tEXtcapitate-film"
"""How pictures that Capitate's reports write beside films are called and marked."""


def find(paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str]) -> list[Path]:
    """Expand folders into the films they hold, in natural order (`film2` before `film10`), recursively.

    A film is known by its extension, or, without one, by the DICOM mark at byte 128. Hidden files and folders,
    `DICOMDIR` and the pictures of Capitate's own reports are passed over, and links to folders are not followed. A path
    that is no folder is returned as given, even when nothing exists there: reading it then says so for that film alone.
    The same holds for a folder that may not be listed.

    Args:
        paths: files and folders, in the order wanted.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    found: list[Path] = []
    for path in map(Path, given):
        found.extend(_films(path) if path.is_dir() else [path])
    return found


def _films(folder: Path) -> list[Path]:
    """List the films below a folder."""
    unreadable: list[Path] = []
    films = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        films += [path for path in _visible(parent, names) if _is_film(path)]
    return sorted([*films, *unreadable], key=_natural_order)


def _visible(parent: str, names: list[str]) -> Iterator[Path]:
    """Paths of the files that are not hidden."""
    return (Path(parent, name) for name in names if not name.startswith("."))


def _is_film(path: Path) -> bool:
    """Whether a file's name, or its DICOM mark, promises a film."""
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS:
        return not (path.name.endswith(_OWN_PICTURES) and _OWN_MARK in _head(path))
    if not _NO_EXTENSION.fullmatch(suffix) or path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return True  # reading it will say why it cannot be read


def _head(path: Path) -> bytes:
    """Read the first bytes of a file, none if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(256)
    except OSError:
        return b""


def _natural_order(path: Path) -> list[tuple[tuple[int, int, str], ...]]:
    """Sort key that compares digits as numbers, part by part of the path."""
    return [
        tuple(
            (0, int(piece), piece) if piece.isdecimal() else (1, 0, piece.casefold()) for piece in _DIGITS.split(part)
        )
        for part in path.parts
    ]
