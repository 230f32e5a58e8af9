"""Films come in: from a form into the store and the queue, one or an archive of them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from capitate.errors import FilmTooLargeError
from capitate.service.api.forms import ChildFields, Upload
from capitate.service.api.service import Service
from capitate.service.api.tokens import Client
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction, FilmRef, NewAssessment, Record

__all__ = ["Unpacked", "check_room", "take_archive", "take_film", "take_stored"]

_MOST_RATIO = 1000
"""An empty picture shrinks a thousandfold at most; what shrinks more is made to fill a disk."""
_MOST_DIRECTORY = 4_000_000
"""Bytes of the list of an archive's files, which is read into memory as a whole."""
_TAIL = 65_557
_END = b"PK\x05\x06"
_RETRY = {"Retry-After": "10"}


def check_room(service: Service) -> None:
    """Refuse further films while as many wait as may.

    Raises:
        Problem: if too many wait.
    """
    if service.jobs.full:
        raise Problem(
            ProblemCode.QUEUE_FULL,
            f"{service.jobs.waiting} films wait for {service.settings.workers} workers; send the film again in 10 s",
            headers=_RETRY,
        )


def take_film(service: Service, client: Client, stream: IO[bytes], *, name: str, child: ChildFields) -> Record:
    """Store a film and queue its assessment.

    Args:
        service: to take it.
        client: who sends it.
        stream: its bytes.
        name: of its file.
        child: what is known of the child.

    Raises:
        FilmTooLargeError: beyond the limit.
        StoreError: if it cannot be stored.
    """
    film = service.store.films.put(stream, limit=service.settings.film_bytes)
    return take_stored(service, client, film, name=name, child=child, action=AuditAction.CREATE)


def take_stored(
    service: Service, client: Client, film: FilmRef, *, name: str, child: ChildFields, action: AuditAction
) -> Record:
    """Queue the assessment of a film that is stored; arguments as of `take_film`."""
    new = NewAssessment(
        film,
        name,
        sex=child.sex,
        birth_date=child.birth_date,
        study_date=child.study_date,
        age_months=None if child.age_years is None else child.age_years * 12,
        child=child.child,
        maps=child.maps,
        screen=child.screen,
        client=client.name,
    )
    try:
        record = service.store.assessments.create(new)
    except BaseException:
        service.store.films.release(film)
        raise
    service.told(client, action, record=record)
    service.jobs.submit(record)
    return record


@dataclass
class Unpacked:
    """What came of an archive: records, and name, code and sentence of what was left out."""

    records: list[Record] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)


def take_archive(service: Service, client: Client, upload: Upload) -> Unpacked:
    """Store and queue every film of a zip archive.

    Raises:
        Problem: if it is none, or beyond the limits; nothing is stored then.
    """
    _check_directory(upload.stream)
    try:
        with zipfile.ZipFile(upload.stream) as archive:
            return _unpacked(service, client, archive, child=upload.child)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as error:
        raise Problem(
            ProblemCode.INVALID_ARCHIVE, f"the archive is no zip file that can be read ({error}); pack it again"
        ) from error


def _unpacked(service: Service, client: Client, archive: zipfile.ZipFile, *, child: ChildFields) -> Unpacked:
    """Take what an archive holds."""
    entries = _checked(service, [one for one in archive.infolist() if not _beside(one)])
    found = Unpacked()
    for entry in entries:
        name = _name(entry)
        refused = _refused(service, entry)
        if refused is not None:
            found.refused.append((name, *refused))
            continue
        try:
            with archive.open(entry) as stream:
                found.records.append(take_film(service, client, stream, name=name, child=child))
        except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
            found.refused.append((name, "damaged", f"it cannot be unpacked ({type(error).__name__}); pack it again"))
        except FilmTooLargeError as error:
            found.refused.append((name, error.code, str(error)))
    return found


def _check_directory(stream: BinaryIO) -> None:
    """Refuse an archive whose list of files alone would fill the memory.

    Raises:
        Problem: if it is too long.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    stream.seek(0)
    at = tail.rfind(_END)
    record = tail[at : at + 22]
    if at >= 0 and len(record) == 22 and struct.unpack("<I", record[12:16])[0] > _MOST_DIRECTORY:
        raise Problem(ProblemCode.INVALID_ARCHIVE, "the archive lists too many files; pack fewer films into it")


def _checked(service: Service, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Refuse an archive of no film, too many, or too many bytes.

    Raises:
        Problem: if it is one of these.
    """
    settings, total = service.settings, sum(entry.file_size for entry in entries)
    if not entries:
        raise Problem(ProblemCode.INVALID_ARCHIVE, "the archive holds no file; pack films into it")
    if len(entries) > settings.archive_films:
        raise Problem(
            ProblemCode.INVALID_ARCHIVE,
            f"the archive holds {len(entries)} files, more than {settings.archive_films}; pack them into several",
        )
    if total > settings.archive_bytes:
        raise Problem(
            ProblemCode.TOO_LARGE,
            f"the archive unpacks to {total:,} bytes, more than {settings.archive_bytes:,}; pack films into several",
        )
    return entries


def _beside(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder, or one of the hidden files that systems add."""
    return entry.is_dir() or entry.filename.startswith("__MACOSX/") or _name(entry).startswith(".")


def _name(entry: zipfile.ZipInfo) -> str:
    """Give the name without folders; no path of an archive is ever used to write."""
    return entry.filename.replace("\\", "/").rsplit("/", 1)[-1] or "film"


def _refused(service: Service, entry: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Say why a file of an archive is not taken: code and sentence; None for one that is."""
    limit = service.settings.film_bytes
    if entry.flag_bits & 0x1:
        return "encrypted", "it is protected by a password; pack it without one"
    if _name(entry).casefold().endswith(".zip"):
        return "nested_archive", "it is an archive in an archive; send it on its own"
    if entry.file_size > limit:
        return FilmTooLargeError.code, f"it has {entry.file_size:,} bytes, more than {limit:,}; send a smaller film"
    if entry.file_size > _MOST_RATIO * max(1, entry.compress_size):
        return "implausible", "it unpacks to more than a thousand times its size; it is no film"
    return None
