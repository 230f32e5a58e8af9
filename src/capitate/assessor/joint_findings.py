"""What a reader has to know about the joints of a film, in words."""

from __future__ import annotations

from collections.abc import Sequence

from capitate.assessed_joints import AssessedJoint
from capitate.assessor.scores import listed
from capitate.hand import RUS_JOINTS, JointStatus, NamedHand, NamedJoint, RemarkKind
from capitate.types import Box, Finding, Severity, Side

__all__ = ["cut_box_findings", "missing_joint", "naming_findings", "second_hand_finding", "side_findings"]

MANY = 5
"""Joints overlooked on the film, about a quarter of them, from which on something is taken to hide them; Capitate's own
choice."""
_CUT = 0.1
"""Share of a box's side beyond the film from which on it is told; Capitate's own choice."""


def naming_findings(hand: NamedHand) -> list[Finding]:
    """Tell of a hand that could not be named, and of joints that are off the film, hidden or uncertain."""
    if hand.box is None:
        why = hand.joints[0].remarks[0].message
        message = f"No joint could be named: {why} The film may show no hand, or one that is covered or cut off."
        return [Finding("joints_not_named", Severity.WARNING, message)]
    return [*_off_film(hand), *_hidden(hand), *_uncertain(hand)]


def missing_joint(one: NamedJoint) -> AssessedJoint:
    """Make the entry of a joint that is missing."""
    return AssessedJoint(one.joint.value, None, one.status.value, None, remark_of(one), None, None, None)


def remark_of(one: NamedJoint) -> str | None:
    """Say why a joint is not simply found, and what that costs; None for one that was found."""
    told = [remark.message for remark in one.remarks] + ([one.cost] if one.cost else [])
    return " ".join(told) or None


def side_findings(*, stated: Side, seen: Side) -> list[Finding]:
    """Tell where the joints lie as those of the other hand than the file states."""
    if Side.UNKNOWN in (stated, seen) or stated is seen:
        return []
    message = (
        f"The file says {stated} hand, and the joints lie as those of a {seen} hand that was filmed palm down: the "
        "film may be mirrored, labelled wrongly, or taken palm up."
    )
    return [Finding("side_contradiction", Severity.WARNING, message)]


def cut_box_findings(boxes: Sequence[tuple[str, Box]], *, shape: tuple[int, int]) -> list[Finding]:
    """Tell of boxes that reach out of the film.

    Args:
        boxes: names of joints with their boxes, not clipped.
        shape: rows and columns of the film.
    """
    names = [name for name, box in boxes if _beyond(box, shape) > _CUT]
    if not names:
        return []
    does = "the box reaches" if len(names) == 1 else "the boxes reach"
    message = f"Of {listed(names)} {does} out of the film: what is graded there may be a part of the joint only."
    return [Finding("joint_cut_off", Severity.WARNING, message)]


def second_hand_finding(*, read: str, other: str) -> Finding:
    """Tell which of two hands was read.

    Args:
        read: where and which the hand is that was read, such as `the left hand, at the right of the film`.
        other: the same of the other one.
    """
    message = f"The film shows two hands: {read} was read, and {other} was not; cut the film to read that one."
    return Finding("second_hand", Severity.WARNING, message)


def _off_film(hand: NamedHand) -> list[Finding]:
    names = [one.joint for one in hand.joints if any(r.kind is RemarkKind.OFF_FILM for r in one.remarks)]
    if not names:
        return []
    lie = "lies" if len(names) == 1 else "lie"
    message = f"The hand is cut off: {listed(names)} {lie} off the film; film it again where these grades are needed."
    return [Finding("joints_off_film", Severity.WARNING, message)]


def _hidden(hand: NamedHand) -> list[Finding]:
    names = [one.joint for one in hand.joints if any(r.kind is RemarkKind.NO_BOX for r in one.remarks)]
    if not names:
        return []
    if len(names) < MANY:
        return [Finding("joints_not_found", Severity.INFO, f"Not found on the film: {listed(names)}.")]
    message = (
        f"{len(names)} of 21 joints were not found on the film ({listed(names)}): a cast, a splint, jewellery, a bent "
        "finger or wrong exposure may hide them."
    )
    return [Finding("joints_hidden", Severity.WARNING, message)]


def _uncertain(hand: NamedHand) -> list[Finding]:
    names = [joint for joint in hand.having(JointStatus.UNCERTAIN) if joint in RUS_JOINTS]
    if not names:
        return []
    message = f"Look whether these boxes are on the right joint: {listed(names)}; the scores rest on it."
    return [Finding("joints_uncertain", Severity.INFO, message)]


def _beyond(box: Box, shape: tuple[int, int]) -> float:
    """Give the greatest share of a side that lies beyond the film."""
    rows, columns = shape
    across = max(-box.x, box.x + box.width - columns, 0.0) / max(box.width, 1e-9)
    down = max(-box.y, box.y + box.height - rows, 0.0) / max(box.height, 1e-9)
    return max(across, down)
