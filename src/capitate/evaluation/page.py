"""What every evaluation writes alike: how the figures came about, pages that open without a network, whole files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from capitate.assessment import NOTICE
from capitate.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate

__all__ = ["RunDetails", "figure_text", "interval_text", "page", "table_text", "write_whole"]

Worded = Callable[[float, str], str]


@dataclass(frozen=True)
class RunDetails:
    """How the figures came about.

    Attributes:
        command: the command line as it was given.
        table: name of the table of films or of the folder of crops, without folders.
        version: of Capitate.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        date: day of the run, ISO 8601, or empty.
    """

    command: str
    table: str
    version: str
    resamples: int = RESAMPLES
    seed: int = 0
    date: str = ""


def page(template: str, *, details: RunDetails, number: Worded, **values: Any) -> str:  # noqa: ANN401
    """Fill a template of `capitate.evaluation.templates`; `figure` and `interval` are its filters for estimates.

    Args:
        template: its file.
        details: of the run.
        number: writes a figure by its name, such as 0.5 as 50.0 %.
        values: what the template takes.
    """
    environment = Environment(
        loader=PackageLoader("capitate.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda estimate, name: figure_text(estimate, name, number=number)
    environment.filters["interval"] = lambda estimate, name: interval_text(estimate, name, number=number)
    filled: str = environment.get_template(template).render(details=details, notice=NOTICE, confidence=LEVEL, **values)
    return filled


def figure_text(estimate: Estimate, name: str, *, number: Worded) -> str:
    """Write the value of a figure; a dash where it is not defined."""
    return "–" if np.isnan(estimate.value) else number(estimate.value, name)


def interval_text(estimate: Estimate, name: str, *, number: Worded) -> str:
    """Write the interval of a figure, its unit once; nothing where there is none."""
    if np.isnan(estimate.low):
        return ""
    return f"{number(estimate.low, name).removesuffix(' %')} to {number(estimate.high, name)}"


def table_text(rows: Sequence[Mapping[str, object]], *, columns: Sequence[str]) -> str:
    """Write rows as CSV; cells that a row has not are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_whole(path: Path, text: str) -> None:
    """Write beside the target and rename, so that a reader never meets half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
