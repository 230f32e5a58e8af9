"""Axes with names instead of numbers, bars, lines told apart by dashes, cells; and several of them as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from capitate.evaluation.plots import Axes

__all__ = ["COLOURS", "DASHES", "NamedAxes", "keys", "stacked"]

COLOURS = {"onnxruntime": "#0072b2", "openvino": "#d55e00", "torch": "#009e73"}
"""Of Okabe and Ito, which readers with colour blindness tell apart."""
DASHES = {"fp32": "", "bf16": "7 4", "int8": "2 3"}
_OPACITY = {"fp32": 0.9, "bf16": 0.6, "int8": 0.3}
_INK, _GRID = "#1f2933", "#e4e7eb"
_KEYS_HEIGHT = 30


@dataclass
class NamedAxes(Axes):
    """Axes whose ticks may be named, with marks for runtimes and precisions."""

    def named_grid(self, across: Mapping[float, str], up: Mapping[float, str]) -> None:
        """Draw grid lines at values with their names, and the names of both axes."""
        left, bottom = (float(value) for value in self.place(self.x[0], self.y[0]))
        right, top = (float(value) for value in self.place(self.x[1], self.y[1]))
        for value, name in across.items():
            at = float(self.place(value, self.y[0])[0])
            self._line(at, bottom, at, top, f'stroke="{_GRID}"')
            self._text(at, bottom + 16, name, anchor="middle")
        for value, name in up.items():
            at = float(self.place(self.x[0], value)[1])
            self._line(left, at, right, at, f'stroke="{_GRID}"')
            self._text(left - 7, at + 4, name, anchor="end")
        self._line(left, bottom, right, bottom, f'stroke="{_INK}"')
        self._line(left, bottom, left, top, f'stroke="{_INK}"')
        self._text((left + right) / 2, bottom + 34, self.label_x, anchor="middle")
        middle = (top + bottom) / 2
        self._text(14, middle, self.label_y, anchor="middle", extra=f'transform="rotate(-90 14 {middle:.1f})" ')
        self._text(left, top - 6, self.title, size=13, extra='font-weight="bold" ')

    def bar(self, height: float, length: float, *, reach: float, runtime: str, precision: str) -> None:
        """Draw a lying bar from zero, and a thin line that goes on to `reach`."""
        left, top = (float(v) for v in self.place(0, height + 0.36))
        right, bottom = (float(v) for v in self.place(length, height - 0.36))
        box = f'x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.5):.1f}" height="{bottom - top:.1f}"'
        self._parts.append(f'<rect {box} fill="{COLOURS[runtime]}" fill-opacity="{_OPACITY[precision]}"/>')
        end, middle = (float(v) for v in self.place(reach, height))
        self._line(right, middle, end, middle, f'stroke="{_INK}"')
        self._line(end, middle - 3, end, middle + 3, f'stroke="{_INK}"')
        self._text(end + 5, middle + 4, f"{length:.3g}", halo=True)

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
        """Fill the unit square from (column, row) with blue of a strength from 0 to 1, and write into it."""
        left, top = (float(v) for v in self.place(column, row + 1))
        right, bottom = (float(v) for v in self.place(column + 1, row))
        box = f'x="{left:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" height="{bottom - top - 1:.1f}"'
        self._parts.append(f'<rect {box} fill="#0072b2" fill-opacity="{0.08 + 0.72 * strength:.2f}"/>')
        self._text((left + right) / 2, (top + bottom) / 2 + 4, text, anchor="middle")

    def _dot(self, x: float, y: float, *, runtime: str, precision: str, size: float = 3.2) -> None:
        """Draw a dot: full for fp32, pale for bf16, hollow for int8."""
        colour, fill = COLOURS[runtime], {"fp32": COLOURS[runtime], "bf16": "#fff", "int8": "#fff"}[precision]
        width = 2.4 if precision == "bf16" else 1.2
        style = f'fill="{fill}" stroke="{colour}" stroke-width="{width}"'
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {style}/>')


def keys(pairs: Sequence[tuple[str, str]], *, marks: str) -> str:
    """Draw the names of runtime and precision beside what stands for them, in one line.

    Args:
        pairs: of runtime and precision.
        marks: `bars` or `lines`.
    """
    parts, x = [], 16.0
    for runtime, precision in pairs:
        colour, name = COLOURS[runtime], f"{runtime} {precision}"
        if marks == "bars":
            parts.append(
                f'<rect x="{x}" y="8" width="22" height="12" fill="{colour}" fill-opacity="{_OPACITY[precision]}"/>'
            )
        else:
            dash = f' stroke-dasharray="{DASHES[precision]}"' if DASHES[precision] else ""
            parts.append(f'<path d="M{x} 14h22" stroke="{colour}" stroke-width="2.2"{dash}/>')
        parts.append(f'<text x="{x + 28}" y="18" font-size="12" fill="{_INK}">{escape(name)}</text>')
        x += 46 + 7 * len(name)
    return "".join(parts)


def stacked(panels: Sequence[Axes], *, columns: int, title: str, head: str = "") -> Markup:
    """Lay panels out in rows from left to right, as one picture on white.

    Args:
        panels: with their drawings.
        columns: of the layout.
        title: read out by screen readers.
        head: drawing above all panels, from `keys`.
    """
    top = _KEYS_HEIGHT if head else 0
    parts, y, widest = [], float(top), 0.0
    for first in range(0, len(panels), columns):
        row, x = panels[first : first + columns], 0.0
        for panel in row:
            parts.append(str(panel.svg()).replace("<svg ", f'<svg x="{x:g}" y="{y:g}" ', 1))
            x += panel.width
        widest, y = max(widest, x), y + max(panel.height for panel in row)
    size = f'viewBox="0 0 {widest:g} {y:g}" width="{widest:g}" height="{y:g}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" {size}'
    white = f'<rect width="{widest:g}" height="{y:g}" fill="#fff"/>'
    body = f' font-family="sans-serif"><title>{escape(title)}</title>{white}{head}{"".join(parts)}</svg>'
    return Markup(opening + body)  # noqa: S704  (escaped above)
