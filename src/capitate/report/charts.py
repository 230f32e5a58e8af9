"""Geometry of the report's two drawings: the age scale and the probability curve. The template draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.types import Interval

__all__ = ["AgeScale", "Curve", "ScaleRow", "Tick", "age_scale", "curve"]

_SCALE_MONTHS = 19 * 12
_WIDTH = 560.0
_RIGHT = 14.0
_ROW_HEIGHT = 30.0
_CURVE_TOP, _CURVE_BOTTOM, _CURVE_LEFT = 24.0, 164.0, 44.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in drawing units and its label, empty for a minor one."""

    at: float
    label: str


@dataclass(frozen=True)
class ScaleRow:
    """One age on the scale: its label, and point, interval and row centre in drawing units."""

    label: str
    point: float
    low: float
    high: float
    y: float
    mature: bool


@dataclass(frozen=True)
class AgeScale:
    """The horizontal scale from 0 to 19 years.

    Attributes:
        width, height: size of the drawing.
        left, right: ends of the axis.
        axis_y: height of the axis.
        ticks: one a year.
        rows: one an age.
        chronological: where the chronological age is, or None.
        anchor: `text-anchor` that keeps the chronological age's label inside the drawing.
    """

    width: float
    height: float
    left: float
    right: float
    axis_y: float
    ticks: tuple[Tick, ...]
    rows: tuple[ScaleRow, ...]
    chronological: float | None
    anchor: str


@dataclass(frozen=True)
class Curve:
    """Probability a month over bone age.

    Attributes:
        width, height: size of the drawing.
        left, right, top, bottom: the plot's frame.
        line, area: SVG path data of the curve and of the interval below it.
        median: where the median is.
        anchor: `text-anchor` that keeps the median's label inside the drawing.
        x_ticks, y_ticks: years, and per cent a month.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    line: str
    area: str
    median: float
    anchor: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def age_scale(ages: Sequence[tuple[str, float, Interval, bool]], *, chronological: float | None = None) -> AgeScale:
    """Lay out the scale.

    Args:
        ages: label, months, interval and maturity of each age to be shown, one a row.
        chronological: chronological age in months, or None.
    """
    left = 92.0 if any(label for label, *_ in ages) else 14.0
    right = _WIDTH - _RIGHT
    top = 26.0 if chronological is not None else 6.0

    def place(months: float) -> float:
        return round(left + (right - left) * min(max(months / _SCALE_MONTHS, 0.0), 1.0), 1)

    rows = tuple(
        ScaleRow(
            label=label,
            point=place(months),
            low=place(interval.low),
            high=place(interval.high),
            y=round(top + _ROW_HEIGHT * (index + 0.5), 1),
            mature=mature,
        )
        for index, (label, months, interval, mature) in enumerate(ages)
    )
    axis_y = top + _ROW_HEIGHT * len(ages) + 2
    at = None if chronological is None else place(chronological)
    return AgeScale(
        width=_WIDTH,
        height=axis_y + 36,
        left=left,
        right=right,
        axis_y=axis_y,
        ticks=tuple(Tick(at=place(12 * year), label=str(year)) for year in range(20)),
        rows=rows,
        chronological=at,
        anchor=_anchor(at if at is not None else left, left=left, right=right),
    )


def curve(
    *, start_months: float, step_months: float, probabilities: Sequence[float], interval: Interval, median: float
) -> Curve:
    """Lay out the curve over the ages that matter: the interval and all but a thousandth of the probability."""
    density = 100 * np.asarray(probabilities, dtype=np.float64) / step_months
    months = start_months + step_months * np.arange(len(density), dtype=np.float64)
    first, last = _window(months, density, interval=interval)
    left, right = _CURVE_LEFT, _WIDTH - _RIGHT
    peak, y_step = _nice_top(float(density.max()))

    def place_x(value: float) -> float:
        return round(left + (right - left) * (value - first) / (last - first), 1)

    def place_y(value: float) -> float:
        return round(_CURVE_BOTTOM - (_CURVE_BOTTOM - _CURVE_TOP) * value / peak, 1)

    def path(low: float, high: float) -> str:
        inside = months[(months > low) & (months < high)]
        at = np.unique(np.concatenate([[low], inside, [high]]))
        return " L".join(f"{place_x(x)},{place_y(np.interp(x, months, density))}" for x in at)

    begin, end = max(first, float(months[0])), min(last, float(months[-1]))
    low, high = (min(max(bound, begin), end) for bound in (interval.low, interval.high))
    every = 12 if last - first <= 14 * 12 else 24
    return Curve(
        width=_WIDTH,
        height=_CURVE_BOTTOM + 36,
        left=left,
        right=right,
        top=_CURVE_TOP,
        bottom=_CURVE_BOTTOM,
        line=f"M{path(begin, end)}",
        area=f"M{place_x(low)},{_CURVE_BOTTOM} L{path(low, high)} L{place_x(high)},{_CURVE_BOTTOM} Z",
        median=place_x(min(max(median, first), last)),
        anchor=_anchor(place_x(median), left=left, right=right),
        x_ticks=tuple(Tick(at=place_x(at), label=str(at // 12)) for at in range(int(first), int(last) + 1, every)),
        y_ticks=tuple(
            Tick(at=place_y(index * y_step), label=f"{index * y_step:g}") for index in range(round(peak / y_step) + 1)
        ),
    )


def _window(months: NDArray[np.float64], density: NDArray[np.float64], *, interval: Interval) -> tuple[float, float]:
    """Return the first and last month to draw, whole years at least four apart."""
    share = density / max(float(density.sum()), 1e-12)
    cumulated = np.cumsum(share)
    likely = months[(cumulated > 0.0005) & (cumulated - share < 0.9995)]
    low, high = (interval.low, interval.high)
    if likely.size:
        low, high = min(low, float(likely[0])), max(high, float(likely[-1]))
    first, last = 12 * math.floor(max(low - 3, 0) / 12), 12 * math.ceil((high + 3) / 12)
    return float(first), float(max(last, first + 48))


def _nice_top(peak: float) -> tuple[float, float]:
    """Return a round number at or above `peak` and the tick step that divides it into two to five."""
    if peak <= 0:
        return 1.0, 0.5
    unit = 10.0 ** math.floor(math.log10(peak))
    for top, step in ((1.0, 0.5), (2.0, 0.5), (4.0, 1.0), (6.0, 2.0), (8.0, 2.0), (10.0, 5.0)):
        if peak <= top * unit:
            return top * unit, step * unit
    return 20 * unit, 10 * unit


def _anchor(at: float, *, left: float, right: float) -> str:
    if at < left + 0.22 * (right - left):
        return "start"
    return "end" if at > right - 0.22 * (right - left) else "middle"
