"""Text of PDF reports: paragraphs, single lines at a place, and how wide they are."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from capitate.report.pdf_fonts import BOLD, LATIN, runs
from capitate.report.plain import columns, printable

__all__ = ["INK", "RULE", "SOFT", "bullets", "draw_text", "elided", "heading", "headline", "paragraph", "text_width"]

INK, SOFT, RULE = Color(0, 0, 0), Color(0.28, 0.28, 0.28), Color(0.62, 0.62, 0.62)
"""Black, a dark grey of at least 7:1 on white for lesser text, and a grey for lines: nothing rests on colour."""
_LEADING = 1.24


def paragraph(
    text: str, *, size: float = 8, bold: bool = False, colour: Color = INK, right: bool = False, before: float = 0,
    indent: float = 0, bullet: str = "",
) -> Paragraph:  # fmt: skip
    """Return a paragraph that breaks anywhere between Chinese characters and within words too long for a line.

    Args:
        text: whatever a stranger may have written; it is no markup.
        size: of the letters, points.
        bold: whether Latin letters are bold.
        colour: of the letters.
        right: whether lines end flush instead of beginning so.
        before: space above, points.
        indent: of all lines, points.
        bullet: what stands before the first line.
    """
    style = _style(text, size=size, bold=bold, colour=colour, right=right, before=before, indent=indent)
    return Paragraph(_markup(text, bold=bold), style, bulletText=bullet or None)


def headline(first: str, second: str) -> Paragraph:
    """Return a line of large letters that goes on in small ones."""
    text = f'{_markup(first, bold=True)} <font size="8.5">{_markup(second)}</font>'
    return Paragraph(text, _style(f"{first} {second}", size=18, bold=True, colour=INK))


def _markup(text: str, *, bold: bool = False) -> str:
    """Write text as reportlab's markup, which names the font of every run; beside Chinese nothing is bold."""
    shown = printable(text)
    told = runs(shown, bold=bold and not _is_wide(shown))
    return "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in told)


def _is_wide(text: str) -> bool:
    """Whether a text has Chinese characters or others as wide."""
    return columns(text) > len(text)


def _style(
    text: str, *, size: float, bold: bool, colour: Color, right: bool = False, before: float = 0, indent: float = 0
) -> ParagraphStyle:
    """Return how a text is set; one with Chinese may break between any two characters."""
    return ParagraphStyle(
        "capitate",
        fontName=BOLD if bold else LATIN,
        fontSize=size,
        leading=_LEADING * size,
        textColor=colour,
        alignment=2 if right else 0,
        spaceBefore=before,
        leftIndent=indent,
        bulletFontSize=size,
        wordWrap="CJK" if _is_wide(text) else None,
        rightIndent=size if _is_wide(text) and not right else 0,  # for the point that may hang there
    )


def heading(text: str) -> Paragraph:
    """Return the heading of a section."""
    return paragraph(text[:1].upper() + text[1:], size=8.5, bold=True, before=4)


def bullets(texts: Iterable[str], *, size: float = 7.5, colour: Color = INK) -> list[Paragraph]:
    """Return a list of points."""
    return [paragraph(text, size=size, colour=colour, indent=8, bullet="•", before=1) for text in texts]


def text_width(text: str, *, size: float, bold: bool = False) -> float:
    """Return the width of a line, points."""
    return sum(float(stringWidth(run, font, size)) for font, run in runs(text, bold=bold))


def draw_text(
    canvas: Canvas, at: tuple[float, float], text: str, *, size: float, bold: bool = False, anchor: float = 0
) -> None:
    """Write a line with the canvas' colours.

    Args:
        canvas: what is drawn on.
        at: place of the line on its baseline, points.
        text: printable text.
        size: of the letters, points.
        bold: whether Latin letters are bold.
        anchor: which part of the line is at the place: 0 its begin, 0.5 its middle, 1 its end.
    """
    x, y = at
    x -= anchor * text_width(text, size=size, bold=bold)
    for font, run in runs(text, bold=bold):
        canvas.setFont(font, size)
        canvas.drawString(x, y, run)
        x += float(stringWidth(run, font, size))


def elided(text: str, *, size: float, width: float) -> str:
    """Return a text that fits a width: begin and end with `…` between them where it is longer.

    Args:
        text: printable text.
        size: of the letters, points.
        width: points.
    """
    if text_width(text, size=size) <= width:
        return text
    keep = len(text) - 1
    while keep > 2:
        keep = min(keep - 1, int(keep * 0.95))
        shown = f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"
        if text_width(shown, size=size) <= width:
            return shown
    return "…"
