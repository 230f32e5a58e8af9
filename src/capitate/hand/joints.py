"""The 21 joints of a hand radiograph, the seven classes that a detector tells apart, and what each joint counts for.

A joint is named by the bone whose epiphysis is graded: `MIPThird` is the base of the third finger's middle phalanx.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from capitate.errors import UsageError

__all__ = ["BOXES_OF_A_HAND", "FINGERS", "RUS_JOINTS", "BoneClass", "Joint", "bone_class_of"]


class BoneClass(StrEnum):
    """Classes of the boxes in `boxes-21.csv`: what a bone looks like, without the finger."""

    RADIUS = "Radius"
    ULNA = "Ulna"
    MCP_FIRST = "MCPFirst"
    MCP = "MCP"
    PROXIMAL = "ProximalPhalanx"
    MIDDLE = "MiddlePhalanx"
    DISTAL = "DistalPhalanx"

    @classmethod
    def of(cls, name: str) -> BoneClass:
        """Read a class by its name.

        Raises:
            UsageError: if there is no class of that name.
        """
        try:
            return cls(name)
        except ValueError as error:
            raise UsageError(f"no class of joints is called {name!r}; the classes are {', '.join(cls)}") from error


class Joint(StrEnum):
    """The 21 joints, wrist first, then row by row from the thumb to the little finger."""

    RADIUS = "Radius"
    ULNA = "Ulna"
    MCP_FIRST = "MCPFirst"
    MCP_SECOND = "MCPSecond"
    MCP_THIRD = "MCPThird"
    MCP_FOURTH = "MCPFourth"
    MCP_FIFTH = "MCPFifth"
    PIP_FIRST = "PIPFirst"
    PIP_SECOND = "PIPSecond"
    PIP_THIRD = "PIPThird"
    PIP_FOURTH = "PIPFourth"
    PIP_FIFTH = "PIPFifth"
    MIP_SECOND = "MIPSecond"
    MIP_THIRD = "MIPThird"
    MIP_FOURTH = "MIPFourth"
    MIP_FIFTH = "MIPFifth"
    DIP_FIRST = "DIPFirst"
    DIP_SECOND = "DIPSecond"
    DIP_THIRD = "DIPThird"
    DIP_FOURTH = "DIPFourth"
    DIP_FIFTH = "DIPFifth"


FINGERS: Mapping[str, tuple[Joint, ...]] = {
    finger: tuple(Joint(f"{part}{finger}") for part in ("MCP", "PIP", "MIP", "DIP") if f"{part}{finger}" in set(Joint))
    for finger in ("First", "Second", "Third", "Fourth", "Fifth")
}
"""The chain of each finger from the metacarpal outwards; the thumb's has no middle phalanx."""

RUS_JOINTS = frozenset(
    {Joint.RADIUS, Joint.ULNA} | {joint for finger in ("First", "Third", "Fifth") for joint in FINGERS[finger]}
)
"""The 13 joints that RUS-CHN and TW3-RUS grade: radius, ulna and fingers I, III and V (Tanner et al., Assessment of
Skeletal Maturity and Prediction of Adult Height, 3rd ed., 2001)."""

_ROWS = {"MCP": BoneClass.MCP, "PIP": BoneClass.PROXIMAL, "MIP": BoneClass.MIDDLE, "DIP": BoneClass.DISTAL}


def bone_class_of(joint: Joint) -> BoneClass:
    """Return the class whose boxes a joint's bone has."""
    if joint in (Joint.RADIUS, Joint.ULNA, Joint.MCP_FIRST):
        return BoneClass(joint.value)
    return _ROWS[joint.value[:3]]


BOXES_OF_A_HAND: Mapping[BoneClass, int] = {
    bone: sum(bone_class_of(joint) is bone for joint in Joint) for bone in BoneClass
}
"""How many boxes of each class a whole hand has: 1, 1, 1, 4, 5, 4 and 5."""
