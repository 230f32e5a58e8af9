"""What a method says of a hand: points by joint, total, age, and how sure each is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capitate.methods.ages import Age
from capitate.methods.distribution import Distribution
from capitate.methods.joints import Joint, Scale
from capitate.methods.tables import Method
from capitate.types import Finding, Sex

__all__ = ["JointScore", "JointStatus", "Score", "ScoreInterval"]


class JointStatus(StrEnum):
    """How a joint entered the total."""

    GRADED = "graded"
    """With one grade."""
    PROBABLE = "probable"
    """With probabilities of grades."""
    MISSING = "missing"
    """Without a grade: with points in proportion to the other joints."""


@dataclass(frozen=True)
class JointScore:
    """One joint of the total.

    Attributes:
        joint: which joint.
        status: see `JointStatus`.
        step: its grade, or the index of its stage; the median of probabilities, None if missing.
        probability: probability of that step; 1 if graded, None if missing.
        points: its points; of probabilities those of the median step; of a missing joint in proportion to the others.
        possible: least and greatest step that a missing joint may have; None otherwise.
    """

    joint: Joint
    status: JointStatus
    step: int | None
    probability: float | None
    points: float
    possible: tuple[int, int] | None = None


@dataclass(frozen=True)
class ScoreInterval:
    """Interval of the total and of the age.

    It holds what the probabilities of grades and missing joints leave open, not how readers differ or how children of
    one maturity differ in age.

    Attributes:
        low_total: lower end, points.
        high_total: upper end, points.
        low: lower end of the age.
        high: upper end of the age.
        level: probability that the total lies inside, as far as the grades' probabilities are right.
    """

    low_total: float
    high_total: float
    low: Age
    high: Age
    level: float


@dataclass(frozen=True)
class Score:
    """A hand's result by one method.

    Attributes:
        method: the method.
        name: its name as reports write it.
        population: the children that its ages come from.
        sex: female or male.
        scale: what the steps of `joints` are.
        joints: all 13, in the order of `Joint`.
        total: sum of the points of its joints.
        age: age of the total.
        interval: see `ScoreInterval`; both ends are `age` where every joint has one grade.
        totals: distribution of the total, missing joints filled in proportion.
        findings: remarks: joints that are missing, stages that were told from grades.
    """

    method: Method
    name: str
    population: str
    sex: Sex
    scale: Scale
    joints: tuple[JointScore, ...]
    total: float
    age: Age
    interval: ScoreInterval
    totals: Distribution
    findings: tuple[Finding, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every joint has one grade, so that the total is a point."""
        return all(joint.status is JointStatus.GRADED for joint in self.joints)
