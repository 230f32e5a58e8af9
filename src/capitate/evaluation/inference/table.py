"""The tool's table as CSV, JSON and Markdown, with the four plots beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from capitate.evaluation.inference.pictures import PICTURES
from capitate.evaluation.inference.plan import Plan
from capitate.evaluation.inference.row import COLUMNS, Row, State
from capitate.evaluation.speed import machine

__all__ = ["not_measured", "ranked", "to_csv", "to_markdown", "write_results"]

_TOP = 5
_HEAD = (
    "| network | runtime | precision | threads | one view: p50, p95 (ms) | its CPU time (ms) | cold (ms) | "
    "memory (MB) | most views a second (batch) | the same per million parameters | largest change |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def write_results(rows: Sequence[Row], plan: Plan, folder: Path) -> list[Path]:
    """Write `speed.csv`, `speed.json`, `speed.md` and the four plots.

    Args:
        rows: from `measure`.
        plan: that was measured.
        folder: exists.

    Returns:
        The files, in this order.
    """
    told = {"machine": machine(), "plan": asdict(plan), "rows": [asdict(row) for row in rows]}
    texts = {
        "speed.csv": to_csv(rows),
        "speed.json": json.dumps(told, indent=1) + "\n",
        "speed.md": to_markdown(rows),
        **{name: f"{draw(rows)}\n" for name, draw in PICTURES.items()},
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def to_csv(rows: Sequence[Row]) -> str:
    """Lay out every line, measured or not, with all columns of `Row`."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return stream.getvalue()


def to_markdown(rows: Sequence[Row]) -> str:
    """Lay out a line for all batches of a network, runtime, precision and threads; rankings; what is missing."""
    parts = [_HEAD + "\n".join(_line(some) for some in _lines(rows)) + "\n"]
    for title, key in (
        ("Most views a second", "views_a_second"),
        ("Most views a second per million parameters", "views_a_second_per_million"),
    ):
        best = "\n".join(
            f"{k}. {row.name}: {_figure(getattr(row, key))} ({row.runtime} {row.precision}, threads {row.threads}, "
            f"batch {row.batch})"
            for k, row in enumerate(ranked(rows, key=key), 1)
        )
        parts.append(f"{title}, one line a network:\n\n{best}\n")
    missing = not_measured(rows)
    if missing:
        lines = "\n".join(f"- {what}: {reason}" for what, reason in missing)
        parts.append(f"Not measured:\n\n{lines}\n")
    return "\n".join(parts)


def ranked(rows: Sequence[Row], *, key: str, most: int = _TOP) -> list[Row]:
    """List the best line of each network by a column, best first.

    Args:
        rows: lines.
        key: a column of numbers of which more is better.
        most: lines to list.
    """
    best: dict[str, Row] = {}
    for row in rows:
        if row.state is State.MEASURED and (row.name not in best or getattr(row, key) > getattr(best[row.name], key)):
            best[row.name] = row
    return sorted(best.values(), key=lambda row: -getattr(row, key))[:most]


def not_measured(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """List combinations without figures, those of one reason together, each with `impossible` or `failed` and why."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.state is not State.MEASURED:
            found.setdefault((str(row.state), row.reason), []).append(row)
    return [(_several(some), f"{state}, {reason}") for (state, reason), some in found.items()]


def _several(rows: Sequence[Row]) -> str:
    """Name lines of one reason."""
    runtimes = ", ".join(dict.fromkeys(f"{row.runtime} {row.precision}" for row in rows))
    names, threads, batches = (
        ", ".join(dict.fromkeys(str(getattr(row, key)) for row in rows)) for key in ("name", "threads", "batch")
    )
    return f"{names}: {runtimes} (threads {threads}; batches {batches})"


def _lines(rows: Sequence[Row]) -> list[list[Row]]:
    """Put the batches of one line together."""
    lines: dict[tuple[str, str, str, int], list[Row]] = {}
    for row in rows:
        if row.state is State.MEASURED:
            lines.setdefault((row.name, row.runtime, row.precision, row.threads), []).append(row)
    return list(lines.values())


def _line(rows: Sequence[Row]) -> str:
    """Write one line; its smallest batch stands for a single view, cold start and memory."""
    first = min(rows, key=lambda row: row.batch)
    best = max(rows, key=lambda row: row.views_a_second or 0.0)
    memory = "" if first.peak_memory_mb is None else f"{first.peak_memory_mb:.0f}"
    change = max(row.largest_change or 0.0 for row in rows)
    cells = (
        first.name,
        first.runtime,
        first.precision,
        str(first.threads),
        f"{first.p50_ms:.2f}, {first.p95_ms:.2f}" + ("" if first.batch == 1 else f" (batch {first.batch})"),
        f"{first.cpu_ms:.2f}",
        f"{first.cold_ms:.0f}",
        memory,
        f"{_figure(best.views_a_second)} ({best.batch})",
        _figure(best.views_a_second_per_million),
        f"{change:.2g} {first.change_unit}",
    )
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    """Write a positive number with three digits or, above a thousand, without a fraction."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
