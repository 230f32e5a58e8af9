"""One line of the tool's table: a combination with its figures, or with the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.inference.plan import Combination
from capitate.training.inference.subject import Subject

__all__ = ["COLUMNS", "Row", "State", "largest_change", "measured", "per_million", "throughput", "without_figures"]


class State(StrEnum):
    """How a combination ended: figures; none because it cannot be; none because it went wrong."""

    MEASURED = "measured"
    IMPOSSIBLE = "impossible"
    FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """A combination with its figures; those that there are not are None.

    Attributes:
        name: of a bundle, or timm's.
        kind: `bundle` or `timm`.
        runtime: that computed.
        precision: that it computed in.
        threads: for one network.
        batch: views of one run.
        state: see `State`.
        reason: why there are no figures.
        runs: that the times are of.
        p50_ms: median time of a run.
        p95_ms: its 95th percentile.
        fastest_ms: shortest time of a run.
        cpu_ms: median time that the process computed in a run, all threads together; a busy computer changes it little.
        view_ms: median for one view.
        views_a_second: views of a batch over the median.
        views_a_second_per_million: that over the millions of parameters.
        import_ms: importing the runtime into a new process.
        load_ms: opening the files.
        first_ms: the first answer.
        cold_ms: `load_ms` and `first_ms`.
        peak_memory_mb: most resident memory of the process, 10^6 bytes.
        own_memory_mb: of this, what came after importing the runtime.
        largest_change: of any film's answer against float32 of onnxruntime.
        change_unit: `months`, or `of the largest`.
        parameters: see `Subject`.
        multiply_adds: see `Subject`.
        megabytes: see `Subject`.
        height: rows of a view.
        width: columns of a view.
        views_a_film: test-time views that assessment makes of a film.
    """

    name: str
    kind: str
    runtime: str
    precision: str
    threads: int
    batch: int
    state: State
    reason: str = ""
    runs: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    fastest_ms: float | None = None
    cpu_ms: float | None = None
    view_ms: float | None = None
    views_a_second: float | None = None
    views_a_second_per_million: float | None = None
    import_ms: float | None = None
    load_ms: float | None = None
    first_ms: float | None = None
    cold_ms: float | None = None
    peak_memory_mb: float | None = None
    own_memory_mb: float | None = None
    largest_change: float | None = None
    change_unit: str = ""
    parameters: int | None = None
    multiply_adds: int | None = None
    megabytes: float | None = None
    height: int | None = None
    width: int | None = None
    views_a_film: int | None = None


COLUMNS = tuple(one.name for one in fields(Row))


def throughput(batch: int, p50_ms: float) -> float:
    """Compute views a second from the median time of a batch."""
    return batch * 1000 / p50_ms


def per_million(views_a_second: float, parameters: int) -> float:
    """Compute views a second per million parameters, the measure of efficiency that system 004 ranked networks by."""
    return views_a_second / (parameters / 1e6)


def largest_change(answers: NDArray[np.float32], reference: NDArray[np.float32], *, unit: str) -> float:
    """Measure how far answers to the same films lie apart at most.

    Args:
        answers: (films, numbers).
        reference: of the same shape.
        unit: `months`: numbers are probabilities of the months 0, 1, ..., whose expectations are compared;
            `of the largest`: any numbers, compared as a share of the largest in `reference`.
    """
    if unit == "months":
        ages = np.arange(reference.shape[1], dtype=np.float64)
        return float(np.abs((answers.astype(np.float64) - reference.astype(np.float64)) @ ages).max())
    return float(np.abs(answers - reference).max() / max(float(np.abs(reference).max()), 1e-12))


def measured(one: Combination, subject: Subject, result: Mapping[str, Any], *, change: float) -> Row:
    """Compute a line from what a process measured.

    Args:
        one: the combination.
        subject: its networks.
        result: of `capitate.runtime.laps`.
        change: from `largest_change`.
    """
    laps = result["laps_ms"]
    p50, p95 = (float(np.percentile(laps, share)) for share in (50, 95))
    speed = throughput(one.batch, p50)
    peak, before = result["peak_memory_bytes"], result["import_memory_bytes"]
    return Row(
        **_identity(one, subject),
        state=State.MEASURED,
        runs=len(laps),
        p50_ms=round(p50, 4),
        p95_ms=round(p95, 4),
        fastest_ms=round(min(laps), 4),
        cpu_ms=round(float(np.median(result["cpu_ms"])), 4),
        view_ms=round(p50 / one.batch, 4),
        views_a_second=round(speed, 3),
        views_a_second_per_million=round(per_million(speed, subject.parameters), 3),
        import_ms=round(result["import_ms"], 2),
        load_ms=round(result["load_ms"], 2),
        first_ms=round(result["first_ms"], 3),
        cold_ms=round(result["load_ms"] + result["first_ms"], 2),
        peak_memory_mb=None if peak is None else round(peak / 1e6, 1),
        own_memory_mb=None if peak is None or before is None else round((peak - before) / 1e6, 1),
        largest_change=float(f"{change:.3g}"),
        change_unit=subject.unit,
    )


def without_figures(one: Combination, subject: Subject | None, *, state: State, reason: str) -> Row:
    """Make a line that says why there are no figures; `subject` is None where the name itself could not be used."""
    return Row(**_identity(one, subject), state=state, reason=" ".join(reason.split()))


def _identity(one: Combination, subject: Subject | None) -> dict[str, Any]:
    """Say what a line is about."""
    about: dict[str, Any] = {
        "name": one.name,
        "kind": "",
        "runtime": str(one.runtime),
        "precision": str(one.precision),
        "threads": one.threads,
        "batch": one.batch,
    }
    if subject is None:
        return about
    same = ("kind", "parameters", "multiply_adds", "megabytes", "height", "width")
    return {**about, **{name: getattr(subject, name) for name in same}, "views_a_film": subject.views}
