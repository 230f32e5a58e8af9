"""What was read from a hand: a grade, grade probabilities or nothing for each of the 13 joints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType

import numpy as np

from capitate.errors import GradeError
from capitate.methods.joints import STAGES, Joint, Scale, step_count, step_name

__all__ = ["Grading", "Reading", "joint_named"]

Reading = int | tuple[float, ...]
"""A grade (the index of a stage), or the probabilities of grades 0, 1, ... N (stages A, B, ...)."""

_SUM_TOLERANCE = 1e-3
"""Probabilities written with four decimals sum to 1 within this; they are then divided by their sum."""


def joint_named(name: str) -> Joint:
    """Return the joint of this name, in capitals or not.

    Raises:
        GradeError: if it is none of the 13.
    """
    known = {joint.casefold(): joint for joint in Joint}
    wanted = name.strip().casefold()
    if wanted in known:
        return known[wanted]
    ray = " (the second and fourth ray are not scored)" if wanted.endswith(("second", "fourth")) else ""
    raise GradeError(f"no such joint, got {name!r}{ray}; the 13 joints are {', '.join(Joint)}")


@dataclass(frozen=True)
class Grading:
    """The readings of one hand. A joint that is not in it is missing.

    Attributes:
        readings: grade or probabilities by joint; at least one joint. Names may be given as text.
        scale: grades of RUS-CHN, or stages.

    Raises:
        GradeError: if no joint was read, a joint is unknown, a grade does not exist, or probabilities are none.
    """

    readings: Mapping[Joint, Reading]
    scale: Scale = Scale.GRADES

    def __post_init__(self) -> None:
        checked: dict[Joint, Reading] = {}
        for name, reading in self.readings.items():
            joint = joint_named(name)
            if joint in checked:
                raise GradeError(f"the joint {joint} stands twice, got {name!r} again; give it once")
            checked[joint] = _checked(joint, reading, scale=self.scale)
        if not checked:
            raise GradeError("no joint was graded, got 0 grades; give at least one, such as Radius=9")
        ordered = {joint: checked[joint] for joint in Joint if joint in checked}
        object.__setattr__(self, "readings", MappingProxyType(ordered))

    @property
    def missing(self) -> tuple[Joint, ...]:
        """Joints without a reading, in their order."""
        return tuple(joint for joint in Joint if joint not in self.readings)

    def probabilities(self, joint: Joint) -> tuple[float, ...]:
        """Return a read joint's probabilities of grades 0, 1, ... N; a grade has probability 1."""
        reading = self.readings[joint]
        if isinstance(reading, tuple):
            return reading
        return tuple(float(step == reading) for step in range(step_count(joint, scale=self.scale) + 1))


def _checked(joint: Joint, reading: object, *, scale: Scale) -> Reading:
    """Return a reading that the joint can have."""
    if isinstance(reading, Sequence | np.ndarray) and not isinstance(reading, str):
        return _checked_probabilities(joint, list(reading), scale=scale)
    last = step_count(joint, scale=scale)
    allowed = f"{step_name(0, scale=scale)} (not yet visible) to {step_name(last, scale=scale)}"
    if isinstance(reading, bool) or not isinstance(reading, Integral):
        raise GradeError(
            f"{joint} takes a whole number or probabilities, got {reading!r}; give one of its {scale}, {allowed}"
        )
    step = int(reading)
    if not 0 <= step <= last:
        got = STAGES[step] if scale is Scale.STAGES and 0 <= step < len(STAGES) else step
        raise GradeError(
            f"{joint} has no such {scale.removesuffix('s')}, got {got}; give one of its {scale}, {allowed}"
        )
    return step


def _checked_probabilities(joint: Joint, values: Sequence[object], *, scale: Scale) -> tuple[float, ...]:
    """Return probabilities of every step of a joint, which sum to 1."""
    wanted = step_count(joint, scale=scale) + 1
    if len(values) != wanted:
        first, last = step_name(0, scale=scale), step_name(wanted - 1, scale=scale)
        raise GradeError(f"{joint} needs {wanted} probabilities, of {scale} {first} to {last}, got {len(values)}")
    shares = [float(value) if isinstance(value, Real) else math.nan for value in values]
    total = math.fsum(shares)
    if not all(share >= 0 for share in shares) or not abs(total - 1) <= _SUM_TOLERANCE:
        raise GradeError(f"probabilities of {joint} must be 0 or more and sum to 1, got {list(values)!r}; correct them")
    return tuple(share / total for share in shares)
