"""Measures against bone age as SVG: a dot a hand, and the median of each age band with its interval, by sex."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from capitate.evaluation.measure_figures import BAND_MONTHS, Series
from capitate.evaluation.plots import COLOURS, Axes, nice_ticks

__all__ = ["plots"]

_YEARS = 19
_MONTHS = 12
_NAMES = {
    "width_ratio": "width of epiphysis over metaphysis",
    "gap": "growth plate, in widths of the metaphysis",
    "gap_depth": "darkness of the growth plate",
    "fused": "share of joints united",
    "count": "number of carpal bones",
    "area_of_hand": "area of carpal bones over squared hand length",
}


def plots(gathered: Sequence[Series], taken: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Draw one plot for each measure of each joint, and of the carpus, both sexes in it.

    Args:
        gathered: of `capitate.evaluation.measure_figures.series`.
        taken: their `figures`, in the same order.

    Yields:
        Name of a file without its ending, such as `width_ratio-MIPThird`, and the SVG.
    """
    together: dict[str, list[tuple[Series, Mapping[str, Any]]]] = {}
    for each, figure in zip(gathered, taken, strict=True):
        place = "carpus" if each.joint is None else each.joint.value
        together.setdefault(f"{each.measure}-{place}", []).append((each, figure))
    for name, pair in together.items():
        yield name, _plot(name, pair)


def _plot(name: str, pair: Sequence[tuple[Series, Mapping[str, Any]]]) -> str:
    measure = pair[0][0].measure
    values = np.concatenate([each.values for each, _ in pair])
    top = 1.0 if measure == "fused" else max(1.08 * float(np.percentile(values, 99.5)), 1e-6)
    where = name.partition("-")[2]
    axes = Axes((0, _YEARS), (0, top), "bone age (years)", _NAMES[measure], f"{_NAMES[measure]}, {where}")
    axes.grid(list(range(0, _YEARS + 1, 2)), nice_ticks(0, top, most=7))
    for each, figure in pair:
        colour = COLOURS[each.sex.value]
        if measure != "fused":
            shown = np.minimum(each.values, top)
            axes.points(each.months / _MONTHS, shown, colour=colour, size=3.0, opacity=0.25)
        _medians(axes, figure["bands"], colour=colour)
    axes.legend({each.sex.value: COLOURS[each.sex.value] for each, _ in pair})
    return str(axes.svg())


def _medians(axes: Axes, bands: Sequence[Mapping[str, Any]], *, colour: str) -> None:
    """Draw the medians as a line and the interval of each as an upright one."""
    middles = [(band["from_months"] + BAND_MONTHS / 2) / _MONTHS for band in bands]
    if len(bands) > 1:
        axes.line(middles, [band["value"] for band in bands], colour=colour)
    for at, band in zip(middles, bands, strict=True):
        if band["low"] is not None and not math.isclose(band["low"], band["high"]):
            axes.line([at, at], [band["low"], band["high"]], colour=colour)
