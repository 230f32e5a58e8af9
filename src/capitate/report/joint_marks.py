"""What is drawn of the joints over a film, in film pixels: the same for the page and for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS, Joint
from capitate.hand.affine import fit_affine
from capitate.hand.plan import JOINTS, hand_plan
from capitate.report.joint_text import joint_name, reading_text
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.wording import language
from capitate.types import Box

__all__ = ["COLOURS", "JointMark", "joint_marks", "missing_places", "short_name"]

COLOURS = {
    "found": "#56B4E9",
    "uncertain": "#E69F00",
    "missing": "#F0E442",
    "epiphysis": "#00B884",
    "carpals": "#CC79A7",
}
"""Colours of boxes by status and of outlines: sky blue, orange, yellow, bluish green and reddish purple of the set that
Okabe and Ito made for colour-blind readers (Color Universal Design, 2008); the green is lighter than theirs, to stand out
on a dark film. Status is told by the line as well: drawn through, dashed, dotted."""

_LEAST_PLACED = 6
"""Joints that must be there for a missing one's place to be told."""
_MISSING_SHARE = 0.6
"""Side of the square drawn where a missing joint is expected, as a share of the median box's longer side."""
_ROMAN = {"First": "I", "Second": "II", "Third": "III", "Fourth": "IV", "Fifth": "V"}

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class JointMark:
    """One joint as it is drawn.

    Attributes:
        name: one of the 21 joints.
        status: `found`, `uncertain` or `missing`.
        box: its box, or for a missing one a square around where the other joints put it; film pixels.
        graded: whether it is one of the 13 joints of RUS-CHN.
        label: short name and grade, `MCP III 7`, with a question mark where the grade is to be confirmed.
        tip: one line that says all about it.
        epiphysis: outlines, film pixels.
    """

    name: str
    status: str
    box: Box
    graded: bool
    label: str
    tip: str
    epiphysis: tuple[Polygon, ...]


def joint_marks(assessment: Assessment, *, lang: str = "en") -> tuple[JointMark, ...]:
    """Return what is to be drawn of every joint that has a place; a missing one has it where enough others are there.

    Args:
        assessment: one film's result; nothing is drawn where joints were not read.
        lang: language of the tips.
    """
    joints = assessment.joints or ()
    places = missing_places(joints)
    marks = []
    for joint in joints:
        box = joint.box or places.get(joint.name)
        if box is not None:
            marks.append(_mark(joint, box, lang=lang))
    return tuple(marks)


def short_name(joint: str) -> str:
    """Write a joint for a crowded picture: the row and the ray in Roman numerals, `MCP III`; radius and ulna in full."""
    ray = _ROMAN.get(joint[3:])
    return joint if ray is None else f"{joint[:3]} {ray}"


def missing_places(joints: tuple[AssessedJoint, ...]) -> dict[str, Box]:
    """Tell where missing joints are to be expected, from the others and the plan of a hand.

    Returns:
        A square around each place, film pixels; nothing where fewer than six joints have a box or these lie on a line.
    """
    by_name = {joint.name: joint.box for joint in joints}
    boxes = [by_name.get(joint.value) for joint in JOINTS]
    seen = np.array([box is not None for box in boxes])
    if seen.sum() < _LEAST_PLACED or seen.all():
        return {}
    centres = np.array([(0.0, 0.0) if box is None else _centre(box) for box in boxes])
    places = _on_film(seen, centres)
    if places is None:
        return {}
    side = _MISSING_SHARE * float(np.median([max(box.width, box.height) for box in boxes if box is not None]))
    lost = [(joint, place) for joint, place, there in zip(JOINTS, places, seen, strict=True) if not there]
    return {
        joint.value: Box(float(place[0]) - side / 2, float(place[1]) - side / 2, side, side)
        for joint, place in lost
        if joint.value in by_name
    }


def _on_film(seen: NDArray[np.bool_], centres: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return where the plan puts all joints (21, 2), film pixels; None if what was seen does not settle it."""
    plan = hand_plan()
    try:
        to_film = fit_affine(plan.places[seen], centres[seen])
        at = to_film.inverse(centres)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return to_film(plan.expected(seen, at=at).places)


def _mark(joint: AssessedJoint, box: Box, *, lang: str) -> JointMark:
    graded = Joint(joint.name) in RUS_JOINTS
    return JointMark(
        name=joint.name,
        status=joint.status,
        box=box,
        graded=graded,
        label=_label(joint),
        tip=_tip(joint, graded=graded, lang=lang),
        epiphysis=() if joint.epiphysis is None else joint.epiphysis.outline,
    )


def _label(joint: AssessedJoint) -> str:
    name = short_name(joint.name)
    if joint.grade is None or joint.grade.value is None:
        return name
    return f"{name} {joint.grade.value}{'?' if joint.grade.suggestion else ''}"


def _tip(joint: AssessedJoint, *, graded: bool, lang: str) -> str:
    phrases = JOINT_PHRASES[language(lang)]
    reading = reading_text(joint.name, joint.grade, lang=lang) if graded else joint_name(joint.name, lang=lang)
    detection = "" if joint.detection is None else f" {100 * joint.detection:.0f} %"
    tip = phrases["tip"].format(reading=reading, status=phrases[f"status_{joint.status}"], detection=detection)
    return tip[:1].upper() + tip[1:]


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2
