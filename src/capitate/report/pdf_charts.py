"""The age scale of a PDF report: interval and point on 0 to 19 years, told apart by shape and grey alone."""

from __future__ import annotations

from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from capitate.report.charts import AgeScale, ScaleRow
from capitate.report.pdf_text import INK, SOFT, draw_text

__all__ = ["Scale"]

_BAND, _GRID = Color(0.74, 0.74, 0.74), Color(0.87, 0.87, 0.87)
_SIZE = 6.5
_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


class Scale(Flowable):
    """The scale as wide as there is room; its geometry is that of `capitate.report.charts`."""

    def __init__(self, scale: AgeScale, *, axis: str, chronological: str) -> None:
        """Prepare.

        Args:
            scale: the geometry.
            axis: words below the axis.
            chronological: words at the chronological age, empty where it is not known.
        """
        super().__init__()
        self._scale, self._axis, self._chronological = scale, axis, chronological

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Return the drawing's size, points."""
        self._factor = width / self._scale.width
        self.width = width
        self.height = self._factor * self._scale.axis_y + 3.1 * _SIZE
        return self.width, self.height

    def draw(self) -> None:
        """Draw grid, rows, axis and chronological age."""
        scale, canvas = self._scale, self.canv
        top, axis = self._y(scale.rows[0].y - 14), self._y(scale.axis_y)
        for tick in scale.ticks:
            self._line((tick.at, top), (tick.at, axis - 2), _GRID, 0.5)
            canvas.setFillColor(INK)
            draw_text(canvas, (self._x(tick.at), axis - 1.35 * _SIZE), tick.label, size=_SIZE, anchor=0.5)
        self._line((scale.left, axis), (scale.right, axis), SOFT, 0.7)
        middle = self._x((scale.left + scale.right) / 2)
        draw_text(canvas, (middle, axis - 2.6 * _SIZE), self._axis, size=_SIZE, anchor=0.5)
        for row in scale.rows:
            self._row(row)
        if scale.chronological is not None:
            self._line((scale.chronological, self._y(15)), (scale.chronological, axis - 2), INK, 0.9, dash=(2.2, 1.6))
            at = (self._x(scale.chronological), self._y(11))
            draw_text(canvas, at, self._chronological, size=_SIZE, anchor=_ANCHORS[scale.anchor])

    def _row(self, row: ScaleRow) -> None:
        """Draw one age: a grey band for its interval, a heavy line for the point, an arrow where it is a bound."""
        canvas: Canvas = self.canv
        y, low, high, point = self._y(row.y), self._x(row.low), self._x(row.high), self._x(row.point)
        if row.label:
            canvas.setFillColor(INK)
            draw_text(canvas, (self._x(self._scale.left - 10), y - 0.35 * _SIZE), row.label, size=_SIZE, anchor=1)
        canvas.setFillColor(_BAND)
        canvas.setStrokeColor(SOFT)
        canvas.setLineWidth(0.4)
        canvas.rect(low, y - 3.6, max(high - low, 0.8), 7.2, stroke=1, fill=1)
        self._line((row.point, y - 5.4), (row.point, y + 5.4), INK, 1.8)
        if row.mature:
            end = max(high, point + 8)
            path = canvas.beginPath()
            path.moveTo(point, y)
            path.lineTo(end, y)
            path.moveTo(end - 3, y + 2.4)
            path.lineTo(end, y)
            path.lineTo(end - 3, y - 2.4)
            canvas.setStrokeColor(INK)
            canvas.setLineWidth(1)
            canvas.drawPath(path, stroke=1, fill=0)
        canvas.setFillColor(INK)

    def _line(
        self, begin: tuple[float, float], end: tuple[float, float], colour: Color, width: float,
        *, dash: tuple[float, ...] = (),
    ) -> None:  # fmt: skip
        """Draw a line; across in the geometry's units, up in points."""
        self.canv.setStrokeColor(colour)
        self.canv.setLineWidth(width)
        self.canv.setDash(list(dash))
        self.canv.line(self._x(begin[0]), begin[1], self._x(end[0]), end[1])
        self.canv.setDash()

    def _x(self, at: float) -> float:
        return at * self._factor

    def _y(self, at: float) -> float:
        """Return the height on paper of a height in the geometry, which runs down."""
        return self.height - at * self._factor
