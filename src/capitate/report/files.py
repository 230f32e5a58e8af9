"""Reports as files: whole or not at all, and never one film's over another's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from capitate.assessment import Assessment
from capitate.errors import ReportWriteError, UsageError
from capitate.radiograph import Radiograph
from capitate.report.html import to_html
from capitate.report.naming import free_stem
from capitate.report.structured import dumps

__all__ = ["Format", "write"]


class Format(StrEnum):
    """Forms of a report that are files of their own, one a film."""

    JSON = "json"
    HTML = "html"


def write(
    assessment: Assessment,
    folder: str | os.PathLike[str],
    *,
    radiograph: Radiograph | None = None,
    lang: str = "en",
    formats: Iterable[str] = tuple(Format),
    written: datetime | None = None,
) -> list[Path]:
    """Write one film's reports as `<stem>.json` and `<stem>.html`, the stem being the film's name without ending.

    Each file appears complete or not at all. A film's reports replace its own earlier ones; where the name belongs to
    another film, the first eight digits of the sha256 are added (all of them, should these be taken too).

    Args:
        assessment: one film's result, a refusal included.
        folder: where to, made if missing.
        radiograph: the film, for the page.
        lang: language of the page.
        formats: which reports, of `Format`.
        written: time of writing, shown on the page.

    Returns:
        The files, in the order of `formats`.

    Raises:
        ReportWriteError: if the folder or a file cannot be written; nothing is left half-written.
        UsageError: if a format or the language is not known.
    """
    chosen = [_format(one) for one in formats]
    contents = {
        one: dumps(assessment, indent=2) + "\n"
        if one is Format.JSON
        else to_html(assessment, radiograph=radiograph, lang=lang, written=written)
        for one in chosen
    }
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        stem = free_stem(assessment, target, endings=chosen)
        paths = {target / f"{stem}.{one}": text.encode("utf-8") for one, text in contents.items()}
        _replace_all(paths)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportWriteError(
            f"the report of {assessment.source.name!r} could not be written to {str(target)!r}: {reason}; "
            "free space there or choose another folder"
        ) from error
    return list(paths)


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError:
        raise UsageError(f"reports are written as {', '.join(Format)}, got {name!r}; choose of these") from None


def _replace_all(contents: Mapping[Path, bytes]) -> None:
    """Write every file beside its place, and move them there only when all are complete."""
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            part = path.with_name(f".{secrets.token_hex(8)}.part")
            staged[part] = path
            with part.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for part, path in staged.items():
            part.replace(path)
    finally:
        for part in staged:
            with suppress(OSError):
                part.unlink(missing_ok=True)
