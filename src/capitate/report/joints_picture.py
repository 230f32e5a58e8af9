"""The film with its joints drawn on it, at the film's own resolution, for use outside the page."""

from __future__ import annotations

from PIL import Image, ImageDraw

from capitate.assessment import Assessment
from capitate.radiograph import Radiograph
from capitate.report.joint_marks import COLOURS, JointMark, joint_marks, short_name
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.labels import place_labels
from capitate.report.pens import Line, Pen, font, wrapped
from capitate.report.picture import film_levels
from capitate.report.wording import Language

__all__ = ["joints_picture"]

_DASHES = {"found": None, "uncertain": (5.0, 3.0), "missing": (1.0, 2.0)}
_STRIP = "#101418"


def joints_picture(assessment: Assessment, radiograph: Radiograph) -> Image.Image:
    """Draw the joints of a film.

    A pixel of the film is a pixel of the picture, which has a strip below it: what the lines mean, missing joints, and
    the notice. The words are English, since the font that comes with Pillow has no Chinese.

    Args:
        assessment: the film's result.
        radiograph: the film.

    Returns:
        RGB, as wide as the film.
    """
    film = Image.fromarray(film_levels(radiograph.pixels)).convert("RGB")
    strip = _strip(assessment, width=film.width)
    picture = Image.new("RGB", (film.width, film.height + strip.height), _STRIP)
    pen = Pen(ImageDraw.Draw(film))
    width = max(1, round(max(film.size) / 500))
    marks = joint_marks(assessment)
    for outline in () if assessment.carpals is None else assessment.carpals.outlines:
        pen.ring(outline, Line(COLOURS["carpals"], width))
    for mark in marks:
        for outline in mark.epiphysis:
            pen.ring(outline, Line(COLOURS["epiphysis"], width))
    for mark in marks:
        pen.box(mark.box, _line(mark, width))
    _write_labels(pen, marks, film=film.size)
    picture.paste(film, (0, 0))
    picture.paste(strip, (0, film.height))
    return picture


def _line(mark: JointMark, width: int) -> Line:
    """Return the line of a box: thinner for joints that are not graded."""
    return Line(COLOURS[mark.status], max(1, width if mark.graded else width // 2), _DASHES[mark.status])


def _write_labels(pen: Pen, marks: tuple[JointMark, ...], *, film: tuple[int, int]) -> None:
    def measure(text: str, size: float) -> float:
        return float(font(round(size)).getlength(text))

    size = max(9, round(max(film) / 70))
    for label in place_labels(marks, film=film, size=size, measure=measure):
        at, colour = (label.box.x, label.box.y), COLOURS[label.mark.status]
        pen.text(at, label.mark.label, size=round(label.size), colour=colour)


def _strip(assessment: Assessment, *, width: int) -> Image.Image:
    """Draw the strip below the film."""
    size = max(9, round(width / 60))
    phrases = JOINT_PHRASES[Language.ENGLISH]
    inner = width - 2 * size
    missing = [short_name(one.name) for one in assessment.joints or () if one.status == "missing"]
    keys = [(phrases[f"legend_{kind}"], COLOURS[kind]) for kind in COLOURS]
    texts = [f"Missing: {', '.join(missing)}."] if missing else []
    lines = [line for text in (*texts, assessment.notice) for line in wrapped(text, size=size, width=inner)]
    rows = _rows(keys, size=size, width=inner)
    step = round(1.5 * size)
    strip = Image.new("RGB", (width, (len(rows) + len(lines)) * step + size), _STRIP)
    pen, top = Pen(ImageDraw.Draw(strip)), size // 2
    for row in rows:
        for at, words, colour in row:
            pen.text((size + at, top), words, size=size, colour=colour)
        top += step
    for line in lines:
        pen.text((size, top), line, size=size)
        top += step
    return strip


def _rows(keys: list[tuple[str, str]], *, size: int, width: float) -> list[list[tuple[float, str, str]]]:
    """Set the legend's words side by side, as many to a row as fit: place, words and colour of each."""
    rows: list[list[tuple[float, str, str]]] = [[]]
    at = 0.0
    for words, colour in keys:
        wide = float(font(size).getlength(words))
        if rows[-1] and at + wide > width:
            rows.append([])
            at = 0.0
        rows[-1].append((at, words, colour))
        at += wide + 1.5 * size
    return rows
