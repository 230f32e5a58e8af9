"""Whether grades are worth anything where nobody graded: RUS-CHN ages against bone ages, and grades against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from capitate.evaluation.bootstrap import Estimate, drawn_counts, estimate_sums, with_interval
from capitate.evaluation.grades.predictions import GradePredictions
from capitate.methods import Grading, Joint, Method, score
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES, category_of

__all__ = ["BAND_MONTHS", "HANDS", "HandAge", "grade_correlations", "hand_ages", "hand_figures"]

HANDS = "hands.csv"
BAND_MONTHS = 24
"""Width of the bands of bone age in which bias is told."""
_MONTHS = 12
_RESAMPLES = 500


@dataclass(frozen=True)
class HandAge:
    """A hand's age by the grades that were predicted for it, beside its bone age.

    Attributes:
        hand: id.
        sex: `female` or `male`.
        bone_age_months: as the data have it.
        rus_months: RUS-CHN age.
        low: lower end of its interval, months.
        high: upper end.
        total: points of the grades, summed.
        median_total: median points.
        low_total: lower end of the points' interval, joints taken as independent.
        high_total: upper end.
        joints: how many of the 13 were graded.
    """

    hand: str
    sex: str
    bone_age_months: float
    rus_months: float
    low: float
    high: float
    total: float
    median_total: float
    low_total: float
    high_total: float
    joints: int


def hand_ages(found: GradePredictions, *, sexes: Mapping[str, str], ages: Mapping[str, float]) -> Iterator[HandAge]:
    """Score every hand whose sex and bone age are known.

    Args:
        found: predictions of crops of whole joints, one of each joint and hand.
        sexes: by hand.
        ages: bone ages by hand, months.
    """
    for hand in np.unique(found.hands).tolist():
        rows = np.flatnonzero(found.hands == hand)
        readings = {
            Joint(str(found.joints[row])): _probabilities(found, int(row))
            for row in rows
            if str(found.joints[row]) in set(Joint)
        }
        if not readings or hand not in ages:
            continue
        result = score(Grading(readings), sex=sexes[hand], method=Method.RUS_CHN)
        interval = result.interval
        yield HandAge(
            hand,
            sexes[hand],
            ages[hand],
            result.age.years * _MONTHS,
            interval.low.years * _MONTHS,
            interval.high.years * _MONTHS,
            result.total,
            result.totals.quantile(0.5),
            interval.low_total,
            interval.high_total,
            len(readings),
        )


def _probabilities(found: GradePredictions, row: int) -> tuple[float, ...]:
    count = CATEGORIES[category_of(str(found.joints[row]))] + 1
    shares = found.probabilities[row, :count]
    return tuple((shares / shares.sum()).tolist())


def hand_figures(hands: list[HandAge]) -> dict[str, Any]:
    """Give error, bias and coverage of RUS-CHN ages against bone ages: over all, by sex, by band and by both."""
    groups = {
        "all": hands,
        **{sex: [one for one in hands if one.sex == sex] for sex in ("female", "male")},
        **_banded(hands, ""),
        **_banded([one for one in hands if one.sex == "female"], "female "),
        **_banded([one for one in hands if one.sex == "male"], "male "),
    }
    return {name: {"n": len(some), **_figures(some)} for name, some in groups.items() if some}


def _banded(hands: list[HandAge], prefix: str) -> dict[str, list[HandAge]]:
    bands: dict[int, list[HandAge]] = {}
    for one in hands:
        bands.setdefault(int(one.bone_age_months // BAND_MONTHS), []).append(one)
    return {f"{prefix}{k * BAND_MONTHS} to {(k + 1) * BAND_MONTHS}": bands[k] for k in sorted(bands)}


def _figures(hands: list[HandAge]) -> dict[str, Any]:
    off = np.array([one.rus_months - one.bone_age_months for one in hands])
    inside = np.array([one.low <= one.bone_age_months <= one.high for one in hands], dtype=float)
    sums = np.stack([np.ones_like(off), np.abs(off), off, inside], axis=1)
    found = estimate_sums(
        sums,
        np.arange(off.size),
        lambda s: {"mae": s[:, 1] / s[:, 0], "bias": s[:, 2] / s[:, 0], "coverage": s[:, 3] / s[:, 0]},
    )
    return {name: one.to_json() for name, one in found.items()}


def grade_correlations(
    found: GradePredictions, *, sexes: Mapping[str, str], ages: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Give Spearman's rank correlation of each joint's mean grade with bone age, by joint and sex, with intervals."""
    expected = found.probabilities @ np.arange(MOST_GRADES + 1)
    sex = np.array([sexes.get(str(hand), "") for hand in found.hands])
    age = np.array([ages.get(str(hand), np.nan) for hand in found.hands])
    correlations: dict[str, dict[str, Any]] = {}
    for joint in np.unique(found.joints).tolist():
        correlations[joint] = {}
        for one in ("female", "male"):
            here = (found.joints == joint) & (sex == one) & np.isfinite(age)
            if here.sum() > 2:
                correlations[joint][one] = _rank_correlation(expected[here], age[here]).to_json()
    return correlations


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> Estimate:
    """Correlate ranks; resamples keep the ranks of the whole, which moves the interval by less than its third digit."""
    x, y = (rankdata(one) - (first.size + 1) / 2 for one in (first, second))
    moments = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    drawn = []
    for times in drawn_counts(first.size, resamples=_RESAMPLES):
        n, sx, sy, sxx, syy, sxy = (times @ moments).T
        spread = (n * sxx - sx**2) * (n * syy - sy**2)
        drawn.append(np.where(spread > 0, (n * sxy - sx * sy) / np.sqrt(np.where(spread > 0, spread, 1.0)), np.nan))
    return with_interval(float(spearmanr(first, second).statistic), np.concatenate(drawn))
