"""Axes with names instead of numbers, bars, lines told apart by dashes, cells; and several of them as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from markupsafe import Markup, escape

from capitate.evaluation.plots import Axes

__all__ = ["COLOURS", "DASHES", "Marks", "NamedAxes", "stacked"]

COLOURS = {"onnxruntime": "#0072b2", "openvino": "#d55e00", "torch": "#009e73"}
"""Of Okabe and Ito, which readers with colour blindness tell apart."""
DASHES = {"fp32": "", "bf16": "7 4", "int8": "2 3"}
_OPACITY = {"fp32": 0.9, "bf16": 0.6, "int8": 0.3}
_INK, _GRID = "#1f2933", "#e4e7eb"
_KEY_LEFT, _KEY_LINE = 16.0, 20.0


@dataclass
class NamedAxes(Axes):
    """Axes whose ticks may be named, with marks for runtimes and precisions."""

    def named_grid(self, across: Mapping[float, str], up: Mapping[float, str], *, lines: bool = True) -> None:
        """Name values on both axes and the axes themselves, with lines at the values if asked for."""
        left, bottom = (float(value) for value in self.place(self.x[0], self.y[0]))
        right, top = (float(value) for value in self.place(self.x[1], self.y[1]))
        for value, name in across.items():
            at = float(self.place(value, self.y[0])[0])
            if lines:
                self._line(at, bottom, at, top, f'stroke="{_GRID}"')
            self._text(at, bottom + 16, name, anchor="middle")
        for value, name in up.items():
            at = float(self.place(self.x[0], value)[1])
            if lines:
                self._line(left, at, right, at, f'stroke="{_GRID}"')
            self._text(left - 7, at + 4, name, anchor="end")
        self._line(left, bottom, right, bottom, f'stroke="{_INK}"')
        self._line(left, bottom, left, top, f'stroke="{_INK}"')
        self._text((left + right) / 2, bottom + 34, self.label_x, anchor="middle")
        middle = (top + bottom) / 2
        self._text(14, middle, self.label_y, anchor="middle", extra=f'transform="rotate(-90 14 {middle:.1f})" ')
        self._text(left, top - 3, self.title, extra='font-weight="bold" ')

    def bar(self, height: float, length: float, *, reach: float, runtime: str, precision: str) -> None:
        """Draw a lying bar from zero, a thin line that goes on to `reach`, and both numbers."""
        left, top = (float(v) for v in self.place(0, height + 0.36))
        right, bottom = (float(v) for v in self.place(length, height - 0.36))
        box = f'x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.5):.1f}" height="{bottom - top:.1f}"'
        self._parts.append(f'<rect {box} fill="{COLOURS[runtime]}" fill-opacity="{_OPACITY[precision]}"/>')
        end, middle = (float(v) for v in self.place(reach, height))
        self._line(right, middle, end, middle, f'stroke="{_INK}"')
        self._line(end, middle - 3, end, middle + 3, f'stroke="{_INK}"')
        self._text(end + 5, middle + 4, f"{length:.3g} ({reach:.3g})", halo=True)

    def series(self, x: Sequence[float], y: Sequence[float], *, runtime: str, precision: str) -> None:
        """Draw a line with dots through points."""
        across, up = self.place(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, up, strict=True))
        dash = f' stroke-dasharray="{DASHES[precision]}"' if DASHES[precision] else ""
        self._parts.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[runtime]}" stroke-width="1.8"{dash}/>')
        for a, b in zip(across, up, strict=True):
            self._dot(float(a), float(b), runtime=runtime, precision=precision)

    def mark(self, x: float, y: float, *, runtime: str, precision: str) -> None:
        """Draw one dot."""
        across, up = self.place(x, y)
        self._dot(float(across), float(up), runtime=runtime, precision=precision, size=5.0)

    def cell(self, column: int, row: int, text: str, *, strength: float) -> None:
        """Fill the unit square from (column, row) and write into it.

        Args:
            column: from the left.
            row: from below.
            text: to write.
            strength: from -1, orange, over 0, white, to 1, blue.
        """
        left, top = (float(v) for v in self.place(column, row + 1))
        right, bottom = (float(v) for v in self.place(column + 1, row))
        box = f'x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" height="{bottom - top - 2:.1f}"'
        colour = COLOURS["onnxruntime"] if strength >= 0 else COLOURS["openvino"]
        self._parts.append(f'<rect {box} fill="{colour}" fill-opacity="{0.04 + 0.6 * abs(strength):.2f}"/>')
        self._text((left + right) / 2, (top + bottom) / 2 + 3, text, anchor="middle")

    def _dot(self, x: float, y: float, *, runtime: str, precision: str, size: float = 3.2) -> None:
        self._parts.append(_dot(x, y, runtime=runtime, precision=precision, size=size))


def _dot(x: float, y: float, *, runtime: str, precision: str, size: float) -> str:
    """Draw a dot: full for fp32, a thick ring for bf16, a thin one for int8."""
    colour = COLOURS[runtime]
    fill, width = {"fp32": (colour, 1.2), "bf16": ("#fff", 2.4), "int8": ("#fff", 1.2)}[precision]
    style = f'fill="{fill}" stroke="{colour}" stroke-width="{width}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {style}/>'


def _bar_key(x: float, y: float, runtime: str, precision: str) -> str:
    fill = f'fill="{COLOURS[runtime]}" fill-opacity="{_OPACITY[precision]}"'
    return f'<rect x="{x:g}" y="{y - 6:g}" width="22" height="12" {fill}/>'


def _line_key(x: float, y: float, runtime: str, precision: str) -> str:
    dash = f' stroke-dasharray="{DASHES[precision]}"' if DASHES[precision] else ""
    line = f'<path d="M{x:g} {y:g}h22" stroke="{COLOURS[runtime]}" stroke-width="1.8"{dash}/>'
    return line + _dot(x + 11, y, runtime=runtime, precision=precision, size=3.2)


def _dot_key(x: float, y: float, runtime: str, precision: str) -> str:
    return _dot(x + 11, y, runtime=runtime, precision=precision, size=5.0)


class Marks(StrEnum):
    """What stands for a runtime and precision in a plot."""

    BARS = "bars"
    LINES = "lines"
    DOTS = "dots"


_KEYS = {Marks.BARS: _bar_key, Marks.LINES: _line_key, Marks.DOTS: _dot_key}


def _keys(pairs: Sequence[tuple[str, str]], marks: Marks, width: float) -> tuple[str, float]:
    """Draw the names of pairs beside what stands for them, in as many lines as they need, and give their height."""
    parts, x, y = [], _KEY_LEFT, _KEY_LINE / 2 + 2
    for runtime, precision in pairs:
        name = f"{runtime} {precision}"
        room = 44 + 6.6 * len(name)
        if x + room > width and x > _KEY_LEFT:
            x, y = _KEY_LEFT, y + _KEY_LINE
        text = f'<text x="{x + 28:g}" y="{y + 4:g}" font-size="12" fill="{_INK}">{escape(name)}</text>'
        parts.append(_KEYS[marks](x, y, runtime, precision) + text)
        x += room
    return "".join(parts), y + _KEY_LINE / 2 + 4


def stacked(
    panels: Sequence[Axes],
    *,
    columns: int,
    title: str,
    pairs: Sequence[tuple[str, str]] = (),
    marks: Marks = Marks.LINES,
) -> Markup:
    """Lay panels out in rows from left to right, as one picture on white.

    Args:
        panels: with their drawings, all as wide.
        columns: of the layout.
        title: read out by screen readers.
        pairs: runtimes and precisions to name above the panels.
        marks: that stand for them.
    """
    rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    width = max((sum(panel.width for panel in row) for row in rows), default=1)
    head, y = _keys(pairs, marks, width) if pairs else ("", 0.0)
    parts = []
    for row in rows:
        for place, panel in enumerate(row):
            at = f'<svg x="{place * panel.width:g}" y="{y:g}" '
            parts.append(str(panel.svg()).replace("<svg ", at, 1))
        y += max(panel.height for panel in row)
    size = f'viewBox="0 0 {width:g} {y:g}" width="{width:g}" height="{y:g}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" {size}'
    white = f'<rect width="{width:g}" height="{y:g}" fill="#fff"/>'
    body = f' font-family="sans-serif"><title>{escape(title)}</title>{white}{head}{"".join(parts)}</svg>'
    return Markup(opening + body)  # noqa: S704  (escaped above)
