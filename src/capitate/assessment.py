"""What goes out: one result type that reports, service, PACS and cohort share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from capitate.assessed_joints import AssessedJoint, Carpals
from capitate.types import Box, Finding, Interval, Sex, Side

__all__ = [
    "NOTICE",
    "SCHEMA",
    "Assessment",
    "BoneAge",
    "Distribution",
    "Hand",
    "ModelReference",
    "Quality",
    "Refusal",
    "SexBoneAge",
    "Source",
    "Subject",
]

SCHEMA = "capitate.assessment/1"
NOTICE = "Research software, not a medical device. Not for diagnosis or treatment decisions."


@dataclass(frozen=True)
class Source:
    """Which file the assessment is of: its name without folders, and the sha256 of its bytes (None if unreadable)."""

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Subject:
    """The child, as far as it matters.

    Attributes:
        sex: the sex that the models were given.
        sex_source: `given` (by the caller), `table`, `dicom` or `none`.
        chronological_age_months: given, or study date minus birth date; None if not known.
    """

    sex: Sex
    sex_source: str
    chronological_age_months: float | None = None


@dataclass(frozen=True)
class Hand:
    """Where the hand is on the film.

    Attributes:
        side: as the file states it; where it states none, as the joints lie.
        rotation_degrees: anticlockwise turn that would bring the fingers upright.
        box: the hand's box in film pixels.
        side_source: `file`, `joints`, or `none` where the side is unknown.
    """

    side: Side
    rotation_degrees: float
    box: Box
    side_source: str = "none"


@dataclass(frozen=True)
class Quality:
    """Whether the film was accepted, and everything that was remarked."""

    accepted: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Distribution:
    """Probability by bone age.

    Attributes:
        start_months: bone age at the centre of the first bin.
        step_months: distance of bin centres.
        probabilities: one a bin, sum 1.
    """

    start_months: float
    step_months: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class SexBoneAge:
    """Bone age under the assumption of one sex: point in months, text, maturity and interval."""

    months: float
    text: str
    mature: bool
    interval: Interval


@dataclass(frozen=True)
class BoneAge:
    """Bone age.

    Attributes:
        months: median of the distribution, months; the lower bound where the hand is mature.
        text: how a reader says it; `mature (at least ...)` when maturity is complete.
        standard: the standard that the age follows.
        mature: whether the hand is read as mature, so that the point is a lower bound only.
        interval: calibrated prediction interval.
        distribution: the model's own distribution.
        by_sex: ages under either sex; filled when the sex is unknown, otherwise None.
    """

    months: float
    text: str
    standard: str
    mature: bool
    interval: Interval
    distribution: Distribution
    by_sex: Mapping[Sex, SexBoneAge] | None = None


@dataclass(frozen=True)
class ModelReference:
    """Which weights answered."""

    name: str
    version: str
    sha256: str
    licence: str


@dataclass(frozen=True)
class Refusal:
    """Why a film was not assessed: a stable code and one sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Assessment:
    """One film's result. Parts that were not assessed are None, with a finding in `quality` that says why.

    `reference`, `marks`, `maps`, `methods`, `abnormality` and `adult_height` hold plain JSON values in the form that
    DESIGN and the published JSON Schema state. `joints` are all 21, in the order of `capitate.hand.Joint`.
    """

    source: Source
    subject: Subject
    quality: Quality
    hand: Hand | None = None
    bone_age: BoneAge | None = None
    reference: Mapping[str, Any] | None = None
    joints: tuple[AssessedJoint, ...] | None = None
    carpals: Carpals | None = None
    marks: tuple[Mapping[str, Any], ...] | None = None
    maps: Mapping[str, str | None] | None = None
    methods: Mapping[str, Any] | None = None
    abnormality: Mapping[str, Any] | None = None
    adult_height: Mapping[str, Any] | None = None
    models: tuple[ModelReference, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    notice: str = NOTICE
    error: Refusal | None = None

    @property
    def refused(self) -> bool:
        """Whether the film was refused."""
        return self.error is not None
