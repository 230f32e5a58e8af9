"""Joints and carpal bones of an assessment as JSON values, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capitate.assessed_joints import AssessedJoint, Carpals, Epiphysis, GradeReading, Polygon
from capitate.hand import Joint, JointStatus
from capitate.types import Box

__all__ = ["box_from_json", "box_json", "carpals_from_json", "carpals_json", "joints_from_json", "joints_json"]


def box_json(box: Box) -> list[float]:
    """Write a box, pixels with one decimal."""
    return [round(side, 1) for side in (box.x, box.y, box.width, box.height)]


def box_from_json(written: Sequence[float]) -> Box:
    """Read a box; ValueError unless it has four numbers."""
    x, y, width, height = map(float, written)
    return Box(x=x, y=y, width=width, height=height)


def joints_json(joints: Iterable[AssessedJoint]) -> list[dict[str, Any]]:
    """Write the joints; points with two decimals, outlines with one."""
    return [_joint(one) for one in joints]


def carpals_json(carpals: Carpals) -> dict[str, Any]:
    """Write the carpal bones."""
    return {
        "count": carpals.count,
        "area_of_hand": carpals.area_of_hand,
        "outlines": _outlines_json(carpals.outlines),
        "names": list(carpals.names),
    }


def joints_from_json(written: Sequence[Mapping[str, Any]]) -> tuple[AssessedJoint, ...]:
    """Read the joints.

    Raises:
        KeyError, TypeError, ValueError: if they are not the 21 in their order, or one is not whole.
    """
    joints = tuple(_joint_from(one) for one in written)
    names = [one.name for one in joints]
    if names != list(Joint):
        raise ValueError(f"joints must be the 21 from Radius to DIPFifth in this order, got {names}")
    return joints


def carpals_from_json(written: Mapping[str, Any]) -> Carpals:
    """Read the carpal bones; KeyError, TypeError or ValueError if they are not whole."""
    return Carpals(
        count=int(written["count"]),
        area_of_hand=_number(written["area_of_hand"]),
        outlines=_outlines_from(written["outlines"]),
        names=tuple(None if one is None else str(one) for one in written["names"]),
    )


def _joint(one: AssessedJoint) -> dict[str, Any]:
    grade, epiphysis = one.grade, one.epiphysis
    return {
        "name": one.name,
        "box": None if one.box is None else box_json(one.box),
        "status": one.status,
        "detection": one.detection,
        "remark": one.remark,
        "grade": None
        if grade is None
        else {
            "value": grade.value,
            "probabilities": None if grade.probabilities is None else list(grade.probabilities),
            "confidence": grade.confidence,
            "machine_value": grade.machine_value,
            "corrected_by": grade.corrected_by,
            "suggestion": grade.suggestion,
        },
        "score": None if one.score is None else round(float(one.score), 2),
        "epiphysis": None
        if epiphysis is None
        else {
            "present": epiphysis.present,
            "width_ratio": epiphysis.width_ratio,
            "gap": epiphysis.gap,
            "fused": epiphysis.fused,
            "outline": _outlines_json(epiphysis.outline),
        },
    }


def _joint_from(written: Mapping[str, Any]) -> AssessedJoint:
    grade, epiphysis = written["grade"], written["epiphysis"]
    return AssessedJoint(
        name=str(written["name"]),
        box=None if written["box"] is None else box_from_json(written["box"]),
        status=JointStatus(written["status"]).value,
        detection=_number(written["detection"]),
        remark=written["remark"],
        grade=None if grade is None else _grade_from(grade),
        score=_number(written["score"]),
        epiphysis=None if epiphysis is None else _epiphysis_from(epiphysis),
    )


def _grade_from(written: Mapping[str, Any]) -> GradeReading:
    shares = written["probabilities"]
    return GradeReading(
        value=_whole(written["value"]),
        probabilities=None if shares is None else tuple(map(float, shares)),
        confidence=_number(written["confidence"]),
        machine_value=_whole(written["machine_value"]),
        corrected_by=written["corrected_by"],
        suggestion=bool(written["suggestion"]),
    )


def _epiphysis_from(written: Mapping[str, Any]) -> Epiphysis:
    return Epiphysis(
        present=written["present"],
        width_ratio=_number(written["width_ratio"]),
        gap=_number(written["gap"]),
        fused=written["fused"],
        outline=_outlines_from(written["outline"]),
    )


def _outlines_json(outlines: Iterable[Polygon]) -> list[list[list[float]]]:
    return [[[round(float(x), 1), round(float(y), 1)] for x, y in one] for one in outlines]


def _outlines_from(written: Sequence[Sequence[Sequence[float]]]) -> tuple[Polygon, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in one) for one in written)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _whole(value: int | None) -> int | None:
    """Return a grade; a fraction or a truth value is none."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"a grade is a whole number, got {value!r}")
