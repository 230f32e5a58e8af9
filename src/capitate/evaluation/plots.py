"""Plots as inline SVG: small helpers with readable axes, for pages that open without a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

__all__ = ["COLOURS", "Axes", "bland_altman", "calibration", "nice_ticks", "pit_histogram", "reliability", "scatter"]

Floats = NDArray[np.float64]

# Okabe and Ito's colours, which readers with colour blindness tell apart.
COLOURS = {"female": "#d55e00", "male": "#0072b2", "unknown": "#009e73"}
_INK, _GRID, _ACCENT = "#1f2933", "#e4e7eb", "#0072b2"
_LAYERS = 8
_MARGIN_LEFT, _MARGIN_RIGHT, _MARGIN_TOP, _MARGIN_BOTTOM = 56, 16, 14, 46


def nice_ticks(low: float, high: float, *, most: int = 9, step: float | None = None) -> list[float]:
    """Return round tick values inside [low, high]: steps of 1, 2 or 5 times a power of ten, or multiples of `step`."""
    if not high > low:
        return [low]
    if step is None:
        rough = (high - low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass
class Axes:
    """A plot area that collects SVG elements.

    Attributes:
        x: data limits across.
        y: data limits upwards.
        label_x: what goes across, with its unit.
        label_y: what goes upwards, with its unit.
        title: read out by screen readers.
        width: of the picture in CSS pixels.
        height: of the picture in CSS pixels.
        left: room for labels beside the vertical axis, CSS pixels.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    label_x: str
    label_y: str
    title: str
    width: int = 520
    height: int = 380
    left: int = _MARGIN_LEFT
    _parts: list[str] = field(default_factory=list)

    def place(self, x: Floats | float, y: Floats | float) -> tuple[Floats, Floats]:
        """Turn data coordinates into picture coordinates."""
        across = (np.asarray(x, dtype=np.float64) - self.x[0]) / (self.x[1] - self.x[0])
        up = (np.asarray(y, dtype=np.float64) - self.y[0]) / (self.y[1] - self.y[0])
        inner_width = self.width - self.left - _MARGIN_RIGHT
        inner_height = self.height - _MARGIN_TOP - _MARGIN_BOTTOM
        return self.left + across * inner_width, self.height - _MARGIN_BOTTOM - up * inner_height

    def grid(self, ticks_x: Sequence[float], ticks_y: Sequence[float], *, form_y: str = "{:g}") -> None:
        """Draw grid lines with their values and the names of both axes."""
        left, bottom = (float(value) for value in self.place(self.x[0], self.y[0]))
        right, top = (float(value) for value in self.place(self.x[1], self.y[1]))
        for value in ticks_x:
            across = float(self.place(value, 0)[0])
            self._line(across, bottom, across, top, f'stroke="{_GRID}"')
            self._text(across, bottom + 16, f"{value:g}", anchor="middle")
        for value in ticks_y:
            up = float(self.place(0, value)[1])
            self._line(left, up, right, up, f'stroke="{_GRID}"')
            self._text(left - 7, up + 4, form_y.format(value), anchor="end")
        self._line(left, bottom, right, bottom, f'stroke="{_INK}"')
        self._line(left, bottom, left, top, f'stroke="{_INK}"')
        self._text((left + right) / 2, self.height - 8, self.label_x, anchor="middle", size=13)
        middle = (top + bottom) / 2
        turned = f'transform="rotate(-90 14 {middle:.1f})" '
        self._text(14, middle, self.label_y, anchor="middle", size=13, extra=turned)

    def points(self, x: Floats, y: Floats, *, colour: str, size: float = 3.0, opacity: float = 0.5) -> None:
        """Draw dots. A few paths hold them all, so that thousands stay small and crowded places still look darker."""
        across, up = self.place(x, y)
        for layer in range(min(_LAYERS, len(x))):
            dots = zip(across[layer::_LAYERS], up[layer::_LAYERS], strict=True)
            path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in dots)
            style = f'stroke="{colour}" stroke-width="{size:g}" stroke-opacity="{opacity:g}" stroke-linecap="round"'
            self._parts.append(f'<path d="{path}" {style}/>')

    def line(self, x: Sequence[float], y: Sequence[float], *, colour: str = _INK, dashed: bool = False) -> None:
        """Draw a line through points."""
        across, up = self.place(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, up, strict=True))
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        self._parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>')

    def bars(self, edges: Sequence[float], heights: Sequence[float], *, colour: str = _ACCENT) -> None:
        """Draw a histogram's bars from the zero line."""
        for low, high, value in zip(edges[:-1], edges[1:], heights, strict=True):
            left, top = (float(v) for v in self.place(low, value))
            right, bottom = (float(v) for v in self.place(high, 0))
            box = f'x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" height="{bottom - top:.1f}"'
            self._parts.append(f'<rect {box} fill="{colour}" fill-opacity="0.75"/>')

    def shade(self, low: float, high: float) -> None:
        """Shade the strip between two heights."""
        left, top = (float(v) for v in self.place(self.x[0], high))
        right, bottom = (float(v) for v in self.place(self.x[1], low))
        box = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
        self._parts.append(f'<rect {box} fill="#9aa5b1" fill-opacity="0.3"/>')

    def note(self, x: float, y: float, text: str, *, anchor: str = "end", lift: float = 5) -> None:
        """Write a short text just above a point."""
        across, up = (float(v) for v in self.place(x, y))
        self._text(across, up - lift, text, anchor=anchor, halo=True)

    def beside(self, y: float, text: str) -> None:
        """Write a name to the left of the vertical axis."""
        left, up = (float(v) for v in self.place(self.x[0], y))
        self._text(left - 7, up + 4, text, anchor="end")

    def legend(self, names: Mapping[str, str], *, low: bool = False) -> None:
        """Write names beside dots of their colour into the upper left corner, or the lower one."""
        top = self.height - _MARGIN_BOTTOM - 14 - 18 * len(names) if low else _MARGIN_TOP
        for row, (name, colour) in enumerate(names.items()):
            x, y = self.left + 14, top + 14 + 18 * row
            self._parts.append(f'<circle cx="{x}" cy="{y}" r="4.5" fill="{colour}"/>')
            self._text(x + 10, y + 4, name, halo=True)

    def svg(self) -> Markup:
        """Return the picture."""
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        title = escape(self.title)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" {size} font-family="sans-serif">'
        )
        return Markup(head + f"<title>{title}</title>" + "".join(self._parts) + "</svg>")  # noqa: S704 (escaped above)

    def _line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        self._parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" {style}/>')

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        size: int = 12,
        extra: str = "",
        halo: bool = False,
    ) -> None:
        around = 'stroke="#fff" stroke-width="3" paint-order="stroke" ' if halo else ""
        where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        self._parts.append(f'<text {where} {extra}{around}fill="{_INK}">{escape(text)}</text>')


