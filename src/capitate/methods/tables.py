"""The tables of the methods, read once from package data. Sources and decisions stand in the JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Any

from capitate.errors import UsageError
from capitate.methods.joints import Joint
from capitate.types import Sex

__all__ = ["Method", "PointTable", "known_sex", "method_named", "point_table", "stage_of_grade", "table"]


class Method(StrEnum):
    """Methods that add up the points of 13 joints."""

    RUS_CHN = "rus-chn"
    TW3 = "tw3"


_FILES = {Method.RUS_CHN: "rus_chn", Method.TW3: "tw3_rus"}


def method_named(method: str) -> Method:
    """Return the method of this name.

    Raises:
        UsageError: if there is none.
    """
    try:
        return Method(method)
    except ValueError:
        raise UsageError(f"no such method, got {method!r}; choose one of {', '.join(Method)}") from None


def known_sex(sex: str | None) -> Sex:
    """Return the sex, which has to be known: points and ages are by sex.

    Raises:
        UsageError: if it is missing, unknown, or none that the standards know.
    """
    if sex in (Sex.FEMALE, Sex.MALE):
        return Sex(sex)
    got = "none" if sex is None else repr(str(sex))
    raise UsageError(f"points and ages are by sex, got {got}; give the sex as female or male")


@cache
def table(method: Method) -> Mapping[str, Any]:
    """Return a method's table as its JSON file has it."""
    text = files("capitate.methods").joinpath("tables", f"{_FILES[method]}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@dataclass(frozen=True)
class PointTable:
    """Points of every step of every joint, of one sex.

    Attributes:
        points: by joint, those of grades 0, 1, ... N or stages A, B, ...; they never fall, and the greatest of all
            joints sum to 1000.
    """

    points: Mapping[Joint, tuple[int, ...]]

    def share(self, joint: Joint, points: float) -> float:
        """Return points as a share of the most that a joint can have."""
        return points / self.points[joint][-1]

    @cached_property
    def widest_step(self) -> float:
        """Greatest share of a joint's points that lies between two neighbouring steps."""
        return max(
            self.share(joint, after - before)
            for joint, listed in self.points.items()
            for before, after in pairwise(listed)
        )


@cache
def point_table(method: Method, sex: Sex) -> PointTable:
    """Return the points of a method for one sex. Source: see the method's JSON file."""
    listed = table(method)["points"][sex.value]
    return PointTable({joint: tuple(listed[joint.value]) for joint in Joint})


def stage_of_grade(joint: Joint, grade: int) -> int:
    """Return the index of the TW3 stage (A is 0) that a RUS-CHN grade stands for.

    Source: one public program, named in `tables/tw3_rus.json`; there is no second.
    """
    return int(table(Method.TW3)["stage_of_grade"][joint.value][grade])
