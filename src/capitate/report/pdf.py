"""The assessment as a PDF for print and file: an A4 sheet, a second one only where the findings need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Lock

from capitate.assessment import Assessment
from capitate.errors import MissingExtraError
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.report.wording import language

__all__ = ["require_pdf", "to_pdf"]

_ONE_AT_A_TIME = Lock()
"""reportlab keeps its fonts and the parser of paragraphs in module state, which threads would share."""


def to_pdf(
    assessment: Assessment,
    *,
    radiograph: Radiograph | None = None,
    maps: Mapping[str, ActivationMap] | None = None,
    lang: str = "en",
    written: datetime | None = None,
) -> bytes:
    """Write an assessment as a PDF in A4 that can be read when printed in grey.

    The same arguments give the same bytes on one computer: the time of writing comes in, it is not read from a clock.
    Which font Chinese is set in depends on what is installed, see `capitate.report.pdf_fonts`.

    Args:
        assessment: one film's result, a refusal included.
        radiograph: the film, to be shown with its joints; None leaves it out.
        maps: over the film, by `MapKind`; shown where the film is.
        lang: `en` or `zh`. Findings and refusals stay in the English that the assessment holds.
        written: time of writing, shown as it is; None leaves it out.

    Raises:
        MissingExtraError: if reportlab is not installed.
        UsageError: if reports are not written in `lang`.
    """
    language(lang)
    with _reportlab():
        from capitate.report.pdf_document import document
        from capitate.report.pdf_story import Sheet

    sheet = Sheet(assessment, radiograph=radiograph, maps=maps or {}, lang=lang, written=written)
    with _ONE_AT_A_TIME:
        return document(sheet)


def require_pdf() -> None:
    """Do nothing where PDF reports can be written, so that a long run need not find out at its end.

    Raises:
        MissingExtraError: if reportlab is not installed.
    """
    with _reportlab():
        import reportlab.platypus  # noqa: F401


@contextmanager
def _reportlab() -> Iterator[None]:
    """Turn a missing reportlab into a sentence with the install command."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "reportlab":
            raise
        raise MissingExtraError(what="A PDF report", extra="report") from error
