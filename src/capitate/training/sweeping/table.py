"""The table of a sweep as CSV, JSON and Markdown, and its plot: error against latency."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from capitate.evaluation.plots import COLOURS, Axes, nice_ticks
from capitate.evaluation.speed import machine
from capitate.training.runs import write_json, write_text
from capitate.training.sweeping.outcome import Outcome, State
from capitate.training.sweeping.plan import SweepPlan

__all__ = ["pareto_front", "pareto_plot", "to_markdown", "write_tables"]

_ERRORS = {"validation_mae": "error on the validation films (months)", "mae": "error on the held-out fold (months)"}
_COLUMNS = (
    "name",
    "state",
    "validation_mae",
    "validation_epoch",
    "mae",
    "mae_low",
    "mae_high",
    "rmse",
    "r2",
    "mae_sex_unknown",
    "films",
    "parameters",
    "multiply_adds",
    "latency_ms",
    "latency_p95_ms",
    "megabytes",
    "training_seconds",
    "on_front",
    "changes",
    "message",
)


def write_tables(outcomes: Sequence[Outcome], plan: SweepPlan, folder: Path) -> None:
    """Write `table.csv`, `table.json`, `table.md` and, from the first finished run on, `pareto.svg`.

    Raises:
        ReportWriteError: if the system refuses.
    """
    error = str(plan.config.error)
    front = {one.name for one in pareto_front(outcomes, error=error)}
    rows = [{**one.to_row(), "on_front": one.name in front} for one in outcomes]
    write_text(folder / "table.csv", _csv(rows))
    told = {"sweep": plan.name, "error": error, "fold": plan.config.fold, "machine": machine()}
    write_json(folder / "table.json", {**told, "runs": [{**asdict(o), "on_front": o.name in front} for o in outcomes]})
    write_text(folder / "table.md", to_markdown(outcomes, error=error))
    if front:
        write_text(folder / "pareto.svg", pareto_plot(outcomes, error=error) + "\n")


def pareto_front(outcomes: Sequence[Outcome], *, error: str) -> list[Outcome]:
    """List the finished runs that no other beats in error without being slower, fastest first.

    Args:
        outcomes: of a sweep.
        error: name of the figure compared.
    """
    front: list[Outcome] = []
    for one in sorted(_finished(outcomes), key=lambda one: (_latency(one), one.figures[error])):
        if not front or one.figures[error] < front[-1].figures[error]:
            front.append(one)
    return front


def to_markdown(outcomes: Sequence[Outcome], *, error: str) -> str:
    """Lay out the table, smallest error first, runs without one last; `*` marks the Pareto front."""
    front = {one.name for one in pareto_front(outcomes, error=error)}
    ranked = sorted(_finished(outcomes), key=lambda one: one.figures[error])
    others = [one for one in outcomes if one.state is not State.FINISHED]
    head = (
        "| run | error, months | parameters | multiply-adds | latency, ms | training, s |\n|---|---|---|---|---|---|\n"
    )
    lines = [_line(one, error=error, on_front=one.name in front) for one in ranked]
    lines += [
        f"| {one.name} | {one.state}{': ' if one.message else ''}{_cell(one.message)} | | | | |" for one in others
    ]
    return head + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _line(one: Outcome, *, error: str, on_front: bool) -> str:
    assert one.costs is not None  # noqa: S101  finished runs have them
    value = f"{one.figures[error]:.2f}"
    if error == "mae" and "mae_low" in one.figures:
        value += f" ({one.figures['mae_low']:.2f} to {one.figures['mae_high']:.2f})"
    size = f"{one.costs.parameters / 1e6:.2f} M | {one.costs.multiply_adds / 1e9:.3f} G"
    speed = f"{one.costs.latency_ms:.2f} | {one.training_seconds or 0:.0f}"
    return f"| {one.name}{' *' if on_front else ''} | {value} | {size} | {speed} |"


def pareto_plot(outcomes: Sequence[Outcome], *, error: str) -> Markup:
    """Plot error against latency, with the Pareto front as steps; every run is named."""
    finished = _finished(outcomes)
    x = np.array([_latency(one) for one in finished])
    y = np.array([one.figures[error] for one in finished])
    right, low, high = 1.15 * float(x.max()), float(y.min()), float(y.max())
    room = max(0.15 * (high - low), 0.05 * high, 0.1)
    label = "median latency of one view, one thread (ms)"
    axes = Axes((0, right), (max(0.0, low - room), high + room), label, _ERRORS[error], "Error against latency")
    axes.grid(nice_ticks(0, right), nice_ticks(*axes.y))
    steps_x, steps_y = _steps(pareto_front(outcomes, error=error), error=error, right=right)
    axes.line(steps_x, steps_y, dashed=True)
    axes.points(x, y, colour=COLOURS["male"], size=6, opacity=0.9)
    for one, across, up in zip(finished, x, y, strict=True):
        axes.note(across, up, one.name, anchor="start" if across < right / 2 else "end", lift=7)
    return axes.svg()


def _steps(front: Sequence[Outcome], *, error: str, right: float) -> tuple[list[float], list[float]]:
    """Join the front by level and upright lines: what could be had for at most so much time."""
    across: list[float] = []
    up: list[float] = []
    for one in front:
        if up:
            across.append(_latency(one))
            up.append(up[-1])
        across.append(_latency(one))
        up.append(one.figures[error])
    return [*across, right], [*up, up[-1]]


def _finished(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.state is State.FINISHED]


def _latency(one: Outcome) -> float:
    assert one.costs is not None  # noqa: S101  finished runs have them
    return one.costs.latency_ms


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
