"""The sheets of a PDF report: paper, margins, what stands at their head, and the file's own facts."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from capitate.report.age_page import written_text
from capitate.report.naming import film_identity
from capitate.report.pdf_story import NAME_SIZE, NAME_WIDTH, WIDTH, Sheet, above, below
from capitate.report.pdf_text import INK, SOFT, draw_text, elided
from capitate.report.picture import FILM_KEY
from capitate.report.wording import HTML_LANGUAGE, language, words

__all__ = ["document"]

_LEFT = (A4[0] - WIDTH) / 2
_TOP, _BOTTOM, _HEAD = 24.0, 30.0, 42.0
_FILMS = ((250.0, 330.0), (245.0, 285.0), (230.0, 255.0), (215.0, 230.0), (205.0, 205.0))
_MAPS = (135.0, 105.0)
"""Room for the film and heights of maps, points, the largest first: taken are the first with which all fits on one
sheet."""
_ENDLESS = 1e5


def document(sheet: Sheet) -> bytes:
    """Lay the report out on one sheet if any size of film and maps allows it, otherwise on several with both large.

    Args:
        sheet: what there is to print.
    """
    room = A4[1] - _TOP - _BOTTOM - _HEAD
    for map_height in _MAPS if sheet.map_pictures else _MAPS[:1]:
        parts = below(sheet, map_height=map_height)
        rest = _height(parts)
        tops = (above(sheet, film=film, facts_left=left) for left in (False, True) for film in _FILMS)
        top = next((top for top in tops if _height([top]) + rest <= room), None)
        if top is not None:
            return _built(sheet, [top, *parts], height=room)
    return _built(sheet, [above(sheet, film=_FILMS[0]), *below(sheet, map_height=_MAPS[0])], height=room)


def _height(parts: Sequence[Flowable]) -> float:
    """Return the height of parts one below the other, with the space before each, points."""
    canvas = Canvas(io.BytesIO())  # some parts ask it how wide text is
    return sum(float(part.wrapOn(canvas, WIDTH, _ENDLESS)[1]) + float(part.getSpaceBefore()) for part in parts)


def _built(sheet: Sheet, parts: list[Flowable], *, height: float) -> bytes:
    """Return the file."""
    stream, phrases = io.BytesIO(), words(sheet.lang)
    made = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=phrases["title"],
        subject=f"{phrases['film_file']}{phrases['comma']}sha256 {sheet.assessment.source.sha256 or '–'}",
        author="Capitate",
        creator="Capitate",
        producer="Capitate",
        keywords=[f"{FILM_KEY} {film_identity(sheet.assessment)}"],
        lang=HTML_LANGUAGE[language(sheet.lang)],
        displayDocTitle=True,
        invariant=1,
        pageCompression=1,
    )
    frame = Frame(_LEFT, _BOTTOM, WIDTH, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)

    def head(canvas: Canvas, page: BaseDocTemplate) -> None:
        _head(canvas, sheet, number=page.page)

    made.addPageTemplates([PageTemplate("sheet", [frame], onPage=head)])
    made.build(parts)
    return stream.getvalue()


def _head(canvas: Canvas, sheet: Sheet, *, number: int) -> None:
    """Draw what every sheet has: title, film, time of writing, notice, and the sheet's number."""
    phrases, right, top = words(sheet.lang), _LEFT + WIDTH, A4[1] - _TOP
    canvas.setFillColor(INK)
    draw_text(canvas, (_LEFT, top - 12), phrases["title"], size=14, bold=True)
    canvas.setFillColor(SOFT)
    title = f"{phrases['film']} {elided(sheet.name, size=NAME_SIZE, width=NAME_WIDTH)}"
    draw_text(canvas, (right, top - 6), title, size=NAME_SIZE, anchor=1)
    told = "Capitate" if sheet.written is None else f"{phrases['written']} {written_text(sheet.written)} · Capitate"
    draw_text(canvas, (right, top - 17), told, size=7, anchor=1)
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.8)
    canvas.rect(_LEFT, top - 38, WIDTH, 14, stroke=1, fill=0)
    canvas.setFillColor(INK)
    notice = phrases.get(sheet.assessment.notice, sheet.assessment.notice)
    draw_text(canvas, (_LEFT + 6, top - 33.8), elided(notice, size=8, width=WIDTH - 12), size=8, bold=True)
    canvas.setFillColor(SOFT)
    draw_text(canvas, (right, _BOTTOM - 12), str(number), size=7, anchor=1)
    if sheet.assessment.source.sha256 is not None:
        draw_text(canvas, (_LEFT, _BOTTOM - 12), f"sha256 {sheet.assessment.source.sha256[:16]}", size=6.5)