def scatter(truth: Floats, predicted: Floats, *, sex: Sequence[str]) -> Markup:
    """Plot predicted against reference bone age in months, with the line of equality."""
    top = max(60.0, math.ceil(float(np.max(np.concatenate([truth, predicted]), initial=0)) / 12) * 12)
    axes = Axes(
        (0, top), (0, top), "reference bone age (months)", "predicted bone age (months)", "Predicted by reference"
    )
    ticks = nice_ticks(0, top, step=24 if top > 120 else 12)
    axes.grid(ticks, ticks)
    axes.line([0, top], [0, top], dashed=True)
    _dots(axes, truth, predicted, sex=sex)
    return axes.svg()


def bland_altman(truth: Floats, predicted: Floats, *, sex: Sequence[str]) -> Markup:
    """Plot the difference over the mean of predicted and reference age, with bias and 95 % limits of agreement.

    Source: Bland and Altman, Lancet 1986;327:307-310; the limits are bias -/+ 1.96 SD of the differences.
    """
    mean, error = (truth + predicted) / 2, predicted - truth
    bias = float(error.mean()) if len(error) else 0.0
    spread = 1.96 * float(error.std(ddof=1)) if len(error) > 1 else 0.0
    right = max(60.0, math.ceil(float(np.max(mean, initial=0)) / 12) * 12)
    reach = max(6.0, 1.08 * float(np.max(np.abs(error), initial=0)), 1.3 * (abs(bias) + spread))
    axes = Axes((0, right), (-reach, reach), "mean of predicted and reference (months)", "", "Bland-Altman plot")
    axes.label_y = "predicted minus reference (months)"
    axes.grid(nice_ticks(0, right, step=24 if right > 120 else 12), nice_ticks(-reach, reach))
    _dots(axes, mean, error, sex=sex)
    for value, name in ((bias, "bias"), (bias + spread, "+1.96 SD"), (bias - spread, "-1.96 SD")):
        axes.line([0, right], [value, value], dashed=name != "bias")
        axes.note(right, value, f"{name} {value:+.1f}")
    return axes.svg()


