"""Many films as one CSV, written row by row (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
from typing import TextIO

from capitate.assessment import Assessment
from capitate.report.joint_columns import JOINT_COLUMNS, joint_cells
from capitate.types import Severity, Sex

__all__ = ["COLUMNS", "TableWriter", "safe_cell", "table_row"]

COLUMNS = (
    "path",
    "sex",
    "sex_source",
    "bone_age_months",
    "low",
    "high",
    "level",
    "text",
    "mature",
    "female_months",
    "male_months",
    "chronological_age_months",
    "standard",
    "side",
    "warnings",
    "refusal",
    "refusal_message",
    "model",
    "sha256",
    "abnormality",
    "abnormality_threshold",
    "marks",
    *JOINT_COLUMNS,
)
"""Columns in their order.

`path` is the path as the caller knows the film, `low`, `high` and `level` the interval of `bone_age_months`;
`female_months` and `male_months` are filled where the sex is unknown; `warnings` holds codes, `refusal` one code;
`abnormality` is the screen's probability, and `marks` the number of places to look at. The
columns of joints come last and are explained in `capitate.report.joint_columns`.
What was not assessed is an empty cell.
"""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class TableWriter:
    """Writes the header at once and then one row a film, each flushed, so that what is written is never half a row."""

    def __init__(self, stream: TextIO) -> None:
        """Start the table.

        Args:
            stream: text stream of UTF-8, opened with `newline=""`, which the caller closes.
        """
        self._stream = stream
        self._rows = csv.writer(stream)
        self._rows.writerow(COLUMNS)
        stream.flush()

    def write(self, assessment: Assessment, *, path: str | None = None) -> None:
        """Append one film's row.

        Args:
            assessment: the film's result, a refusal included.
            path: what stands in the column `path`; the source's name if not given.
        """
        row = table_row(assessment, path=path)
        self._rows.writerow([row[column] for column in COLUMNS])
        self._stream.flush()


def table_row(assessment: Assessment, *, path: str | None = None) -> dict[str, str]:
    """Return one film's cells by column, safe to open in a spreadsheet."""
    subject, age = assessment.subject, assessment.bone_age
    cells = dict.fromkeys(COLUMNS, "") | joint_cells(assessment)
    cells |= {
        "path": path if path is not None else assessment.source.name,
        "sex": subject.sex,
        "sex_source": subject.sex_source,
        "chronological_age_months": _months(subject.chronological_age_months),
        "side": assessment.hand.side if assessment.hand is not None else "",
        "warnings": "; ".join(one.code for one in assessment.quality.findings if one.severity is Severity.WARNING),
        "model": "; ".join(f"{model.name} {model.version}" for model in assessment.models),
        "sha256": assessment.source.sha256 or "",
    }
    if age is not None:
        by_sex = age.by_sex or {}
        cells |= {
            "bone_age_months": _months(age.months),
            "low": _months(age.interval.low),
            "high": _months(age.interval.high),
            "level": f"{age.interval.level:g}",
            "text": age.text,
            "mature": "true" if age.mature else "false",
            "female_months": _months(by_sex[Sex.FEMALE].months) if Sex.FEMALE in by_sex else "",
            "male_months": _months(by_sex[Sex.MALE].months) if Sex.MALE in by_sex else "",
            "standard": age.standard,
        }
    if assessment.abnormality is not None:
        told = assessment.abnormality
        cells |= {"abnormality": f"{told['probability']:.4f}", "abnormality_threshold": f"{told['threshold']:.4f}"}
    if assessment.marks is not None:
        cells["marks"] = str(len(assessment.marks))
    if assessment.error is not None:
        cells |= {"refusal": assessment.error.code, "refusal_message": assessment.error.message}
    return {column: safe_cell(cell) for column, cell in cells.items()}


def _months(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def safe_cell(cell: str) -> str:
    """Return a cell that a spreadsheet takes as text or number, never as a formula, and that UTF-8 can hold.

    The leading apostrophe is OWASP's advice against CSV injection.
    """
    text = str(cell).encode("utf-8", "backslashreplace").decode("utf-8")
    if text.lstrip(" ").startswith(_FORMULA_STARTS) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
