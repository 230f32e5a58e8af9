"""From a total to an age: published medians in straight lines, and a published formula between two scores of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property

import numpy as np

from capitate.methods.tables import Method, table
from capitate.types import Sex

__all__ = ["Age", "AgeCurve", "Reach", "age_curve"]

_TOP = 1000
_TINY = 1e-9


class Reach(StrEnum):
    """Where an age lies in the range for which a method gives ages."""

    BELOW_TABLE = "below_table"
    """Below the first tabulated age: `years` is that age, an upper bound."""
    EARLY = "early"
    """So few points that some epiphysis is not yet visible: `years` comes from few medians; `limit` is sure."""
    WITHIN = "within"
    """Inside the range."""
    MATURE = "mature"
    """All points: `years` is the last tabulated age, a lower bound."""


@dataclass(frozen=True)
class Age:
    """A bone age.

    Attributes:
        years: the age; a bound where `reach` says so.
        reach: see `Reach`.
        limit: years that the age is surely below (below_table, early) or not below (mature); None inside the range.
        decimals: decimals of a year that the method states.
    """

    years: float
    reach: Reach
    limit: float | None
    decimals: int


@dataclass(frozen=True)
class AgeCurve:
    """Age by total of one method and sex; rises everywhere.

    Attributes:
        scores: totals at which ages are tabulated, rising.
        years: those ages.
        formula: coefficients of the powers 0, 1, ... of the total, years; empty where a method has no formula.
        formula_range: first and last total for which the formula holds; medians between them are not used.
        least_all_visible: least total of a hand without grade 0, below which ages are `Reach.EARLY`; None if the
            method makes no difference.
        decimals: decimals of a year that the method states.
    """

    scores: tuple[float, ...]
    years: tuple[float, ...]
    formula: tuple[float, ...] = ()
    formula_range: tuple[float, float] | None = None
    least_all_visible: float | None = None
    decimals: int = 1

    def by_formula(self, total: float) -> float:
        """Return the age in years by the formula alone, whether or not it holds at this total."""
        return float(np.polynomial.polynomial.polyval(total, self.formula))

    def years_at(self, total: float) -> float:
        """Return the age in years: the first or last tabulated one beyond the table."""
        if self.formula_range is None:
            return float(np.interp(total, self.scores, self.years))
        low, high = self.formula_range
        if low <= total <= high:
            return self.by_formula(total)
        return float(np.interp(total, *self._outside))

    @cached_property
    def _outside(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Totals and ages of the medians that the formula leaves, and of the formula's own ends."""
        low, high = self.formula_range or (math.inf, -math.inf)
        pairs = zip(self.scores, self.years, strict=True)
        knots = [(score, age) for score, age in pairs if not low <= score <= high]
        knots = sorted([*knots, (low, self.by_formula(low)), (high, self.by_formula(high))])
        return tuple(score for score, _ in knots), tuple(age for _, age in knots)

    def read(self, total: float) -> Age:
        """Return the age and how far the method reaches there."""
        years = self.years_at(total)
        if total < self.scores[0]:
            return Age(years, Reach.BELOW_TABLE, years, self.decimals)
        if total >= _TOP - _TINY:
            return Age(years, Reach.MATURE, years, self.decimals)
        if self.least_all_visible is not None and total < self.least_all_visible:
            return Age(years, Reach.EARLY, self.years_at(self.least_all_visible), self.decimals)
        return Age(years, Reach.WITHIN, None, self.decimals)


@cache
def age_curve(method: Method, sex: Sex) -> AgeCurve:
    """Return the ages of a method for one sex. Sources and decisions: see the method's JSON file."""
    data = table(method)
    medians = data["medians"][sex.value]
    ranges, least = data.get("formula_range"), data.get("least_all_visible")
    return AgeCurve(
        scores=tuple(map(float, medians["scores"])),
        years=tuple(map(float, medians["years"])),
        formula=tuple(data["formula"][sex.value]) if ranges else (),
        formula_range=(float(ranges[sex.value][0]), float(ranges[sex.value][1])) if ranges else None,
        least_all_visible=float(least[sex.value]) if least else None,
        decimals=int(data["decimals"]),
    )