def pit_histogram(values: Floats, *, bins: int = 10) -> Markup:
    """Plot how often the reference fell into each tenth of its predicted distribution; flat is honest.

    The strip holds a bin of an honest model with probability 95 % (normal approximation of the binomial).
    """
    edges = np.linspace(0, 1, bins + 1)
    share = np.histogram(values, bins=edges)[0] / max(1, len(values))
    spread = 1.96 * math.sqrt((1 / bins) * (1 - 1 / bins) / max(1, len(values)))
    top = 1.15 * max(float(share.max(initial=0)), 1 / bins + spread)
    label = "reference's place in the predicted distribution"
    axes = Axes((0, 1), (0, top), label, "share of films", "Histogram of the probability integral transform")
    axes.grid(nice_ticks(0, 1, step=0.2), nice_ticks(0, top, most=6))
    axes.bars(edges.tolist(), share.tolist())
    axes.shade(max(0, 1 / bins - spread), 1 / bins + spread)
    axes.line([0, 1], [1 / bins, 1 / bins], dashed=True)
    return axes.svg()


def calibration(values: Floats) -> Markup:
    """Plot how many references lie inside the central intervals of the predicted distributions, by nominal coverage."""
    nominal = np.linspace(0, 1, 51)
    inside = [float(np.mean(2 * np.abs(values - 0.5) <= level)) if len(values) else 0.0 for level in nominal]
    axes = Axes((0, 1), (0, 1), "nominal coverage of the central interval", "share of films inside", "Calibration")
    ticks = nice_ticks(0, 1, step=0.2)
    axes.grid(ticks, ticks)
    axes.line([0, 1], [0, 1], dashed=True)
    axes.line(nominal.tolist(), inside, colour=_ACCENT)
    return axes.svg()


def reliability(curve: Sequence[Mapping[str, float | int]], *, across: str, up: str) -> Markup:
    """Plot how often an answer was right by the probability that it was given, with the line of honesty.

    Args:
        curve: of `capitate.evaluation.reliability.calibration_curve`.
        across: what was predicted, for the axis.
        up: what was observed.
    """
    axes = Axes((0, 1), (0, 1), across, up, "Reliability diagram")
    ticks = nice_ticks(0, 1, step=0.2)
    axes.grid(ticks, ticks)
    axes.line([0, 1], [0, 1], dashed=True)
    predicted, observed = ([float(one[name]) for one in curve] for name in ("predicted", "observed"))
    if predicted:
        axes.line(predicted, observed, colour=_ACCENT)
        axes.points(np.array(predicted), np.array(observed), colour=_ACCENT, size=8, opacity=1)
    for one in curve:
        axes.note(float(one["predicted"]), float(one["observed"]), f"{one['n']}", anchor="middle", lift=8)
    return axes.svg()


def _dots(axes: Axes, x: Floats, y: Floats, *, sex: Sequence[str]) -> None:
    crowded = len(x) > 2000
    names = [name for name in COLOURS if name in sex]
    for name in names:
        mask = np.array([value == name for value in sex], dtype=bool)
        size, opacity = (2.4, 0.3) if crowded else (4.0, 0.55)
        axes.points(x[mask], y[mask], colour=COLOURS[name], size=size, opacity=opacity)
    axes.legend({name: COLOURS[name] for name in names})
