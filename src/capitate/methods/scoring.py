"""From a hand's grading to points, total and age: the same way for both methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from capitate.errors import GradeError, UsageError
from capitate.methods.ages import age_curve
from capitate.methods.distribution import Distribution, sum_of_points
from capitate.methods.grading import Grading, Reading
from capitate.methods.joints import Joint, Scale, step_count, step_name
from capitate.methods.missing import Gaps, gaps
from capitate.methods.result import JointScore, JointStatus, Score, ScoreInterval
from capitate.methods.tables import (
    Method,
    PointTable,
    known_sex,
    method_named,
    point_table,
    stage_of_grade,
    table,
)
from capitate.types import Finding, Severity, Sex

__all__ = ["INTERVAL_LEVEL", "score", "staged"]

INTERVAL_LEVEL = 0.9
"""Level of the interval if none is asked for; that of Capitate's bone-age models."""

_TINY = 1e-12
"""Rest of floating-point arithmetic below which half of the probability is reached."""
_TOP = 1000
"""Points of a hand whose 13 joints are all fused, by both methods."""

_SCALES = {Method.RUS_CHN: Scale.GRADES, Method.TW3: Scale.STAGES}


def score(
    grading: Grading,
    *,
    sex: Sex | str | None,
    method: Method | str = Method.RUS_CHN,
    level: float = INTERVAL_LEVEL,
    widening: float = 1.0,
) -> Score:
    """Score a hand.

    A joint with probabilities counts with the points of its median grade, so that the total is the sum of the grades
    that are shown; the interval comes from the distribution of the sum, which is exact for independent joints. What a
    missing joint may add is said in `capitate.methods.missing`: it widens the interval.

    Args:
        grading: grades or stages. TW3 takes both; RUS-CHN takes grades only, for they are finer.
        sex: female or male: points and ages are by sex.
        method: `rus-chn` or `tw3`.
        level: probability inside the interval, between 0 and 1.
        widening: factor on both halves of the interval. Errors of one hand's joints go together, so that their sum
            scatters more than that of independent ones; a grader's card states by how much, measured on hands.

    Raises:
        UsageError: if the sex is not known, the method does not exist, or level or widening is none.
        GradeError: if stages are given to RUS-CHN.
    """
    chosen, known = method_named(method), known_sex(sex)
    _check_interval(level, widening)
    read = _on_scale(grading, chosen)
    points = point_table(chosen, known)
    probabilities = {joint: read.probabilities(joint) for joint in read.readings}
    steps = {joint: _median_step(shares) for joint, shares in probabilities.items()}
    graded_points = {joint: float(points.points[joint][step]) for joint, step in steps.items()}
    open_joints = gaps(graded_points, table=points)
    graded = sum_of_points((points.points[joint], shares) for joint, shares in probabilities.items())
    totals = graded.mapped(open_joints.filled)
    curve = age_curve(chosen, known)
    total = round(open_joints.filled(sum(graded_points.values())), 9)
    return Score(
        method=chosen,
        name=table(chosen)["name"],
        population=table(chosen)["population"],
        sex=known,
        scale=_SCALES[chosen],
        joints=_joints(read, graded_points, steps=steps, gaps=open_joints),
        total=total,
        age=curve.read(total),
        interval=_interval(
            graded,
            open_joints,
            shown=sum(graded_points.values()),
            method=chosen,
            sex=known,
            level=level,
            widening=widening,
        ),
        totals=totals,
        findings=tuple(_findings(grading, open_joints, method=chosen, table=points)),
    )


def _check_interval(level: float, widening: float) -> None:
    """Refuse a level or a widening that is none."""
    if not 0 < level < 1:
        raise UsageError(f"the interval's level must lie between 0 and 1, got {level!r}; give 0.9 for 90 %")
    if not widening >= 1:
        raise UsageError(f"an interval is widened by 1 or more, got {widening!r}; give 1 for independent joints")


def staged(grading: Grading) -> Grading:
    """Turn RUS-CHN grades into TW3 stages; probabilities of grades that share a stage are added.

    The relation has a single source, see `capitate.methods.tables.stage_of_grade`.
    """
    if grading.scale is Scale.STAGES:
        return grading
    return Grading({joint: _stage(joint, reading) for joint, reading in grading.readings.items()}, scale=Scale.STAGES)


def _stage(joint: Joint, reading: Reading) -> Reading:
    """Turn one joint's reading into stages."""
    if isinstance(reading, int):
        return stage_of_grade(joint, reading)
    shares = [0.0] * (step_count(joint, scale=Scale.STAGES) + 1)
    for grade, probability in enumerate(reading):
        shares[stage_of_grade(joint, grade)] += probability
    return tuple(shares)


def _on_scale(grading: Grading, method: Method) -> Grading:
    """Return the grading on the scale of a method."""
    if method is Method.TW3:
        return staged(grading)
    if grading.scale is Scale.STAGES:
        raise GradeError("RUS-CHN is scored from its own grades, got stages; give grades, or choose the method tw3")
    return grading


def _median_step(shares: Sequence[float]) -> int:
    """Give the least step up to which half of the probability lies: the grade that is shown counts."""
    return int(np.searchsorted(np.cumsum(shares), 0.5 - _TINY))


def _joints(
    grading: Grading, points: Mapping[Joint, float], *, steps: Mapping[Joint, int], gaps: Gaps
) -> tuple[JointScore, ...]:
    """Say how each joint entered the total."""
    graded = sum(points.values())
    found = []
    for joint in Joint:
        if joint in gaps.steps:
            possible = gaps.steps[joint]
            found.append(
                JointScore(joint, JointStatus.MISSING, None, None, gaps.points(joint, graded), possible=possible)
            )
            continue
        shares, step = grading.probabilities(joint), steps[joint]
        status = JointStatus.PROBABLE if isinstance(grading.readings[joint], tuple) else JointStatus.GRADED
        found.append(JointScore(joint, status, step, shares[step], points[joint]))
    return tuple(found)


def _interval(
    graded: Distribution, open_joints: Gaps, *, shown: float, method: Method, sex: Sex, level: float, widening: float
) -> ScoreInterval:
    """Return the interval: the graded joints' quantiles, with the missing joints at either end of what they may add."""
    middle, least, most = graded.quantile(0.5), 0.0, float(_TOP)
    low = max(least, middle - widening * (middle - graded.quantile((1 - level) / 2)))
    high = min(most, middle + widening * (graded.quantile((1 + level) / 2) - middle))
    low_total, high_total = open_joints.least(min(low, shown)), min(most, open_joints.most(max(high, shown)))
    curve = age_curve(method, sex)
    return ScoreInterval(low_total, high_total, curve.read(low_total), curve.read(high_total), level)


def _findings(grading: Grading, open_joints: Gaps, *, method: Method, table: PointTable) -> list[Finding]:
    """Say what a reader has to know about how the total came about."""
    found = []
    if method is Method.TW3 and grading.scale is Scale.GRADES:
        message = "TW3 stages were told from RUS-CHN grades by a relation that has a single public source."
        found.append(Finding("stages_from_grades", Severity.INFO, message))
    for joint in open_joints.joints:
        least, most = open_joints.steps[joint]
        names = " to ".join(step_name(step, scale=_SCALES[method]) for step in (least, most))
        points = table.points[joint]
        message = (
            f"{joint} has no grade: its points are taken in proportion to the other joints, and the interval spans "
            f"{_SCALES[method]} {names} ({points[least]} to {points[most]} points)."
        )
        found.append(Finding("joint_missing", Severity.WARNING, message))
    return found
