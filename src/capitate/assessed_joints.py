"""What an assessment says of single joints and carpal bones; the machine's reading stays beside a person's."""

from __future__ import annotations

from dataclasses import dataclass

from capitate.types import Box

__all__ = ["AssessedJoint", "Carpals", "Epiphysis", "GradeReading", "Polygon"]

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) of an outline in film pixels, three or more; the last is joined to the first."""


@dataclass(frozen=True)
class GradeReading:
    """RUS-CHN grade of one joint.

    Attributes:
        value: the grade that counts: a person's where one corrected it, otherwise the machine's median.
        probabilities: the machine's, of grades 0 (not yet visible), 1, ... N, sum 1; None if no machine graded.
        confidence: the machine's probability of `machine_value`; None if no machine graded.
        machine_value: median of `probabilities`; None if no machine graded.
        corrected_by: who set `value`; None if it is the machine's.
        suggestion: whether the machine's grade is less sure than the model's card asks for, and nobody corrected it,
            so that a reader has to confirm it.
    """

    value: int | None
    probabilities: tuple[float, ...] | None
    confidence: float | None
    machine_value: int | None
    corrected_by: str | None
    suggestion: bool


@dataclass(frozen=True)
class Epiphysis:
    """Measures of an epiphysis from its outline; None where one cannot be taken.

    Attributes:
        present: whether an epiphysis is seen.
        width_ratio: width of the epiphysis over that of the metaphysis.
        gap: width of the growth plate over that of the metaphysis.
        fused: whether the growth plate is gone.
        outline: polygons around the epiphysis, film pixels; none where nothing was outlined.
    """

    present: bool | None
    width_ratio: float | None
    gap: float | None
    fused: bool | None
    outline: tuple[Polygon, ...] = ()


@dataclass(frozen=True)
class AssessedJoint:
    """One of the 21 joints.

    Attributes:
        name: as `capitate.hand.Joint` has it.
        box: film pixels, clipped to the film; None where the joint is missing.
        status: `found`, `uncertain` or `missing`.
        detection: the detector's score of the box, 0 to 1; None where the joint is missing.
        remark: why it is not simply found, sentences for a reader; None for one that was found.
        grade: of the 13 joints of RUS-CHN; None for the others and where nobody graded it.
        score: RUS-CHN points of the grade that counts; None without a grade and where the sex is unknown.
        epiphysis: measures, None where nothing was outlined.
    """

    name: str
    box: Box | None
    status: str
    detection: float | None
    remark: str | None
    grade: GradeReading | None
    score: float | None
    epiphysis: Epiphysis | None


@dataclass(frozen=True)
class Carpals:
    """Carpal bones.

    Attributes:
        count: bones that are seen.
        area_of_hand: their area in squares of the hand's length, which `capitate.hand.measures` takes from the middle
            of radius and ulna to the third finger's distal joint; None where it cannot be measured.
        outlines: a polygon around each, film pixels.
        names: of each outline's bone, `capitate`, `hamate`, or None where its place does not settle it.
    """

    count: int
    area_of_hand: float | None
    outlines: tuple[Polygon, ...] = ()
    names: tuple[str | None, ...] = ()
