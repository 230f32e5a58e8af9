"""The 13 joints that RUS-CHN and TW3-RUS score, and the steps that each of them passes through."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["GRADE_COUNT", "STAGES", "Joint", "Scale", "step_count", "step_name"]


class Joint(StrEnum):
    """The joints, each named by the bone whose epiphysis is graded.

    MCP are metacarpals, PIP, MIP and DIP the proximal, middle and distal phalanges, of the first, third and fifth ray.
    """

    RADIUS = "Radius"
    ULNA = "Ulna"
    MCP_FIRST = "MCPFirst"
    MCP_THIRD = "MCPThird"
    MCP_FIFTH = "MCPFifth"
    PIP_FIRST = "PIPFirst"
    PIP_THIRD = "PIPThird"
    PIP_FIFTH = "PIPFifth"
    MIP_THIRD = "MIPThird"
    MIP_FIFTH = "MIPFifth"
    DIP_FIRST = "DIPFirst"
    DIP_THIRD = "DIPThird"
    DIP_FIFTH = "DIPFifth"


class Scale(StrEnum):
    """What a joint's maturity is read on: the grades of RUS-CHN or the stages of Tanner and Whitehouse."""

    GRADES = "grades"
    STAGES = "stages"


STAGES = "ABCDEFGHI"
"""Stages of Tanner and Whitehouse; A: the epiphysis is not yet visible. The ulna ends with H."""

GRADE_COUNT: Mapping[Joint, int] = MappingProxyType(
    {
        Joint.RADIUS: 14,
        Joint.ULNA: 12,
        Joint.MCP_FIRST: 11,
        Joint.MCP_THIRD: 10,
        Joint.MCP_FIFTH: 10,
        Joint.PIP_FIRST: 12,
        Joint.PIP_THIRD: 12,
        Joint.PIP_FIFTH: 12,
        Joint.MIP_THIRD: 12,
        Joint.MIP_FIFTH: 12,
        Joint.DIP_FIRST: 11,
        Joint.DIP_THIRD: 11,
        Joint.DIP_FIFTH: 11,
    }
)
"""Greatest RUS-CHN grade of each joint: fused. Grade 0 is an epiphysis that is not yet visible."""


def step_count(joint: Joint, *, scale: Scale) -> int:
    """Return the greatest grade of a joint, or the index of its last stage (A is 0)."""
    if scale is Scale.GRADES:
        return GRADE_COUNT[joint]
    return STAGES.index("H" if joint is Joint.ULNA else "I")


def step_name(step: int, *, scale: Scale) -> str:
    """Write a grade as its number and a stage as its letter."""
    return str(step) if scale is Scale.GRADES else STAGES[step]
