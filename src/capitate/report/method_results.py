"""Totals and ages of an assessment's scoring methods, read from its `methods` for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from capitate.assessment import Assessment
from capitate.methods import Age, Grading, JointScore, Method, Reach, age_curve, score
from capitate.methods.tables import table
from capitate.types import Sex

__all__ = ["MethodResult", "counted", "method_results"]

_KEYS = {Method.RUS_CHN: "rus_chn", Method.TW3: "tw3"}


@dataclass(frozen=True)
class MethodResult:
    """What one method says of a hand, under one sex.

    Attributes:
        method: the method.
        sex: the sex whose points and ages were used.
        assumed: whether the sex is not known, and this holds only if it is that one.
        total: points.
        age: bone age.
        low_total, high_total: interval of the total, points; None where the assessment states none.
        low, high: interval of the age; None where the assessment states none.
        level: nominal coverage of the interval; None where there is none.
    """

    method: Method
    sex: Sex
    assumed: bool
    total: float
    age: Age
    low_total: float | None = None
    high_total: float | None = None
    low: Age | None = None
    high: Age | None = None
    level: float | None = None

    @property
    def is_point(self) -> bool:
        """Whether there is no interval, or one without extent, so that the total is a point."""
        return self.low_total is None or self.low_total == self.high_total

    @property
    def name(self) -> str:
        """The method's name as reports write it."""
        return str(table(self.method)["name"])

    @property
    def population(self) -> str:
        """The children that its ages come from."""
        return str(table(self.method)["population"])

    @property
    def from_grades(self) -> bool:
        """Whether the method's own stages were told from RUS-CHN grades; an assessment has no others."""
        return self.method is Method.TW3


def method_results(assessment: Assessment) -> tuple[MethodResult, ...]:
    """Return the methods' results: one a method where the sex is known, one a sex otherwise, none without grades."""
    return tuple(_results(assessment))


def _results(assessment: Assessment) -> Iterator[MethodResult]:
    for method, key in _KEYS.items():
        stated = (assessment.methods or {}).get(key)
        if stated is None:
            continue
        by_sex, sex = stated.get("by_sex"), assessment.subject.sex
        if by_sex:
            yield from (_result(method, one, by_sex[one], assumed=True) for one in (Sex.FEMALE, Sex.MALE))
        elif stated.get("total") is not None and sex is not Sex.UNKNOWN:
            yield _result(method, sex, stated, assumed=False)


def _result(method: Method, sex: Sex, stated: Mapping[str, Any], *, assumed: bool) -> MethodResult:
    result = MethodResult(
        method=method,
        sex=sex,
        assumed=assumed,
        total=float(stated["total"]),
        age=_stated_age(stated, method=method, sex=sex),
    )
    interval = stated.get("interval")
    if interval is None:
        return result
    low, high = (_age_at(float(interval[end]) / 12, method=method, sex=sex) for end in ("low", "high"))
    return replace(
        result,
        low_total=float(interval["low_total"]),
        high_total=float(interval["high_total"]),
        low=low,
        high=high,
        level=float(interval["level"]),
    )


def _stated_age(stated: Mapping[str, Any], *, method: Method, sex: Sex) -> Age:
    """Return the age with the reach that the assessment states; told from the method's table where it states none."""
    years = float(stated["age_years"])
    if stated.get("reach") is None:
        return _age_at(years, method=method, sex=sex)
    limit = stated.get("limit_years")
    return Age(years, Reach(stated["reach"]), None if limit is None else float(limit), int(table(method)["decimals"]))


def _age_at(years: float, *, method: Method, sex: Sex) -> Age:
    """Return an age with how far the method reaches there, told from the years alone; to a hundredth of a month."""
    curve, near = age_curve(method, sex), 0.01 / 12
    first, last = curve.years[0], curve.years[-1]
    if years <= first + near:
        return Age(first, Reach.BELOW_TABLE, first, curve.decimals)
    if years >= last - near:
        return Age(last, Reach.MATURE, last, curve.decimals)
    limit = None if curve.least_all_visible is None else curve.years_at(curve.least_all_visible)
    if limit is not None and years < limit - near:
        return Age(years, Reach.EARLY, limit, curve.decimals)
    return Age(years, Reach.WITHIN, None, curve.decimals)


def counted(assessment: Assessment) -> Mapping[str, JointScore]:
    """Return how RUS-CHN counts each of the 13 joints that has no grade, by name.

    What a joint may add follows from the grades of the others by `capitate.methods.missing`. Empty where the sex is
    unknown, since points are by sex, and where no joint has a grade.
    """
    from capitate.assessor.scores import readings  # brings the runtime, which other reports do not need

    graded = readings(assessment.joints or ())
    if not graded or assessment.subject.sex is Sex.UNKNOWN:
        return {}
    found = score(Grading(graded), sex=assessment.subject.sex)
    return {one.joint.value: one for one in found.joints if one.possible is not None}
