"""How measures run with bone age and sex: medians by age band, and rank correlations, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from capitate.evaluation.bootstrap import RESAMPLES, Estimate, drawn_counts, estimate_sums, with_interval
from capitate.evaluation.measured_films import MeasuredHand
from capitate.hand import Joint
from capitate.types import Sex

__all__ = ["BAND_MONTHS", "CARPAL_MEASURES", "JOINT_MEASURES", "Series", "figures", "rank_correlation", "series"]

Floats = NDArray[np.float64]

BAND_MONTHS = 24
"""Width of an age band: 0 to 2 years, 2 to 4 years, and so on."""
JOINT_MEASURES = ("width_ratio", "gap", "gap_depth", "fused")
CARPAL_MEASURES = ("count", "area_of_hand")
_LEAST = 8
"""Fewest hands of which a median or a correlation is told."""


@dataclass(frozen=True, eq=False)
class Series:
    """One measure of one joint, or of the carpus, over the hands of one sex.

    Attributes:
        measure: its name.
        joint: None for the carpus.
        sex: of the children.
        months: bone ages, (n,).
        values: (n,).
    """

    measure: str
    joint: Joint | None
    sex: Sex
    months: Floats
    values: Floats


def series(hands: Iterable[MeasuredHand]) -> list[Series]:
    """Gather the measures of hands whose bone age is known, by joint and sex; measures not taken are left out."""
    found: dict[tuple[str, Joint | None, Sex], list[tuple[float, float]]] = {}
    for hand in hands:
        if hand.months is None:
            continue
        for joint, measures in hand.joints.items():
            for name in JOINT_MEASURES:
                value = getattr(measures, name)
                if value is not None:
                    found.setdefault((name, joint, hand.sex), []).append((hand.months, float(value)))
        if hand.carpals is not None:
            for name in CARPAL_MEASURES:
                place = found.setdefault((name, None, hand.sex), [])
                place.append((hand.months, float(getattr(hand.carpals, name))))
    order = {joint: k for k, joint in enumerate((None, *Joint))}
    names = (*JOINT_MEASURES, *CARPAL_MEASURES)
    keys = sorted(found, key=lambda key: (names.index(key[0]), order[key[1]], key[2]))
    return [Series(*key, *np.array(found[key], dtype=np.float64).T) for key in keys]


def figures(gathered: Sequence[Series], *, resamples: int = RESAMPLES, seed: int = 0) -> list[dict[str, Any]]:
    """Take the figures of each series: number, rank correlation with bone age, and the median by age band.

    Of `fused`, which is yes or no, the share of joints that are takes the place of the median.

    Args:
        gathered: of `series`.
        resamples: of the bootstrap, over hands.
        seed: of the resampling.
    """
    made = []
    for each in gathered:
        bands = []
        for start in range(0, 228, BAND_MONTHS):
            inside = each.values[(each.months >= start) & (each.months < start + BAND_MONTHS)]
            if len(inside) >= _LEAST:
                middle = _middle(inside, share=each.measure == "fused", resamples=resamples, seed=seed)
                bands.append({"from_months": start, "hands": len(inside), **middle.to_json()})
        correlation = rank_correlation(each.months, each.values, resamples=resamples, seed=seed)
        made.append(
            {
                "measure": each.measure,
                "joint": None if each.joint is None else each.joint.value,
                "sex": each.sex.value,
                "hands": len(each.values),
                "rank_correlation": correlation.to_json(),
                "bands": bands,
            }
        )
    return made


def rank_correlation(x: Floats, y: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Estimate Spearman's correlation; the interval resamples the ranks of the whole sample.

    Args:
        x: (n,).
        y: (n,).
        resamples: of pairs.
        seed: of the resampling.

    Returns:
        NaN where fewer than eight pairs are given or one side never varies.
    """
    if len(x) < _LEAST:
        return Estimate(float("nan"))
    a, b = (rankdata(each) - (len(x) + 1) / 2 for each in (x, y))
    sums = np.stack([np.ones(len(x)), a, b, a**2, b**2, a * b], axis=1)
    return estimate_sums(sums, np.arange(len(x)), _spearman, resamples=resamples, seed=seed)["rank_correlation"]


def _spearman(sums: Floats) -> Mapping[str, Floats]:
    n, a, b, a2, b2, ab = sums.T
    spread = np.sqrt(np.maximum(n * a2 - a**2, 0) * np.maximum(n * b2 - b**2, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"rank_correlation": np.where(spread > 1e-9, (n * ab - a * b) / spread, np.nan)}


def _middle(values: Floats, *, share: bool, resamples: int, seed: int) -> Estimate:
    """Estimate the mean of a yes or no, or the median of a number."""
    if share:
        drawn = [times @ values / len(values) for times in drawn_counts(len(values), resamples=resamples, seed=seed)]
        return with_interval(float(values.mean()), np.concatenate(drawn))
    order = np.sort(values)
    medians = []
    for times in drawn_counts(len(values), resamples=resamples, seed=seed):
        before = np.cumsum(times, axis=1)
        low = (before > (len(values) - 1) // 2).argmax(axis=1)
        high = (before > len(values) // 2).argmax(axis=1)
        medians.append((order[low] + order[high]) / 2)
    return with_interval(float(np.median(values)), np.concatenate(medians))
