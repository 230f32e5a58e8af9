"""`capitate bench --inference`: networks in every runtime and precision, as a table and plots."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.extras import training_parts
from capitate.cli.writing import make_folder, writing

if TYPE_CHECKING:
    from capitate.evaluation.inference import Plan, Row

__all__ = ["Choice", "bench_inference"]

_COLUMNS = (
    ("network", 24),
    ("runtime", 12),
    ("precision", 10),
    ("threads", 8),
    ("batch", 6),
    ("p50 ms", 10),
    ("p95 ms", 10),
    ("a second", 10),
    ("cold ms", 9),
    ("MB", 7),
    ("change", 10),
)
_WORDS = 3
"""Columns of words; the others are numbers."""


@dataclass(frozen=True)
class Choice:
    """What is to be measured; what is empty takes the defaults of `capitate.evaluation.inference.Plan`.

    Attributes:
        names: bundles and networks of timm.
        runtimes: by name.
        precisions: by name.
        threads: numbers of them.
        batches: sizes.
        size: rows and columns of a view for networks of timm.
        runs: most runs of a combination.
        seconds: after which a combination is not run again.
    """

    names: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    batches: tuple[int, ...] = ()
    size: tuple[int, int] = (160, 128)
    runs: int = 20
    seconds: float = 5.0

    def plan(self) -> Plan:
        """Make the plan.

        Raises:
            UsageError: naming the value that cannot be.
        """
        from capitate.evaluation.inference import Plan, Runtime
        from capitate.runtime.precision import InferencePrecision

        plain = Plan()
        return Plan(
            names=self.names,
            runtimes=tuple(map(Runtime, self.runtimes)) or plain.runtimes,
            precisions=tuple(map(InferencePrecision, self.precisions)) or plain.precisions,
            threads=self.threads or plain.threads,
            batches=self.batches or plain.batches,
            size=self.size,
            runs=self.runs,
            seconds=self.seconds,
        )


def bench_inference(choice: Choice, *, out: Path | None, quiet: bool) -> None:
    """Measure, print, and write table and plots if asked for.

    Args:
        choice: what to measure.
        out: folder.
        quiet: whether no progress is shown.

    Raises:
        UsageError: naming what does not fit.
        MissingExtraError: if the libraries that make networks ready are not installed.
        Exit: with 1 if a combination failed.
    """
    from capitate.cli import REFUSED
    from capitate.cli.output import counted

    with training_parts("Measuring networks"):
        _require()
        from capitate.evaluation.inference import State, measure, not_measured, to_csv, write_results

        plan = choice.plan()
    if out is not None:
        make_folder(out)
    kept: list[Row] = []
    with counted(total=len(plan), quiet=quiet) as step:

        def keep(row: Row) -> None:
            kept.append(row)
            if out is not None:  # a run that is broken off leaves what it measured
                with writing(out):
                    (out / "speed.csv").write_text(to_csv(kept), encoding="utf-8")
            step()

        rows = measure(plan, progress=keep)
    _print([row for row in rows if row.state is State.MEASURED])
    for what, reason in not_measured(rows):
        print(f"not measured: {what}: {reason}")
    if out is not None:
        with writing(out):
            written = write_results(rows, plan, out)
        print(f"Written to {out}: {', '.join(path.name for path in written)}")
    if any(row.state is State.FAILED for row in rows):
        raise typer.Exit(REFUSED)


def _require() -> None:
    """Look for what the processes that make networks ready import, without importing it here.

    Raises:
        ModuleNotFoundError: naming what is missing.
    """
    for name in ("torch", "timm", "onnx"):
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _print(rows: Sequence[Row]) -> None:
    """Print measured lines."""
    print(_laid_out([name for name, _ in _COLUMNS]))
    for row in rows:
        memory = "" if row.peak_memory_mb is None else f"{row.peak_memory_mb:.0f}"
        times = (f"{row.p50_ms:.2f}", f"{row.p95_ms:.2f}", f"{row.views_a_second:.1f}", f"{row.cold_ms:.0f}")
        identity = (row.name, row.runtime, row.precision, str(row.threads), str(row.batch))
        print(_laid_out((*identity, *times, memory, f"{row.largest_change:.2g}")))
    print()


def _laid_out(cells: Sequence[str]) -> str:
    """Set words to the left and numbers to the right."""
    widths = [width for _, width in _COLUMNS]
    words = "".join(f"{cell:<{width}}" for cell, width in zip(cells[:_WORDS], widths[:_WORDS], strict=True))
    return words + "".join(f"{cell:>{width}}" for cell, width in zip(cells[_WORDS:], widths[_WORDS:], strict=True))
