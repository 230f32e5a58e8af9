"""How well a probability tells yes from no: the ROC curve, its area, a threshold, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.evaluation.bootstrap import RESAMPLES, Estimate, drawn_counts, estimate_sums, with_interval

__all__ = ["Choice", "RocCurve", "at_threshold", "auc", "auc_interval", "choose_threshold", "roc_curve"]

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]


class Choice(StrEnum):
    """What a threshold is chosen for: sensitivity + specificity - 1, or at least a stated one of the two."""

    YOUDEN = "youden"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Points of the curve, from none called positive to all.

    Attributes:
        thresholds: (points,), falling; a score counts as positive from it on. The first is infinite.
        sensitivity: (points,).
        specificity: (points,).
    """

    thresholds: Floats
    sensitivity: Floats
    specificity: Floats


def roc_curve(scores: Floats, labels: Labels) -> RocCurve:
    """Make the curve of scores (n,) for labels (n,), a point a distinct score.

    Raises:
        UsageError: if labels of one kind are missing.
    """
    positives, negatives = _both(labels)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), scores.size - 1)
    hits = np.cumsum(labels[order])[ends]
    false = ends + 1 - hits
    return RocCurve(
        np.concatenate([[np.inf], scores[order][ends]]),
        np.concatenate([[0.0], hits / positives]),
        np.concatenate([[1.0], 1 - false / negatives]),
    )


def auc(scores: Floats, labels: Labels) -> float:
    """Give the area under the curve: the chance that a positive scores higher than a negative, ties counting half.

    NaN if labels of one kind are missing.
    """
    return float(_areas(scores, labels, np.ones((1, scores.size)))[0])


def auc_interval(
    scores: Floats, labels: Labels, cluster: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Estimate the area with a bootstrap interval.

    Args:
        scores: (n,).
        labels: (n,).
        cluster: number of the patient, source or study of each, (n,).
        resamples: by cluster.
        seed: of the resampling.
    """
    if not scores.size:
        return Estimate(float("nan"))
    names, cluster = np.unique(cluster, return_inverse=True)
    at_once = max(1, 4_000_000 * len(names) // scores.size)
    counts = drawn_counts(len(names), resamples=resamples, seed=seed, at_once=at_once)
    drawn = np.concatenate([_areas(scores, labels, times[:, cluster]) for times in counts])
    return with_interval(auc(scores, labels), drawn)


def _areas(scores: Floats, labels: Labels, weights: Floats) -> Floats:
    """Give the area for each row of weights (resamples, n)."""
    order = np.argsort(scores, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(scores[order])) + 1])
    yes, no = (
        np.add.reduceat(weights[:, order] * kind[order], starts, axis=1) for kind in (labels, ~labels.astype(np.bool_))
    )
    below = np.cumsum(no, axis=1) - no
    with np.errstate(divide="ignore", invalid="ignore"):
        areas: Floats = (yes * (below + no / 2)).sum(axis=1) / (yes.sum(axis=1) * no.sum(axis=1))
    return areas


def choose_threshold(scores: Floats, labels: Labels, *, choice: Choice, least: float = 0.9) -> float:
    """Choose a threshold, half-way between two scores; of equally good ones the highest.

    Args:
        scores: (n,), probabilities.
        labels: (n,).
        choice: see `Choice`.
        least: of the sensitivity or specificity that is asked for; the other is made as large as it can be.

    Raises:
        UsageError: if labels of one kind are missing.
    """
    curve = roc_curve(scores, labels)
    wanted, other = curve.sensitivity, curve.specificity
    if choice is Choice.YOUDEN:
        best = int(np.argmax(np.round(wanted + other, 12)))
    elif choice is Choice.SENSITIVITY:
        best = int(np.argmax(np.where(wanted >= least - 1e-12, other, -1)))
    else:
        best = int(np.argmax(np.where(other >= least - 1e-12, wanted, -1)))
    above = curve.thresholds[best]
    if not np.isfinite(above):  # nothing is called positive
        return float(min(1.0, np.nextafter(scores.max(), np.inf)))
    below = curve.thresholds[best + 1] if best + 1 < curve.thresholds.size else 0.0
    return float((above + below) / 2)


def at_threshold(
    scores: Floats,
    labels: Labels,
    cluster: NDArray[np.int64],
    *,
    threshold: float,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Estimate `sensitivity`, `specificity`, `precision` and the share `called` positive at a threshold.

    Args:
        scores: (n,); positive from the threshold on.
        labels: (n,).
        cluster: number of the patient, source or study of each, (n,).
        threshold: chosen elsewhere.
        resamples: by cluster.
        seed: of the resampling.
    """
    yes, called = labels.astype(np.bool_), scores >= threshold
    columns = [np.ones(scores.size), yes, yes & called, ~yes, ~yes & ~called, called]
    sums = np.stack(columns, axis=1).astype(np.float64)
    return estimate_sums(sums, cluster, _rates, resamples=resamples, seed=seed)


def _rates(sums: Floats) -> Mapping[str, Floats]:
    n, yes, hits, no, right, called = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "sensitivity": hits / yes,
            "specificity": right / no,
            "precision": hits / called,
            "called": called / n,
        }


def _both(labels: Labels) -> tuple[int, int]:
    positives = int(labels.sum())
    negatives = labels.size - positives
    if not positives or not negatives:
        raise UsageError(
            f"a ROC curve needs labels of both kinds, got {positives} positive and {negatives} negative; give more "
            "studies, or a larger validation.share"
        )
    return positives, negatives
