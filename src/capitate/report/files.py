"""Reports as files: whole or not at all, and never one film's over another's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from capitate.assessment import Assessment
from capitate.errors import ReportWriteError, UsageError
from capitate.explain import ActivationMap
from capitate.explain.arrays import StoredMap, npz_bytes
from capitate.radiograph import Radiograph
from capitate.report.contact_sheet import contact_sheet
from capitate.report.html import to_html
from capitate.report.joints_picture import joints_picture
from capitate.report.map_names import MapKind, MapPart, map_ending, map_endings, named_maps
from capitate.report.map_picture import map_picture
from capitate.report.naming import film_identity, free_stem
from capitate.report.pdf import require_pdf, to_pdf
from capitate.report.picture import png_bytes
from capitate.report.structured import dumps
from capitate.report.wording import language

__all__ = ["USUAL", "Format", "write"]


class Format(StrEnum):
    """Forms of a report that are files of their own, one a film."""

    JSON = "json"
    HTML = "html"
    JOINTS = "joints.png"
    """The film with its joints drawn on it; only where joints were found and the film is at hand."""
    CONTACT_SHEET = "contact-sheet.png"
    """The 13 graded joints; only where joints were graded and the film is at hand."""
    MAPS = "maps"
    """Two files a map, a picture and an array: `<stem>-map-bone-age.png` and `.npz`; only where maps were made."""
    PDF = "pdf"
    """For print and file; only where it is asked for, and with reportlab, which `capitate[report]` installs."""


USUAL = tuple(form for form in Format if form is not Format.PDF)
"""What is written where nothing else is asked for."""


def write(
    assessment: Assessment,
    folder: str | os.PathLike[str],
    *,
    radiograph: Radiograph | None = None,
    maps: Mapping[str, ActivationMap] | None = None,
    lang: str = "en",
    formats: Iterable[str] = USUAL,
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
        maps: by `MapKind`; the assessment that is written names their pictures, also where it named others.
        lang: language of the page and of the PDF.
        formats: which reports, of `Format`.
        written: time of writing, shown on the page and in the PDF.

    Returns:
        The files that were written, in the order of `formats`.

    Raises:
        MissingExtraError: if a PDF is asked for and reportlab is not installed.
        ReportWriteError: if the folder or a file cannot be written; nothing is left half-written.
        UsageError: if a format or the language is not known.
    """
    chosen = [_format(one) for one in formats]
    language(lang)
    if Format.PDF in chosen:
        require_pdf()
    target, film = Path(folder), _Film(assessment, radiograph, maps or {}, lang, written)
    try:
        target.mkdir(parents=True, exist_ok=True)
        stem = free_stem(assessment, target, endings=[ending for one in chosen for ending in _endings(one)])
        if maps and Format.MAPS in chosen:
            film = replace(film, assessment=replace(assessment, maps=named_maps(maps, stem=stem)))
        made = {target / f"{stem}{end}": content for one in chosen for end, content in _contents(one, film)}
        paths = {path: content for path, content in made.items() if content is not None}
        _replace_all(paths)
        for path in made.keys() - paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportWriteError(
            f"the report of {assessment.source.name!r} could not be written to {str(target)!r}: {reason}; "
            "free space there or choose another folder"
        ) from error
    return list(paths)


@dataclass(frozen=True, eq=False)
class _Film:
    """What there is to write of one film."""

    assessment: Assessment
    radiograph: Radiograph | None
    maps: Mapping[str, ActivationMap]
    lang: str
    written: datetime | None

    @property
    def page(self) -> str:
        """The page."""
        return to_html(
            self.assessment, radiograph=self.radiograph, maps=self.maps, lang=self.lang, written=self.written
        )

    @property
    def pdf(self) -> bytes:
        """The PDF."""
        return to_pdf(self.assessment, radiograph=self.radiograph, maps=self.maps, lang=self.lang, written=self.written)


def _endings(form: Format) -> tuple[str, ...]:
    """Return what follows the stem in the names of a form's files."""
    return map_endings() if form is Format.MAPS else (f".{form}",)


def _contents(form: Format, film: _Film) -> Iterator[tuple[str, bytes | None]]:
    """Yield ending and bytes of a form's files, None where there is nothing to show."""
    if form is Format.MAPS:
        yield from _map_files(film)
    elif form is Format.JSON:
        yield f".{form}", f"{dumps(film.assessment, indent=2)}\n".encode()
    elif form is Format.HTML:
        yield f".{form}", film.page.encode("utf-8")
    elif form is Format.PDF:
        yield f".{form}", film.pdf
    else:
        yield f".{form}", _joints(form, film)


def _joints(form: Format, film: _Film) -> bytes | None:
    """Return a picture of the joints."""
    joints = film.assessment.joints or ()
    if film.radiograph is None or not any(one.box is not None for one in joints):
        return None
    if form is Format.CONTACT_SHEET and all(one.grade is None for one in joints):
        return None
    draw = joints_picture if form is Format.JOINTS else contact_sheet
    return png_bytes(draw(film.assessment, film.radiograph), identity=film_identity(film.assessment))


def _map_files(film: _Film) -> Iterator[tuple[str, bytes | None]]:
    """Yield picture and array of every map that there may be; an assessment that names its maps keeps them."""
    if not film.maps and film.assessment.maps:
        return
    identity = film_identity(film.assessment)
    versions = {one.name: one.version for one in film.assessment.models}
    for kind in MapKind:
        one, picture, array = film.maps.get(kind), None, None
        if one is not None:
            array = npz_bytes(StoredMap(one, version=versions.get(one.model, ""), film=identity))
        if one is not None and film.radiograph is not None:
            picture = png_bytes(map_picture(kind, one, film.assessment, film.radiograph), identity=identity)
        yield map_ending(kind, MapPart.PICTURE), picture
        yield map_ending(kind, MapPart.ARRAY), array


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
