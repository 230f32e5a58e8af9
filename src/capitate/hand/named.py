"""The named hand: each of its 21 joints found, uncertain or missing, with the reason and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capitate.hand.affine import Affine
from capitate.hand.detection import Detection
from capitate.hand.joints import RUS_JOINTS, Joint
from capitate.types import Box, Side

__all__ = ["JointStatus", "LeftOver", "NamedHand", "NamedJoint", "Remark", "RemarkKind"]


class JointStatus(StrEnum):
    """Whether a joint's box is known."""

    FOUND = "found"
    UNCERTAIN = "uncertain"
    MISSING = "missing"


class RemarkKind(StrEnum):
    """Why a joint is uncertain or missing, or why a box was left over."""

    OTHER_CLASS = "other_class"
    OUT_OF_PLACE = "out_of_place"
    RIVAL_BOX = "rival_box"
    SIDE_UNSURE = "side_unsure"
    OFF_FILM = "off_film"
    NO_BOX = "no_box"
    NO_HAND = "no_hand"
    DOUBLE = "double"
    NO_JOINT = "no_joint"


@dataclass(frozen=True)
class Remark:
    """A reason, for machines and as a sentence for a reader."""

    kind: RemarkKind
    message: str


@dataclass(frozen=True)
class NamedJoint:
    """One of the 21 joints.

    Attributes:
        joint: its name.
        status: found, uncertain or missing.
        detection: the box that it was given, None if it is missing.
        place: (x, y) film pixels where the other joints put it, None if no hand was found.
        misfit: distance of its box from that place in standard deviations of labelled hands, None if it is missing.
        remarks: why it is not simply found.
    """

    joint: Joint
    status: JointStatus
    detection: Detection | None
    place: tuple[float, float] | None
    misfit: float | None
    remarks: tuple[Remark, ...] = ()

    @property
    def box(self) -> Box | None:
        """Its box in film pixels, None if it is missing."""
        return None if self.detection is None else self.detection.box

    @property
    def cost(self) -> str | None:
        """What is lost where the joint is missing or has to be confirmed, in words; None for one that was found."""
        if self.status is JointStatus.FOUND:
            return None
        if self.joint not in RUS_JOINTS:
            return f"{self.joint} enters neither RUS-CHN nor TW3-RUS: no score depends on it."
        if self.status is JointStatus.UNCERTAIN:
            return f"The RUS-CHN and TW3-RUS scores rest on {self.joint} being the right box: confirm it."
        return (
            f"Without {self.joint} the RUS-CHN and TW3-RUS scores are incomplete: one of their 13 grades is not known."
        )


@dataclass(frozen=True)
class LeftOver:
    """A box that became no joint, and why."""

    detection: Detection
    remark: Remark


@dataclass(frozen=True, eq=False)
class NamedHand:
    """What naming makes of a film's boxes.

    Attributes:
        joints: all 21, in the order of `Joint`.
        side: the hand's side, as a film taken palm down shows it; unknown if no hand was found or nothing tells.
        rotation_degrees: anticlockwise turn that brings the fingers upright, -180 to 180; None without a hand.
        box: the hand on the film from the fingertips to the wrist, film pixels; None without a hand.
        left_over: boxes that became no joint.
        to_plan: map from film pixels to `capitate.hand.plan`'s left hand, None without a hand.
        misfit: mean squared distance of the boxes from their places, in variances of labelled hands (about 1 on a hand
            like these); None without a hand.
    """

    joints: tuple[NamedJoint, ...]
    side: Side
    rotation_degrees: float | None
    box: Box | None
    left_over: tuple[LeftOver, ...]
    to_plan: Affine | None
    misfit: float | None

    def joint(self, joint: Joint) -> NamedJoint:
        """Return one joint."""
        return self.joints[tuple(Joint).index(joint)]

    def having(self, status: JointStatus) -> tuple[Joint, ...]:
        """Return the joints of a status."""
        return tuple(one.joint for one in self.joints if one.status is status)

    @property
    def costs(self) -> tuple[str, ...]:
        """What the missing and uncertain joints cost, one sentence a joint."""
        return tuple(one.cost for one in self.joints if one.cost is not None)
