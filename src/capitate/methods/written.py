"""Gradings as people write them: `Radius=9`, `Ulna=E`, a cell of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capitate.errors import GradeError
from capitate.methods.grading import Grading, joint_named
from capitate.methods.joints import STAGES, Joint, Scale

__all__ = ["MISSING_WORDS", "grading_of", "pairs"]

MISSING_WORDS = frozenset({"", "-", "na", "n/a", "missing"})
"""What people write where a joint was not read."""


def pairs(words: Iterable[str]) -> dict[Joint, str]:
    """Split words such as `Radius=9` into joint and what was read of it.

    Raises:
        GradeError: if a word has no joint before an equals sign, the joint is unknown, or it stands twice.
    """
    found: dict[Joint, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise GradeError(f"a joint is written as JOINT=GRADE, such as Radius=9, got {word!r}; correct it")
        joint = joint_named(name)
        if joint in found:
            raise GradeError(f"the joint {joint} stands twice, got {word!r} again; give it once")
        found[joint] = text
    return found


def grading_of(written: Mapping[Joint, str]) -> Grading:
    """Read a hand: numbers are RUS-CHN grades, letters stages; `-`, `missing` or nothing is a missing joint.

    Raises:
        GradeError: if something else is written, grades and stages stand in one hand, or a step does not exist.
    """
    present = {joint: text.strip() for joint, text in written.items() if text.strip().casefold() not in MISSING_WORDS}
    read = {joint: _read(joint, text) for joint, text in present.items()}
    scales = {scale for scale, _ in read.values()}
    if len(scales) > 1:
        examples = " and ".join(f"{joint}={text}" for joint, text in _one_of_each(present, read))
        raise GradeError(f"grades and stages in one hand, got {examples}; write all joints as grades or all as stages")
    steps = {joint: step for joint, (_, step) in read.items()}
    return Grading(steps, scale=scales.pop() if scales else Scale.GRADES)


def _read(joint: Joint, text: str) -> tuple[Scale, int]:
    """Read one joint's grade or stage; 9.0, which spreadsheets write, is 9."""
    if len(text) == 1 and text.upper() in STAGES:
        return Scale.STAGES, STAGES.index(text.upper())
    whole = text.removesuffix(".0")
    if whole.removeprefix("-").isascii() and whole.removeprefix("-").isdigit() and len(whole) <= 9:
        return Scale.GRADES, int(whole)
    raise GradeError(f"{joint} takes a grade (a whole number), a stage (A to I) or -, got {text!r}; correct it")


def _one_of_each(present: Mapping[Joint, str], read: Mapping[Joint, tuple[Scale, int]]) -> Iterable[tuple[Joint, str]]:
    """Name a joint of either scale."""
    for scale in Scale:
        yield next((joint, text) for joint, text in present.items() if read[joint][0] is scale)
