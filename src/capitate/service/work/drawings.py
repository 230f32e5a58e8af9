"""What runs in a worker that draws: pixels, previews, crops, reports; and corrections of grades."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capitate.types import Sex

if TYPE_CHECKING:
    from capitate.assessment import Assessment
    from capitate.explain import ActivationMap
    from capitate.radiograph import Radiograph

__all__ = [
    "Assessed",
    "Pixels",
    "ReportForm",
    "ReportLanguage",
    "Wanted",
    "crop",
    "load_reports",
    "pixels",
    "preview",
    "report",
    "rescore",
    "stage",
]

_FILMS = 3
"""Films that are kept decoded: a reader looks at one, and at earlier ones beside it."""


class ReportForm(StrEnum):
    """Forms of a report."""

    HTML = "html"
    PDF = "pdf"
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class ReportLanguage(StrEnum):
    """Languages of reports; those of `capitate.report.Language`, which would bring numbers at the start."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True)
class Assessed:
    """An assessment as it is stored, and the film it is of.

    Attributes:
        film: path of its bytes.
        name: of the film.
        assessment: `capitate.assessment/1`.
        maps: NPZ files by kind.
    """

    film: Path
    name: str
    assessment: dict[str, Any]
    maps: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Pixels:
    """The pixels of a film, bone bright: uint16 little-endian, row after row."""

    width: int
    height: int
    rows: bytes


def load_reports(tell: Callable[[str], None]) -> None:
    """Import what drawings need, so that the first does not wait for it."""
    tell("loading")
    from capitate import files, report  # noqa: F401
    from capitate.assessor import rescoring  # noqa: F401


def pixels(_tell: Callable[[str], None], path: Path, *, negated: bool) -> Pixels:
    """Read the pixels of a film.

    Args:
        path: of its bytes.
        negated: whether its assessment found it to be stored with dark bone.

    Raises:
        FilmError: if it cannot be read.
    """
    import numpy as np

    film = _film(path, negated)
    return Pixels(film.width, film.height, np.rint(film.pixels * 65535).astype("<u2").tobytes())


def preview(_tell: Callable[[str], None], path: Path, *, negated: bool, size: int) -> bytes:
    """Draw a film small, as PNG.

    Args:
        path: of its bytes.
        negated: as of `pixels`.
        size: longer side at most, pixels.
    """
    from PIL import Image

    from capitate.report.picture import film_levels

    picture = Image.fromarray(film_levels(_film(path, negated).pixels))
    picture.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _png(picture)


def crop(_tell: Callable[[str], None], one: Assessed, joint: str, *, size: int) -> bytes | None:
    """Cut a joint as the grader sees it, as PNG; None where it has no box.

    Args:
        one: the assessment.
        joint: its name.
        size: rows and columns.
    """
    from PIL import Image

    from capitate.report.contact_sheet import joint_crops

    assessment = _assessment(one)
    wanted = [found for found in assessment.joints or () if found.name == joint]
    film = _film(one.film, _negated(assessment))
    cut = joint_crops(assessment, film, wanted, size=size).get(joint)
    return None if cut is None else _png(Image.fromarray(cut))


@lru_cache(maxsize=512)
def _stage(joint: str, grade: int, size: int) -> bytes:
    from PIL import Image

    from capitate.report.stage_drawings import stage_drawing

    return _png(Image.fromarray(stage_drawing(joint, grade, size=size)))


def stage(_tell: Callable[[str], None], joint: str, grade: int, *, size: int) -> bytes:
    """Draw a grade of a joint, as PNG.

    Args:
        joint: one of the 13 of RUS-CHN.
        grade: 0 to its last.
        size: rows and columns.
    """
    return _stage(joint, grade, size)


def report(_tell: Callable[[str], None], one: Assessed, *, form: ReportForm, lang: str) -> bytes:
    """Write a report.

    Args:
        one: the assessment.
        form: of the report.
        lang: `en` or `zh`.

    Raises:
        CapitateError: if it cannot be written, such as for a missing part of the installation.
    """
    from capitate.report import dumps, to_html, to_text

    assessment = _assessment(one)
    if form is ReportForm.TEXT:
        return f"{to_text(assessment, lang=lang)}\n".encode()
    if form is ReportForm.JSON:
        return f"{dumps(assessment, indent=2)}\n".encode()
    if form is ReportForm.CSV:
        return _table(assessment)
    film, maps, now = _film_or_none(one, assessment), _maps(one), datetime.now(UTC)
    if form is ReportForm.PDF:
        from capitate.report import to_pdf

        return to_pdf(assessment, radiograph=film, maps=maps, lang=lang, written=now)
    return to_html(assessment, radiograph=film, maps=maps, lang=lang, written=now).encode()


@dataclass(frozen=True)
class Wanted:
    """Corrections as they were sent: grades by joint, joints to clear, a sex that was unknown, and who says so."""

    grades: Mapping[str, int | None]
    clear: tuple[str, ...]
    sex: Sex | None
    by: str


def rescore(_tell: Callable[[str], None], assessment: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    """Correct an assessment; scores, ages and intervals follow.

    Args:
        assessment: `capitate.assessment/1`.
        wanted: what is to be changed.

    Raises:
        GradeError: if a joint or grade does not exist.
        UsageError: if it cannot be changed so.
    """
    from capitate.assessor.rescoring import Corrections, rescored
    from capitate.methods import joint_named
    from capitate.report import from_json, to_json

    grades = {joint_named(name): grade for name, grade in wanted.grades.items()}
    cleared = frozenset(joint_named(name) for name in wanted.clear)
    return to_json(rescored(from_json(assessment), Corrections(grades, cleared, wanted.sex, wanted.by)))


def _table(assessment: Assessment) -> bytes:
    """Write the one row of a table, below its header."""
    from capitate.report import TableWriter

    stream = io.StringIO(newline="")
    TableWriter(stream).write(assessment)
    return stream.getvalue().encode()


def _assessment(one: Assessed) -> Assessment:
    from capitate.report import from_json

    return from_json(one.assessment)


def _negated(assessment: Assessment) -> bool:
    """Whether the film was found to show dark bone, and was inverted for its assessment."""
    return any(finding.code == "negated" for finding in assessment.quality.findings)


def _maps(one: Assessed) -> Mapping[str, ActivationMap]:
    from capitate.explain.arrays import map_of_npz

    return {kind: map_of_npz(content, shown=f"{kind}.npz").activation for kind, content in one.maps}


def _film_or_none(one: Assessed, assessment: Assessment) -> Radiograph | None:
    """Read the film of a report; None where it was refused because it cannot be read."""
    from capitate.errors import FilmError

    try:
        return _film(one.film, _negated(assessment))
    except FilmError:
        return None


@lru_cache(maxsize=_FILMS)
def _film(path: Path, negated: bool) -> Radiograph:
    from capitate import files

    film = files.read(path, name="film")
    return film.negated() if negated else film


def _png(picture: Any) -> bytes:  # noqa: ANN401
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()
