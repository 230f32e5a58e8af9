"""The archive of a backup: a zip file whose manifest says what every member's bytes add up to."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from capitate.errors import BackupError
from capitate.service.store.content import CHUNK

__all__ = ["FORMAT", "ArchiveReader", "ArchiveWriter", "reading_archive"]

FORMAT = "capitate-backup/1"
_MANIFEST = "manifest.json"
_MEMBER = re.compile(r"tables/[a-z]{1,20}\.jsonl|films/[0-9a-f]{64}|artifacts/[0-9A-Z]{26}/[0-9a-f]{64}")
_LARGEST_MANIFEST = 1 << 30


class ArchiveWriter:
    """Writes members and, at the end, their manifest."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Take a zip file that is open for writing."""
        self._archive = archive
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool) -> str:
        """Write a member; films are packed already and tables are not. Returns the sha256."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as stream:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                stream.write(chunk)
        self._members[name] = {"sha256": digest.hexdigest(), "size": size}
        return digest.hexdigest()

    def drop(self, name: str) -> None:
        """Leave a member out of the manifest, so that it does not count."""
        del self._members[name]

    def end(self, about: Mapping[str, Any]) -> None:
        """Write the manifest."""
        manifest = {"format": FORMAT, **about, "members": self._members}
        info = zipfile.ZipInfo(_MANIFEST)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        self._archive.writestr(info, json.dumps(manifest, indent=1))


class ArchiveReader:
    """Reads members, each checked against the manifest when its end is reached.

    Attributes:
        about: the manifest without its members.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Take a zip file that is open for reading.

        Raises:
            BackupError: if it is no backup, or one of another format.
        """
        self._archive = archive
        self.about = _manifest(archive)
        self._members: dict[str, dict[str, Any]] = self.about.pop("members")

    def names(self, folder: str) -> list[str]:
        """List the members of a folder."""
        return [name for name in self._members if name.startswith(f"{folder}/")]

    def sha256(self, name: str) -> str:
        """Return what the manifest says of a member."""
        return str(self._members[name]["sha256"])

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a member.

        Raises:
            BackupError: if it is damaged; the lines before the end have been given by then.
        """
        rest = b""
        for chunk in self.chunks(name):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member.

        Raises:
            BackupError: if it is missing or damaged; the pieces before the end have been given by then.
        """
        told, digest, size = self._members[name], hashlib.sha256(), 0
        try:
            with self._archive.open(name) as stream:
                while size <= told["size"] and (chunk := stream.read(CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except (KeyError, zipfile.BadZipFile, EOFError, NotImplementedError, OSError) as error:
            raise _damaged(name, type(error).__name__) from error
        if digest.hexdigest() != told["sha256"] or size != told["size"]:
            raise _damaged(name, "its sha256 is another")


@contextmanager
def reading_archive(source: Path) -> Iterator[ArchiveReader]:
    """Open an archive.

    Raises:
        BackupError: if it is missing, damaged, or no backup.
    """
    try:
        archive = zipfile.ZipFile(source)
    except FileNotFoundError:
        raise BackupError(
            f"no backup lies at {str(source)!r}; give the file that `capitate store backup` wrote"
        ) from None
    except (zipfile.BadZipFile, OSError) as error:
        raise BackupError(
            f"{str(source)!r} is no backup, or a damaged one ({type(error).__name__}); take another one"
        ) from error
    with archive:
        yield ArchiveReader(archive)


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Read the manifest. Its names become paths, so that only those that a backup has are let through."""
    try:
        if archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
            raise ValueError("too large")
        manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        found, members = str(manifest.get("format")), manifest["members"]
        sound = all(_MEMBER.fullmatch(name) and {"sha256", "size"} <= set(one) for name, one in members.items())
    except (KeyError, ValueError, AttributeError, TypeError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise BackupError(
            f"the archive has no manifest that can be read ({type(error).__name__}); give a file that "
            "`capitate store backup` wrote"
        ) from error
    if found != FORMAT:
        raise BackupError(f"the backup is {found[:60]!r}, this program reads {FORMAT}; use the Capitate that wrote it")
    if not sound:
        raise BackupError("the manifest names files that no backup has; take another backup")
    return manifest


def _damaged(name: str, why: str) -> BackupError:
    return BackupError(f"{name} in the backup is damaged ({why}); nothing was restored, take another backup")
