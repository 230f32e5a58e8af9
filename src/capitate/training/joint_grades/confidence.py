"""What a released grader says of itself: from which confidence on a grade stands, and how wide an age's interval is.

Both are chosen on hands that runs of the same recipe held out, and the coverage that is reported is cross-fitted: each
fold's intervals are widened by what the other folds need.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import clusters_of, estimate_sums
from capitate.evaluation.grades.predictions import PREDICTIONS, GradePredictions
from capitate.methods import INTERVAL_LEVEL, Method, age_curve
from capitate.training.joint_grades.hand_ages import BAND_MONTHS, HANDS, HandAge, hand_ages
from capitate.types import Sex

__all__ = ["GraderConfidence", "confidence_of", "widening_needed"]

_WITHIN_ONE = 0.95
"""Share of the grades that stand without confirmation which lie within one of the grade that the hand's age implies."""
_TOTALS = np.arange(0.0, 1001.0)


@dataclass(frozen=True)
class GraderConfidence:
    """What the card states.

    Attributes:
        confirm_below: confidence below which a grade is a suggestion.
        interval_widening: factor on the intervals of totals and ages, see `capitate.methods.score`.
        figures: for the card.
    """

    confirm_below: float
    interval_widening: float
    figures: tuple[Mapping[str, Any], ...]


def confidence_of(folders: Sequence[Path]) -> GraderConfidence:
    """Choose both on the hands that runs held out.

    Args:
        folders: runs of one recipe, each of another fold, on crops of hands of known sex and bone age.
    """
    found = [GradePredictions.load([folder / PREDICTIONS]) for folder in folders]
    hands = [_hands(one, folder) for one, folder in zip(found, folders, strict=True)]
    needed = [np.array([widening_needed(one) for one in some]) for some in hands]
    chosen = _widening(np.concatenate(needed))
    inside = []
    for fold, own in enumerate(needed):
        others = [one for k, one in enumerate(needed) if k != fold] or [own]
        inside.append(own <= _widening(np.concatenate(others)))
    every = [one for some in hands for one in some]
    figures = _coverage(every, np.concatenate(inside).astype(float), folds=len(folders))
    return GraderConfidence(_confirm_below(found), round(chosen, 3), tuple(figures))


def widening_needed(hand: HandAge) -> float:
    """Give the least widening with which a hand's interval holds its bone age; at least 1."""
    true = float(np.interp(hand.bone_age_months / 12, _years(Sex(hand.sex)), _TOTALS))
    half = hand.median_total - hand.low_total if true < hand.median_total else hand.high_total - hand.median_total
    return max(1.0, abs(true - hand.median_total) / max(half, 1.0))


@cache
def _years(sex: Sex) -> NDArray[np.float64]:
    """Give the RUS-CHN age of every total, years."""
    curve = age_curve(Method.RUS_CHN, sex)
    return np.array([curve.read(total).years for total in _TOTALS])


def _widening(needed: NDArray[np.float64]) -> float:
    """Give the widening with which the wanted share of hands is covered (the split-conformal quantile)."""
    rank = int(np.ceil((needed.size + 1) * INTERVAL_LEVEL))
    return float(np.sort(needed)[min(rank, needed.size) - 1])


def _hands(found: GradePredictions, folder: Path) -> list[HandAge]:
    """Score a run's hands anew, with sex and bone age from its `hands.csv`."""
    with (folder / HANDS).open(encoding="utf8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    sexes = {row["hand"]: row["sex"] for row in rows}
    ages = {row["hand"]: float(row["bone_age_months"]) for row in rows}
    return list(hand_ages(found, sexes=sexes, ages=ages))


def _confirm_below(found: Sequence[GradePredictions]) -> float:
    """Find the least confidence from which on grades lie within one of what the age implies often enough."""
    confidence = np.concatenate([one.probabilities[np.arange(one.ids.size), one.predicted] for one in found])
    near = np.concatenate([np.abs(one.predicted - one.grades) <= 1 for one in found])
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(near[order]) / np.arange(1, near.size + 1)
    good = np.flatnonzero(share >= _WITHIN_ONE)
    return round(float(confidence[order[good[-1]]]), 3) if good.size else 1.0


def _coverage(hands: Sequence[HandAge], inside: NDArray[np.float64], *, folds: int) -> list[dict[str, Any]]:
    """Give the cross-fitted coverage over all hands and by band of bone age."""
    bands = np.array([int(one.bone_age_months // BAND_MONTHS) for one in hands])
    groups = {"all": np.ones(len(hands), dtype=bool)}
    groups |= {f"{k * BAND_MONTHS} to {(k + 1) * BAND_MONTHS} months": bands == k for k in np.unique(bands).tolist()}
    figures = []
    for name, here in groups.items():
        cluster = clusters_of([one.hand for one, kept in zip(hands, here, strict=True) if kept])
        sums = np.stack([np.ones(int(here.sum())), inside[here]], axis=1)
        estimate = estimate_sums(sums, cluster, lambda s: {"coverage": s[:, 1] / s[:, 0]})["coverage"]
        on = f"{int(here.sum())} hands held out in {folds} folds, the widening of each fold chosen on the others"
        figures.append({"name": f"bone ages inside the 90 % interval, {name}", **estimate.to_json(), "on": on})
    return figures
