"""The film in a PDF report with its joints drawn on it as lines and letters, which stay sharp at any size."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from reportlab.lib.colors import HexColor, black, white
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from capitate.assessment import Assessment
from capitate.report.joint_marks import COLOURS, JointMark, joint_marks
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.labels import place_labels
from capitate.report.pdf_text import INK, draw_text, text_width
from capitate.report.screen_words import screen_page
from capitate.report.wording import language, words
from capitate.types import Box

__all__ = ["Film", "Legend"]

_DASHES = {
    "found": (),
    "uncertain": (3.0, 1.6),
    "missing": (0.4, 1.6),
    "hand": (6.0, 3.0),
    "mark": (5.0, 1.2, 1.2, 1.2),
}
_WIDE = {"found": 0.8, "uncertain": 0.8, "missing": 1.0, "epiphysis": 0.5, "carpals": 0.5, "hand": 0.6, "mark": 1.1}
"""Widths of lines, points; boxes of joints that are not graded have half."""
_COLOURS = {**COLOURS, "hand": "#FFFFFF", "mark": "#FFFFFF"}
_LABEL = 5.8
_HALO = 1.0
_PLATE = 0.62
"""Opacity of the dark plate behind a label, which has to be read on bright bone too."""


class Film(Flowable):
    """The film, scaled to a width and a greatest height."""

    def __init__(
        self, jpeg: bytes, size: tuple[int, int], assessment: Assessment, *, most: tuple[float, float]
    ) -> None:
        """Prepare.

        Args:
            jpeg: the film as `capitate.report.picture.film_jpeg` gives it.
            size: width and height in pixels of the film, in which boxes and outlines are.
            assessment: the film's result.
            most: width and height that there is room for, points.
        """
        super().__init__()
        self._jpeg, self._size, self._assessment = jpeg, size, assessment
        self._scale = min(most[0] / size[0], most[1] / size[1])
        self.width, self.height = self._scale * size[0], self._scale * size[1]

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the film's size on paper, points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw film, outlines, boxes, and labels above all."""
        canvas: Canvas = self.canv
        canvas.drawImage(ImageReader(io.BytesIO(self._jpeg)), 0, 0, self.width, self.height)
        canvas.saveState()
        clip = canvas.beginPath()
        clip.rect(0, 0, self.width, self.height)
        canvas.clipPath(clip, stroke=0, fill=0)
        marks = joint_marks(self._assessment)
        for kind, points, share in _lines(self._assessment, marks):
            self._ring([self._place(x, y) for x, y in points], kind, share=share)
        self._labels([mark for mark in marks if mark.graded or mark.status != "found"])
        canvas.restoreState()

    def _place(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on paper of a place on the film, whose rows run down."""
        return x * self._scale, self.height - y * self._scale

    def _ring(self, points: Sequence[tuple[float, float]], kind: str, *, share: float) -> None:
        path = self.canv.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        path.close()
        wide = share * _WIDE[kind]
        for colour, width, dash in ((black, wide + _HALO, ()), (HexColor(_COLOURS[kind]), wide, _DASHES.get(kind, ()))):
            _set_line(self.canv, colour, width, dash)
            self.canv.drawPath(path, stroke=1, fill=0)

    def _labels(self, marks: Sequence[JointMark]) -> None:
        def measure(text: str, size: float) -> float:
            return text_width(text, size=size)

        for label in place_labels(marks, film=self._size, size=_LABEL / self._scale, measure=measure):
            left, bottom = self._place(label.box.x, label.box.y + label.box.height)
            wide, tall = label.box.width * self._scale, label.box.height * self._scale
            self.canv.setFillColor(black, alpha=_PLATE)
            self.canv.rect(left - 1, bottom, wide + 2, tall, stroke=0, fill=1)
            self.canv.setFillColor(white, alpha=1)
            draw_text(self.canv, (left, bottom + 0.25 * tall), label.mark.label, size=label.size * self._scale)


def _set_line(canvas: Canvas, colour: HexColor, width: float, dash: tuple[float, ...]) -> None:
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(width)
    canvas.setDash(list(dash))


def _lines(
    assessment: Assessment, marks: Sequence[JointMark]
) -> Iterator[tuple[str, Sequence[tuple[float, float]], float]]:
    """Yield kind, points in film pixels and share of the width of every line over the film."""
    if assessment.joints is None and assessment.hand is not None:
        yield "hand", _corners(assessment.hand.box), 1.0
    for outline in () if assessment.carpals is None else assessment.carpals.outlines:
        yield "carpals", outline, 1.0
    for mark in marks:
        yield from (("epiphysis", outline, 1.0) for outline in mark.epiphysis)
    for mark in marks:
        yield mark.status, _corners(mark.box), 1.0 if mark.graded else 0.5
    for one in assessment.marks or ():
        yield "mark", _corners(Box(*one["box"])), 1.0


def _corners(box: Box) -> tuple[tuple[float, float], ...]:
    right, bottom = box.x + box.width, box.y + box.height
    return (box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom)


class Legend(Flowable):
    """What the lines over the film mean: a sample of each, on black as on the film; and how that is shown."""

    _SIZE, _SAMPLE, _GAP = 6.5, 13.0, 8.0

    def __init__(self, assessment: Assessment, *, lang: str) -> None:
        """Choose the kinds of lines that the film has.

        Args:
            assessment: the film's result.
            lang: `en` or `zh`.
        """
        super().__init__()
        drawn = {kind for kind, *_ in _lines(assessment, joint_marks(assessment))}
        phrases, screen = JOINT_PHRASES[language(lang)], screen_page(assessment, lang=lang)
        told = {kind: phrases[f"legend_{kind}"] for kind in COLOURS}
        told |= {"hand": words(lang)["hand"], "mark": "" if screen is None else screen["marks_title"]}
        self._keys = [(kind, phrase) for kind, phrase in told.items() if kind in drawn]
        self._keys.append(("", words(lang)["film_stretched"]))

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Set the keys side by side, as many to a row as fit; returns the size."""
        self._places, x, row = list[tuple[float, int]](), 0.0, 0
        for kind, phrase in self._keys:
            wide = self._indent(kind) + text_width(phrase, size=self._SIZE)
            if x and x + wide > width:
                x, row = 0.0, row + 1
            self._places.append((x, row))
            x += wide + self._GAP
        self.width, self.height = width, (row + 1) * 1.45 * self._SIZE
        return self.width, self.height

    def draw(self) -> None:
        """Draw samples and words."""
        canvas: Canvas = self.canv
        for (kind, phrase), (x, row) in zip(self._keys, self._places, strict=True):
            y = self.height - (row + 1) * 1.45 * self._SIZE
            if kind:
                self._sample(kind, x, y + 0.5)
            canvas.setFillColor(INK)
            draw_text(canvas, (x + self._indent(kind), y + 1.6), phrase, size=self._SIZE)

    def _indent(self, kind: str) -> float:
        """Return the room for a sample; the note on contrast, of no kind, has none."""
        return self._SAMPLE + 3 if kind else 0.0

    def _sample(self, kind: str, x: float, y: float) -> None:
        """Draw a piece of a line on black."""
        canvas, middle = self.canv, y + self._SIZE / 2
        canvas.setFillColor(black)
        canvas.rect(x, y, self._SAMPLE, self._SIZE, stroke=0, fill=1)
        _set_line(canvas, HexColor(_COLOURS[kind]), _WIDE[kind] + 0.3, _DASHES.get(kind, ()))
        canvas.line(x + 1, middle, x + self._SAMPLE - 1, middle)
        canvas.setDash()
