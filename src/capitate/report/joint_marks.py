"""What is drawn of the joints over a film, in film pixels: the same for the page and for pictures."""

from __future__ import annotations

from dataclasses import dataclass

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS
from capitate.report.joint_places import missing_places
from capitate.report.joint_text import joint_name, reading_text
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.wording import language
from capitate.types import Box

__all__ = ["COLOURS", "JointMark", "joint_marks", "short_name"]

COLOURS = {
    "found": "#56B4E9",
    "uncertain": "#E69F00",
    "missing": "#F0E442",
    "epiphysis": "#00B884",
    "carpals": "#CC79A7",
}
"""Colours of boxes by status and of outlines: sky blue, orange, yellow, bluish green and reddish purple of the set that
Okabe and Ito made for colour-blind readers (Color Universal Design, 2008); the green is lighter than theirs, so that it
stands out on a dark film. The line tells the status as well: drawn through, dashed, dotted."""

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
    """Write a joint for a crowded picture: row, and ray in Roman numerals, `MCP III`; radius and ulna in full."""
    ray = _ROMAN.get(joint[3:])
    return joint if ray is None else f"{joint[:3]} {ray}"


def _mark(joint: AssessedJoint, box: Box, *, lang: str) -> JointMark:
    graded = joint.name in RUS_JOINTS
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
