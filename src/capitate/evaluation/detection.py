"""Figures of found boxes against labelled ones: average precision by class, distance of centres, right counts.

Average precision is that of COCO (Lin et al. 2014; the mean of the precision at 101 recalls, interpolated from the
right), at overlaps of 50 % and from 50 to 95 % in steps of 5. Intervals resample films. numpy alone: the known
implementations bring a compiler or a framework with them, and closed forms test this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from capitate.evaluation.metrics import LEVEL, Estimate

__all__ = ["FilmBoxes", "Matched", "average_precision", "detection_figures", "match_centres", "overlaps"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

OVERLAPS = np.arange(0.5, 0.951, 0.05)
_RECALLS = np.linspace(0, 1, 101)
_RESAMPLES = 400
_FAR = 0.25
"""Distance in hand lengths beyond which a found joint is no answer to a labelled one."""


@dataclass(frozen=True, eq=False)
class FilmBoxes:
    """Labelled and found joints of one film; boxes are centre x, y, width and height in one unit, scores fall.

    Attributes:
        id: of the film.
        truth_classes: int64 (t,).
        truth: (t, 4); sizes NaN where only a point is known.
        classes: int64 (k,).
        scores: (k,).
        boxes: (k, 4).
    """

    id: str
    truth_classes: Rows
    truth: Floats
    classes: Rows
    scores: Floats
    boxes: Floats

    @property
    def length(self) -> float:
        """Largest distance between two labelled centres, which stands for the length of the hand."""
        apart = self.truth[:, None, :2] - self.truth[None, :, :2]
        return float(np.hypot(apart[..., 0], apart[..., 1]).max()) if len(self.truth) else 0.0


@dataclass(frozen=True, eq=False)
class Matched:
    """Labelled joints of one film and the found ones that answer them.

    Attributes:
        found: int64 (t,), index of the found joint, -1 for none.
        distance: (t,), of its centre in hand lengths, NaN for none.
    """

    found: Rows
    distance: Floats


def detection_figures(
    films: Sequence[FilmBoxes], *, names: Sequence[str], threshold: float, seed: int = 0
) -> dict[str, Estimate]:
    """Take all figures over films.

    `map50` and `map50_95` over the classes whose sizes are labelled; `ap50 NAME` by class; `centre_error` and
    `centre_error NAME`, mean distance of a found joint's centre from the labelled one in per cent of the hand's length;
    `found`, share of labelled joints with an answer; `counts_right`, share of films in which every labelled class has
    as many joints as labelled.

    Args:
        films: with labels.
        names: of the classes.
        threshold: score from which on a joint counts as found; average precision takes all.
        seed: of the resampling.
    """
    drawn = np.random.default_rng(seed).multinomial(len(films), np.full(len(films), 1 / len(films)), _RESAMPLES)
    weights = np.vstack([np.ones(len(films)), drawn.astype(np.float64)])
    figures = _precisions(films, weights, names)
    matches = [match_centres(film, threshold=threshold) for film in films]
    per_film = np.zeros((len(films), len(names), 2))
    for row, (film, match) in enumerate(zip(films, matches, strict=True)):
        hit = match.found >= 0
        np.add.at(per_film[row, :, 0], film.truth_classes[hit], 100 * match.distance[hit])
        np.add.at(per_film[row, :, 1], film.truth_classes[hit], 1)
    labelled = np.array([len(film.truth) for film in films], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.einsum("rf,fcs->rcs", weights, per_film)
        figures["centre_error"] = _estimate(sums[..., 0].sum(1) / sums[..., 1].sum(1))
        figures["found"] = _estimate(sums[..., 1].sum(1) / (weights @ labelled))
        right = np.array([_counts_right(film, threshold) for film in films], dtype=np.float64)
        figures["counts_right"] = _estimate(weights @ right / weights.sum(1))
        for k, name in enumerate(names):
            figures[f"centre_error {name}"] = _estimate(sums[:, k, 0] / sums[:, k, 1])
    return figures


def average_precision(right: NDArray[np.bool_], weights: Floats, labelled: Floats) -> Floats:
    """Compute the average precision of one class.

    Args:
        right: bool (k,), whether each found joint answers a labelled one, by falling score.
        weights: (samples, k), how often each counts.
        labelled: (samples,), number of labelled joints.

    Returns:
        (samples,), NaN where nothing is labelled.
    """
    hits = np.cumsum(weights * right, axis=1)
    every = np.cumsum(weights, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = hits / labelled[:, None], np.nan_to_num(hits / every)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    found = np.zeros(len(weights))
    for sample in range(len(weights)):
        place = np.searchsorted(recall[sample] + 1e-12, _RECALLS)
        values = np.append(envelope[sample], 0.0)[place]
        found[sample] = values.mean() if labelled[sample] else np.nan
    return found


def overlaps(first: Floats, second: Floats) -> Floats:
    """Give intersection over union of every pair of boxes, (k, t); boxes are centre x, y, width and height."""
    (low1, high1), (low2, high2) = ((b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2) for b in (first, second))
    shared = np.minimum(high1[:, None], high2[None]) - np.maximum(low1[:, None], low2[None])
    inner = np.clip(shared, 0, None).prod(axis=2)
    union = first[:, None, 2:].prod(axis=2) + second[None, :, 2:].prod(axis=2) - inner
    result: Floats = inner / np.maximum(union, 1e-12)
    return result


def match_centres(film: FilmBoxes, *, threshold: float) -> Matched:
    """Let found joints answer labelled ones of their class, so that the sum of the distances is least."""
    found = np.full(len(film.truth), -1, dtype=np.int64)
    distance = np.full(len(film.truth), np.nan)
    for kind in np.unique(film.truth_classes):
        wanted = np.flatnonzero(film.truth_classes == kind)
        given = np.flatnonzero((film.classes == kind) & (film.scores >= threshold))
        apart = film.boxes[given, None, :2] - film.truth[None, wanted, :2]
        far = np.hypot(apart[..., 0], apart[..., 1]) / max(film.length, 1e-9)
        for row, column in zip(*linear_sum_assignment(np.minimum(far, _FAR)), strict=True):
            if far[row, column] < _FAR:
                found[wanted[column]], distance[wanted[column]] = given[row], far[row, column]
    return Matched(found, distance)


def _precisions(films: Sequence[FilmBoxes], weights: Floats, names: Sequence[str]) -> dict[str, Estimate]:
    """Give `map50`, `map50_95` and `ap50` by class over films whose sizes are all labelled; nothing without."""
    sized = [k for k, film in enumerate(films) if np.isfinite(film.truth).all()]
    chosen, weights = [films[k] for k in sized], weights[:, sized]
    by_class = {name: _class_precision(chosen, weights, kind) for kind, name in enumerate(names)}
    known = {name: found for name, found in by_class.items() if found is not None}
    if not known:
        return {}
    every = np.stack(list(known.values()))  # (classes, overlaps, samples)
    figures = {"map50": _estimate(every[:, 0].mean(axis=0)), "map50_95": _estimate(every.mean(axis=(0, 1)))}
    return figures | {f"ap50 {name}": _estimate(found[0]) for name, found in known.items()}


def _class_precision(films: Sequence[FilmBoxes], weights: Floats, kind: int) -> Floats | None:
    """Give the average precision of a class, (overlaps, samples); None where no film has it."""
    truths = [film.truth[film.truth_classes == kind] for film in films]
    labelled = np.array([len(truth) for truth in truths], dtype=np.float64)
    if not labelled.any():
        return None
    given = [film.classes == kind for film in films]
    scores = np.concatenate([film.scores[which] for film, which in zip(films, given, strict=True)])
    owner = np.repeat(np.arange(len(films)), [int(which.sum()) for which in given])
    boxes = [film.boxes[which] for film, which in zip(films, given, strict=True)]
    right = np.concatenate([_right(found, truth) for found, truth in zip(boxes, truths, strict=True)], axis=1)
    order = np.argsort(-scores, kind="stable")
    at = owner[order]
    return np.stack([average_precision(one, weights[:, at], weights @ labelled) for one in right[:, order]])


def _right(boxes: Floats, truth: Floats) -> NDArray[np.bool_]:
    """Say which boxes, by falling score, answer a labelled one that none before did, (overlaps, k)."""
    right = np.zeros((len(OVERLAPS), len(boxes)), dtype=bool)
    if not len(truth):
        return right
    pairs = overlaps(boxes, truth)
    for level, least in enumerate(OVERLAPS):
        free = np.ones(len(truth), dtype=bool)
        for k in range(len(boxes)):
            best = int(np.where(free, pairs[k], -1).argmax())
            if free[best] and pairs[k, best] >= least - 1e-9:
                right[level, k], free[best] = True, False
    return right


def _counts_right(film: FilmBoxes, threshold: float) -> bool:
    given = film.classes[film.scores >= threshold]
    return all((given == kind).sum() == (film.truth_classes == kind).sum() for kind in np.unique(film.truth_classes))


def _estimate(samples: Floats) -> Estimate:
    """Take the first sample as the value and the others for its interval."""
    value, drawn = float(samples[0]), samples[1:][np.isfinite(samples[1:])]
    if not np.isfinite(value) or not drawn.size:
        return Estimate(value)
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Estimate(value, float(low), float(high))
