"""Bytes in files that are there whole or not at all, also after the power fails."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from capitate.errors import FilmTooLargeError
from capitate.service.store.faults import disk_faults

__all__ = ["CHUNK", "Staged", "chunks_of", "digest_of", "make_folder", "replace_durably", "staged", "sync_folder"]

CHUNK = 1 << 20
_MODE, _FOLDER_MODE = 0o600, 0o700


@dataclass(frozen=True)
class Staged:
    """A complete file beside its place: where it lies, the sha256 of its bytes, and how many they are."""

    path: Path
    sha256: str
    size: int


def chunks_of(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of whatever holds them, a piece at a time."""
    if isinstance(source, bytes):
        yield source
    elif hasattr(source, "read"):
        while chunk := source.read(CHUNK):
            yield chunk
    else:
        yield from source


def digest_of(path: Path) -> tuple[str, int]:
    """Return sha256 and size of a file.

    Raises:
        OSError: if it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        for chunk in chunks_of(stream):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


@contextmanager
def staged(folder: Path, source: bytes | BinaryIO | Iterable[bytes], *, limit: int | None = None) -> Iterator[Staged]:
    """Write a file beside its place and onto the disk; it is taken away unless `replace_durably` moved it.

    Args:
        folder: on the same disk as the place; made if it is missing.
        source: the bytes. What reading it raises passes through, and nothing is left.
        limit: bytes at most.

    Raises:
        FilmTooLargeError: beyond the limit.
        StoreError: if the disk is full or may not be written.
    """
    with disk_faults(folder):
        make_folder(folder)
    path = folder / f"{secrets.token_hex(16)}.part"
    try:
        yield _written(path, source, limit=limit)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _written(path: Path, source: bytes | BinaryIO | Iterable[bytes], *, limit: int | None) -> Staged:
    """Write and sync. What the source raises is not taken for a fault of the disk."""
    digest, size = hashlib.sha256(), 0
    with disk_faults(path.parent):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _MODE)
        stream = os.fdopen(handle, "wb", buffering=0)
    with stream:
        for chunk in chunks_of(source):
            size += len(chunk)
            if limit is not None and size > limit:
                raise FilmTooLargeError(f"the film has more than {limit} bytes, which is the limit; send a smaller one")
            digest.update(chunk)
            with disk_faults(path.parent):
                _write_all(stream.fileno(), chunk)
        with disk_faults(path.parent):
            os.fsync(stream.fileno())
    return Staged(path, digest.hexdigest(), size)


def _write_all(handle: int, chunk: bytes) -> None:
    """Write every byte: the system may take a part only, before it says that the disk is full."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]


def replace_durably(source: Path, place: Path) -> None:
    """Move a complete file to its place, so that the move itself survives.

    Raises:
        StoreError: if the disk is full or may not be written.
    """
    with disk_faults(place.parent):
        make_folder(place.parent)
        source.replace(place)
        sync_folder(place.parent)


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and the entry in the one above it durable.

    Raises:
        OSError: if it cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=_FOLDER_MODE)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk; Windows does so by itself and knows no such call.

    Raises:
        OSError: if the disk does not take it.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
