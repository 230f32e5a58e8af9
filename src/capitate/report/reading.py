"""Assessments from files: one object, or JSON Lines of several films."""

from __future__ import annotations

import json
from pathlib import Path

from capitate.assessment import Assessment
from capitate.errors import UsageError
from capitate.report.parsed import from_json

__all__ = ["assessments_of", "read_assessments"]


def read_assessments(path: Path) -> list[Assessment]:
    """Read the assessments of a file, at least one.

    Raises:
        UsageError: if it cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{str(path)!r} is no assessment: it is not UTF-8 text; give the JSON of capitate assess"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{str(path)!r} cannot be read: {reason}; give the JSON of capitate assess") from error
    return assessments_of(text, shown=str(path))


def assessments_of(text: str, *, shown: str) -> list[Assessment]:
    """Read the assessments of a text, at least one.

    Args:
        text: one JSON object, or one a line.
        shown: name of the text in errors.

    Raises:
        UsageError: if it holds something else; says in which line.
    """
    if not text.strip():
        raise UsageError(f"{shown!r} is no assessment: it is empty; give the JSON of capitate assess")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        lines = [(1, text)]
    return [_read(line, shown=shown if len(lines) == 1 else f"{shown}, line {number}") for number, line in lines]


def _read(text: str, *, shown: str) -> Assessment:
    try:
        return from_json(text)
    except UsageError as error:
        raise UsageError(f"{shown!r} is no assessment that can be used: {error}") from error
