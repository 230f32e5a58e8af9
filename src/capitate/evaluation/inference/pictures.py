"""The tool's four plots: time of one view, views a second by batch, speed against size, what batching brings."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from markupsafe import Markup

from capitate.evaluation.inference.drawing import Marks, NamedAxes, stacked
from capitate.evaluation.inference.row import Row, State
from capitate.evaluation.plots import nice_ticks

Key = TypeVar("Key", bound=Hashable)

__all__ = ["PICTURES", "batching", "latency", "sizes", "throughputs"]

_WIDTH, _ROW, _LABELS = 620, 21, 150
_PANEL_WIDTH, _PANEL_HEIGHT = 430, 310
_MARGINS = 60
"""Of `Axes`, above and below together."""


def latency(rows: Sequence[Row]) -> Markup:
    """Plot the median time of the smallest batch for each network, with a line on to the 95th percentile."""
    threads, batch = _least(rows)
    shown = [row for row in _measured(rows) if (row.threads, row.batch) == (threads, batch)]
    panels = [_bars(name, some, batch) for name, some in _by(shown, lambda row: row.name).items()]
    title = f"Median time of a batch of {batch} and its 95th percentile, {_threads(threads)}"
    return stacked(panels, columns=1, title=title, pairs=_pairs(shown), marks=Marks.BARS)


def _bars(name: str, rows: Sequence[Row], batch: int) -> NamedAxes:
    """Draw the bars of one network."""
    count = len(rows)
    right = 1.25 * max(_number(row.p95_ms) for row in rows)
    label = f"ms for {batch} view{'s' if batch > 1 else ''}, median (95th percentile), {_threads(rows[0].threads)}"
    axes = NamedAxes((0, right), (-0.5, count - 0.5), label, "", name, _WIDTH, count * _ROW + _MARGINS, _LABELS)
    places = {float(count - 1 - k): f"{row.runtime} {row.precision}" for k, row in enumerate(rows)}
    axes.named_grid({tick: f"{tick:g}" for tick in nice_ticks(0, right)}, places)
    for place, row in zip(places, rows, strict=True):
        axes.bar(place, _number(row.p50_ms), reach=_number(row.p95_ms), runtime=row.runtime, precision=row.precision)
    return axes


def throughputs(rows: Sequence[Row]) -> Markup:
    """Plot views a second against the size of the batch for each network, with the most threads."""
    threads = max((row.threads for row in rows), default=1)
    shown = [row for row in _measured(rows) if row.threads == threads]
    panels = [_lines(name, some) for name, some in _by(shown, lambda row: row.name).items()]
    title = f"Views a second by size of the batch, {_threads(threads)}"
    return stacked(panels, columns=2, title=title, pairs=_pairs(shown), marks=Marks.LINES)


def _lines(name: str, rows: Sequence[Row]) -> NamedAxes:
    """Draw the lines of one network; batches are spaced by their logarithm."""
    batches = sorted({row.batch for row in rows})
    top = 1.1 * max(_number(row.views_a_second) for row in rows)
    ends = (math.log2(batches[0]) - 0.2, math.log2(batches[-1]) + 0.2)
    label = f"views in a batch, {_threads(rows[0].threads)}"
    axes = NamedAxes(ends, (0, top), label, "views a second", name, _PANEL_WIDTH, _PANEL_HEIGHT, 70)
    up = {tick: f"{tick:g}" for tick in nice_ticks(0, top, most=6)}
    axes.named_grid({math.log2(batch): str(batch) for batch in batches}, up)
    for (runtime, precision), some in _by(rows, _pair).items():
        x, y = [math.log2(row.batch) for row in some], [_number(row.views_a_second) for row in some]
        axes.series(x, y, runtime=runtime, precision=precision)
    return axes


def sizes(rows: Sequence[Row]) -> Markup:
    """Plot the most views a second of any batch against parameters, both by their logarithm, with the most threads."""
    threads = max((row.threads for row in rows), default=1)
    shown = [row for row in _measured(rows) if row.threads == threads]
    best = [max(some, key=lambda row: _number(row.views_a_second)) for some in _by(shown, _line).values()]
    title = f"Most views a second against parameters, {_threads(threads)}"
    panels = [_points(best, threads)] if best else []
    return stacked(panels, columns=1, title=title, pairs=_pairs(shown), marks=Marks.DOTS)


def _points(best: Sequence[Row], threads: int) -> NamedAxes:
    """Draw a dot for each network, runtime and precision, and name each network at its fastest."""
    size = [math.log10(_number(row.parameters) / 1e6) for row in best]
    speed = [math.log10(_number(row.views_a_second)) for row in best]
    x, y = (min(size) - 0.25, max(size) + 0.45), (min(speed) - 0.15, max(speed) + 0.25)
    label = "parameters (millions)"
    axes = NamedAxes(x, y, label, f"views a second, {_threads(threads)}", "the best batch of each", 720, 460, 70)
    axes.named_grid(_decades(*x), _decades(*y))
    for row, across, up in zip(best, size, speed, strict=True):
        axes.mark(across, up, runtime=row.runtime, precision=row.precision)
    for parameters, some in _by(best, lambda row: row.parameters).items():
        top = max(_number(row.views_a_second) for row in some)
        for k, name in enumerate(dict.fromkeys(row.name for row in some)):
            axes.note(math.log10(_number(parameters) / 1e6), math.log10(top), name, anchor="middle", lift=9 + 14 * k)
    return axes


def batching(rows: Sequence[Row]) -> Markup:
    """Show how many times more views a second each batch gives than the smallest one, with the fewest threads."""
    threads, batch = _least(rows)
    shown = [row for row in _measured(rows) if row.threads == threads]
    lines = {
        line: found
        for line, some in _by(shown, _line).items()
        if batch in (found := {row.batch: _number(row.views_a_second) for row in some})
    }
    title = f"views a second over those of batch {batch}, {_threads(threads)}"
    return stacked([_cells(lines, batch, title)] if lines else [], columns=1, title=title)


def _cells(lines: Mapping[tuple[str, str, str], Mapping[int, float]], batch: int, title: str) -> NamedAxes:
    """Draw a row for each line and a column for each batch."""
    batches = sorted({one for speeds in lines.values() for one in speeds})
    labels = 40 + 7 * max(len(" ".join(line)) for line in lines)
    extent = (max(labels + 70 * len(batches) + 16, labels + 300), len(lines) * _ROW + _MARGINS)
    axes = NamedAxes((0, len(batches)), (0, len(lines)), "views in a batch", "", title, *extent, labels)
    up = {len(lines) - k - 0.5: " ".join(line) for k, line in enumerate(lines)}
    axes.named_grid({k + 0.5: str(one) for k, one in enumerate(batches)}, up, lines=False)
    gains = [{one: math.log2(speed / speeds[batch]) for one, speed in speeds.items()} for speeds in lines.values()]
    most = max(abs(gain) for row in gains for gain in row.values()) or 1.0
    for k, row in enumerate(gains):
        for one, gain in row.items():
            axes.cell(batches.index(one), len(lines) - 1 - k, f"{2**gain:.2f}", strength=gain / most)
    return axes


PICTURES: Mapping[str, Callable[[Sequence[Row]], Markup]] = {
    "latency.svg": latency,
    "throughput.svg": throughputs,
    "size.svg": sizes,
    "batching.svg": batching,
}
"""File names and what draws them."""


def _measured(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.state is State.MEASURED]


def _least(rows: Sequence[Row]) -> tuple[int, int]:
    """Give the fewest threads and the smallest batch."""
    return min((row.threads for row in rows), default=1), min((row.batch for row in rows), default=1)


def _by(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Group lines, in the order in which each group comes first."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _pair(row: Row) -> tuple[str, str]:
    return row.runtime, row.precision


def _line(row: Row) -> tuple[str, str, str]:
    return row.name, row.runtime, row.precision


def _pairs(rows: Iterable[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(_pair(row) for row in rows))


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _number(value: float | None) -> float:
    assert value is not None  # noqa: S101  measured lines have them
    return value


def _decades(low: float, high: float) -> dict[float, str]:
    """Name 1, 2 and 5 times the powers of ten between two logarithms."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return {math.log10(value): f"{value:g}" for value in values if low <= math.log10(value) <= high}
