"""The phantom's tables, read once: ossification, grades and the plan of the hand. Sources stand in the JSON files."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from capitate.types import Sex

__all__ = [
    "CARPALS",
    "FINGERS",
    "JOINTS",
    "OLDEST_MONTHS",
    "RUS_JOINTS",
    "anatomy",
    "appearance_months",
    "grade_count",
    "grade_onsets",
    "grade_stages",
]

FINGERS = ("First", "Second", "Third", "Fourth", "Fifth")

RUS_JOINTS = (
    "Radius", "Ulna", "MCPFirst", "MCPThird", "MCPFifth", "PIPFirst", "PIPThird", "PIPFifth", "MIPThird", "MIPFifth",
    "DIPFirst", "DIPThird", "DIPFifth",
)  # fmt: skip
"""The 13 joints that RUS-CHN grades."""

JOINTS = (
    *RUS_JOINTS,
    "MCPSecond", "MCPFourth", "PIPSecond", "PIPFourth", "MIPSecond", "MIPFourth", "DIPSecond", "DIPFourth",
)  # fmt: skip
"""All 21 joints, each named by the bone whose epiphysis it shows."""

CARPALS = ("capitate", "hamate", "triquetrum", "lunate", "scaphoid", "trapezium", "trapezoid", "pisiform")
"""Carpal bones in their usual order of appearance."""

OLDEST_MONTHS = 228.0
"""Greatest age that can be drawn, months: the oldest of the films that bone age is learnt from."""

_LEAST_STEP_MONTHS = 1.5


@cache
def _table(name: str) -> dict[str, Any]:
    text = files("capitate.phantom").joinpath("tables", f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def anatomy(part: str) -> dict[str, Any]:
    """Return one part of the plan of the hand: `rays`, `bones`, `forearm`, `boxes`, `carpals` or `hand_length_mm`."""
    found: dict[str, Any] = _table("anatomy")[part]
    return found


def appearance_months(centre: str, *, sex: Sex) -> float:
    """Return the median age in months at which an ossification centre becomes visible.

    Source: see `tables/ossification.json` (Garn, Rohmann and Silverman 1967).
    """
    return float(_table("ossification")["centres"][centre][sex.value])


def _model(joint: str) -> str:
    """Name the RUS-CHN joint whose grades a joint uses: its own, or the third finger's for fingers II and IV."""
    return joint.replace("Second", "Third").replace("Fourth", "Third")


@cache
def grade_onsets(joint: str, sex: Sex) -> tuple[float, ...]:
    """Return the ages in months at which a joint reaches grade 1, 2, ... N; strictly increasing.

    Fingers II and IV take the grades of the third finger, with their own age of appearance.
    Source: see `tables/grades.json`.
    """
    listed = _table("grades")["onset_months"][sex.value][_model(joint)]
    ages = [appearance_months(joint, sex=sex)]
    for age in listed[1:]:
        ages.append(max(float(age), ages[-1] + _LEAST_STEP_MONTHS))
    return tuple(ages)


@cache
def grade_stages(joint: str) -> tuple[float, ...]:
    """Return the Tanner-Whitehouse stage (B = 1 ... I = 8) that looks like grade 1, 2, ... N of a joint."""
    return tuple(float(s) for s in _table("grades")["stage"][_model(joint)])


def grade_count(joint: str) -> int:
    """Return the number of grades of a joint, grade 0 (not yet visible) not counted."""
    return len(grade_stages(joint))
