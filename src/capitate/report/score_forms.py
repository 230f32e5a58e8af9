"""A scored hand for machines: JSON (`capitate.score/1`) and one row of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from capitate.assessment import NOTICE
from capitate.errors import CapitateError
from capitate.methods import Age, Joint, JointScore, Scale, Score, step_name
from capitate.report.score_text import age_words
from capitate.report.table import safe_cell

__all__ = ["SCORE_COLUMNS", "SCORE_SCHEMA", "refused_hand_json", "refused_hand_row", "score_json", "score_row"]

SCORE_SCHEMA = "capitate.score/1"

SCORE_COLUMNS = (
    "sex",
    "method",
    *(column for joint in Joint for column in (joint.value, f"{joint.value}_points")),
    "total",
    "low_total",
    "high_total",
    "age_years",
    "low_years",
    "high_years",
    "level",
    "reach",
    "limit_years",
    "text",
    "missing",
    "refusal",
    "refusal_message",
)
"""Columns of `score_row`: a grade or stage and its points for every joint, then total, age and their interval."""


def score_json(score: Score, *, row: Mapping[str, str] | None = None) -> str:
    """Write a scored hand as one line of JSON, every key present; years with four decimals, points with two.

    Args:
        score: one hand's result.
        row: cells of its row of a table that are no grades, by column.
    """
    interval = score.interval
    written = {
        "schema": SCORE_SCHEMA,
        "row": dict(row or {}),
        "method": score.method,
        "name": score.name,
        "population": score.population,
        "sex": score.sex,
        "joints": [_joint(one, score) for one in score.joints],
        "total": round(score.total, 2),
        "age": {"years": round(score.age.years, 4), **_reach(score.age)},
        "interval": {
            "low_total": round(interval.low_total, 2),
            "high_total": round(interval.high_total, 2),
            "low_years": round(interval.low.years, 4),
            "high_years": round(interval.high.years, 4),
            "level": interval.level,
        },
        "findings": [{"code": one.code, "severity": one.severity, "message": one.message} for one in score.findings],
        "notice": NOTICE,
        "error": None,
    }
    return json.dumps(written, ensure_ascii=False, allow_nan=False)


def refused_hand_json(error: CapitateError, *, row: Mapping[str, str] | None = None) -> str:
    """Write a hand that cannot be scored as one line of JSON.

    Args:
        error: what is wrong with it.
        row: cells of its row of a table that are no grades, by column.
    """
    refusal = {"code": error.code, "message": str(error)}
    written = {"schema": SCORE_SCHEMA, "row": dict(row or {}), "notice": NOTICE, "error": refusal}
    return json.dumps(written, ensure_ascii=False)


def score_row(score: Score) -> dict[str, str]:
    """Return a scored hand's cells by column, those of `SCORE_COLUMNS`, safe to open in a spreadsheet."""
    cells = dict.fromkeys(SCORE_COLUMNS, "")
    for one in score.joints:
        cells[one.joint.value] = "" if one.step is None else step_name(one.step, scale=score.scale)
        cells[f"{one.joint.value}_points"] = f"{one.points:.2f}".removesuffix(".00")
    interval, age = score.interval, score.age
    cells |= {
        "sex": score.sex,
        "method": score.method,
        "total": f"{score.total:.2f}".removesuffix(".00"),
        "low_total": f"{interval.low_total:.2f}".removesuffix(".00"),
        "high_total": f"{interval.high_total:.2f}".removesuffix(".00"),
        "age_years": f"{age.years:.2f}",
        "low_years": f"{interval.low.years:.2f}",
        "high_years": f"{interval.high.years:.2f}",
        "level": f"{interval.level:g}",
        "reach": age.reach,
        "limit_years": "" if age.limit is None else f"{age.limit:.2f}",
        "text": age_words(age),
        "missing": "; ".join(one.joint for one in score.joints if one.possible is not None),
    }
    return {column: safe_cell(cell) for column, cell in cells.items()}


def refused_hand_row(error: CapitateError, *, written: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a hand that cannot be scored.

    Args:
        error: what is wrong with it.
        written: cells to keep as they were given, by column: sex and grades.
    """
    cells = dict.fromkeys(SCORE_COLUMNS, "") | dict(written)
    cells |= {"refusal": error.code, "refusal_message": str(error)}
    return {column: safe_cell(cell) for column, cell in cells.items()}


def _joint(one: JointScore, score: Score) -> dict[str, Any]:
    """Return one joint as plain values; grades are numbers and stages letters."""

    def written(step: int | None) -> int | str | None:
        return step if step is None or score.scale is Scale.GRADES else step_name(step, scale=score.scale)

    return {
        "name": one.joint,
        "status": one.status,
        score.scale.removesuffix("s"): written(one.step),
        "probability": None if one.probability is None else round(one.probability, 6),
        "points": round(one.points, 2),
        "possible": None if one.possible is None else [written(step) for step in one.possible],
    }


def _reach(age: Age) -> dict[str, Any]:
    """Return how far the method reaches at an age."""
    limit = None if age.limit is None else round(age.limit, 4)
    return {"reach": age.reach, "limit_years": limit, "text": age_words(age)}
