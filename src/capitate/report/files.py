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
from capitate.report.contact_sheet import contact_sheet
from capitate.report.html import to_html
from capitate.report.joints_picture import joints_picture
from capitate.report.naming import film_identity, free_stem
from capitate.report.picture import png_bytes
from capitate.report.structured import dumps
from capitate.report.wording import language

__all__ = ["Format", "write"]


class Format(StrEnum):
    """Forms of a report that are files of their own, one a film."""

    JSON = "json"
    HTML = "html"
    JOINTS = "joints.png"
    """The film with its joints drawn on it; only where joints were found and the film is at hand."""
    CONTACT_SHEET = "contact-sheet.png"
    """The 13 graded joints; only where joints were graded and the film is at hand."""


def write(
    assessment: Assessment,
    folder: str | os.PathLike[str],
    *,
    radiograph: Radiograph | None = None,
    lang: str = "en",
    formats: Iterable[str] = tuple(Format),
    written: datetime | None = None,
) -> list[Path]:
    """Write one film's reports as `<stem>.json`, `<stem>.html` and so on; the stem is the film's name without ending.

    Each file appears complete or not at all. A film's reports replace its own earlier ones, and a picture that there is
    nothing for any more is taken away; where the name belongs to another film, the first eight digits of the sha256 are
    added (all of them, should these be taken too).

    Args:
        assessment: one film's result, a refusal included.
        folder: where to, made if missing.
        radiograph: the film, for the page and the pictures.
        lang: language of the page.
        formats: which reports, of `Format`.
        written: time of writing, shown on the page.

    Returns:
        The files that were written, in the order of `formats`.

    Raises:
        ReportWriteError: if the folder or a file cannot be written; nothing is left half-written.
        UsageError: if a format or the language is not known.
    """
    chosen = [_format(one) for one in formats]
    language(lang)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        stem = free_stem(assessment, target, endings=chosen)
        made = {one: _content(one, assessment, radiograph=radiograph, lang=lang, written=written) for one in chosen}
        paths = {target / f"{stem}.{one}": content for one, content in made.items() if content is not None}
        _replace_all(paths)
        for one in made.keys() - {one for one, content in made.items() if content is not None}:
            (target / f"{stem}.{one}").unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportWriteError(
            f"the report of {assessment.source.name!r} could not be written to {str(target)!r}: {reason}; "
            "free space there or choose another folder"
        ) from error
    return list(paths)


def _content(
    form: Format, assessment: Assessment, *, radiograph: Radiograph | None, lang: str, written: datetime | None
) -> bytes | None:
    """Return a report's bytes, None where there is nothing to show in this form."""
    if form is Format.JSON:
        return f"{dumps(assessment, indent=2)}\n".encode()
    if form is Format.HTML:
        return to_html(assessment, radiograph=radiograph, lang=lang, written=written).encode("utf-8")
    joints = assessment.joints or ()
    if radiograph is None or not any(one.box is not None for one in joints):
        return None
    if form is Format.CONTACT_SHEET and all(one.grade is None for one in joints):
        return None
    draw = joints_picture if form is Format.JOINTS else contact_sheet
    return png_bytes(draw(assessment, radiograph), identity=film_identity(assessment))


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
