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

from capitate.evaluation.bootstrap import Estimate, of_samples

__all__ = [
    "LEAST_SCORE",
    "RESAMPLES",
    "FilmBoxes",
    "Matched",
    "average_precision",
    "detection_figures",
    "match_centres",
    "overlaps",
    "precision_figures",
    "precision_recall",
    "resampled",
]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

OVERLAPS = np.arange(0.5, 0.951, 0.05)
_RECALLS = np.linspace(0, 1, 101)
_EQUAL = 1e-9
LEAST_SCORE = 0.01
"""Score from which on found joints enter average precision; weaker ones change it in no third place."""
RESAMPLES = 400
"""Of average precision: the figure that costs most, whose interval is the narrowest."""
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
    films: Sequence[FilmBoxes],
    *,
    names: Sequence[str],
    threshold: float,
    cluster: Rows | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Take all figures over films.

    `map50` and `map50_95` over the classes whose sizes are labelled; `ap50 NAME` and `ap50_95 NAME` by class;
    `centre_error` and `centre_error NAME`, mean distance of a found joint's centre from the labelled one in per cent of
    the hand's length; `found` and `found NAME`, share of labelled joints with an answer; `counts_right`, share of films
    in which every labelled class has as many joints as labelled. Without films there is no figure.

    Args:
        films: with labels.
        names: of the classes.
        threshold: score from which on a joint counts as found; average precision takes all.
        cluster: number of what each film is resampled with, (films,); the film itself if None.
        resamples: how many.
        seed: of the resampling.
    """
    if not films:
        return {}
    cluster = np.arange(len(films)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    count = int(cluster.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    weights = np.vstack([np.ones(len(films)), drawn[:, cluster].astype(np.float64)])
    return precision_figures(films, weights, names) | _centres(films, weights, names, threshold)


def resampled(cluster: Rows, *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Draw clusters with replacement; the first row counts every film once.

    Args:
        cluster: number of what each film is resampled with, from 0, (films,).
        resamples: how many.
        seed: of the draw.

    Returns:
        How often each film counts, (1 + resamples, films).
    """
    count = int(cluster.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return np.vstack([np.ones(len(cluster)), drawn[:, cluster].astype(np.float64)])


def _centres(
    films: Sequence[FilmBoxes], weights: Floats, names: Sequence[str], threshold: float
) -> dict[str, Estimate]:
    """Give the figures of centres and counts."""
    per_film = np.zeros((len(films), len(names), 3))  # distances, answers, labels
    for row, film in enumerate(films):
        match = match_centres(film, threshold=threshold)
        hit = match.found >= 0
        np.add.at(per_film[row, :, 0], film.truth_classes[hit], 100 * match.distance[hit])
        np.add.at(per_film[row, :, 1], film.truth_classes[hit], 1)
        np.add.at(per_film[row, :, 2], film.truth_classes, 1)
    sums = np.einsum("rf,fcs->rcs", weights, per_film)
    right = np.array([_counts_right(film, threshold) for film in films], dtype=np.float64)
    distances, answers, labels = (sums[..., k] for k in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = {
            "centre_error": of_samples(distances.sum(1) / answers.sum(1)),
            "found": of_samples(answers.sum(1) / labels.sum(1)),
            "counts_right": of_samples(weights @ right / weights.sum(1)),
        }
        figures |= {f"centre_error {name}": of_samples(distances[:, k] / answers[:, k]) for k, name in enumerate(names)}
        figures |= {f"found {name}": of_samples(answers[:, k] / labels[:, k]) for k, name in enumerate(names)}
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
    samples, length = recall.shape
    apart = 2.0 * np.arange(samples)[:, None]  # recall ends at 1, so that one search serves all samples
    place = np.searchsorted((np.nan_to_num(recall) + apart + _EQUAL).ravel(), (_RECALLS + apart).ravel())
    place = np.minimum(place.reshape(samples, -1) - np.arange(samples)[:, None] * length, length)
    values = np.take_along_axis(np.pad(envelope, ((0, 0), (0, 1))), place, axis=1)
    found: Floats = np.where(labelled > 0, values.mean(axis=1), np.nan)
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


def precision_figures(films: Sequence[FilmBoxes], weights: Floats, names: Sequence[str]) -> dict[str, Estimate]:
    """Give `map50`, `map50_95` and `ap50` by class over films whose sizes are all labelled; nothing without.

    Args:
        films: with labels.
        weights: (1 + resamples, films), how often each film counts; the first row is that of the figures themselves.
        names: of the classes.
    """
    sized = [k for k, film in enumerate(films) if np.isfinite(film.truth).all()]
    chosen, weights = [films[k] for k in sized], weights[:, sized]
    by_class = {name: _class_precision(chosen, weights, kind) for kind, name in enumerate(names)}
    known = {name: found for name, found in by_class.items() if found is not None}
    if not known:
        return {}
    every = np.stack(list(known.values()))  # (classes, overlaps, samples)
    figures = {"map50": of_samples(every[:, 0].mean(axis=0)), "map50_95": of_samples(every.mean(axis=(0, 1)))}
    figures |= {f"ap50 {name}": of_samples(found[0]) for name, found in known.items()}
    return figures | {f"ap50_95 {name}": of_samples(found.mean(axis=0)) for name, found in known.items()}


def _class_precision(films: Sequence[FilmBoxes], weights: Floats, kind: int) -> Floats | None:
    """Give the average precision of a class, (overlaps, samples); None where no film has it."""
    labelled = np.array([(film.truth_classes == kind).sum() for film in films], dtype=np.float64)
    if not labelled.any():
        return None
    right, owner = _ranked(films, kind)
    if not len(owner):
        return np.where(weights @ labelled > 0, 0.0, np.nan)[None].repeat(len(OVERLAPS), axis=0)
    different, which = np.unique(right, axis=0, return_inverse=True)  # neighbouring overlaps often agree
    found = [average_precision(one, weights[:, owner], weights @ labelled) for one in different]
    return np.stack(found)[which.ravel()]


def _ranked(films: Sequence[FilmBoxes], kind: int) -> tuple[NDArray[np.bool_], Rows]:
    """Give the found joints of a class by falling score: right or not (overlaps, k), and the film of each (k,)."""
    given = [film.classes == kind for film in films]
    scores = np.concatenate([film.scores[which] for film, which in zip(films, given, strict=True)])
    owner = np.repeat(np.arange(len(films)), [int(which.sum()) for which in given])
    right = np.concatenate(
        [
            _right(film.boxes[which], film.truth[film.truth_classes == kind])
            for film, which in zip(films, given, strict=True)
        ],
        axis=1,
    )
    order = np.argsort(-scores, kind="stable")
    return right[:, order], owner[order]


def precision_recall(films: Sequence[FilmBoxes], kind: int) -> tuple[Floats, Floats]:
    """Give recall and precision at an overlap of 50 %, from the best found joint of a class to the last, (k,) each.

    Films with a label of unknown size are left out.
    """
    sized = [film for film in films if np.isfinite(film.truth).all()]
    labelled = sum(int((film.truth_classes == kind).sum()) for film in sized)
    if not labelled:
        return np.zeros(0), np.zeros(0)
    right = np.cumsum(_ranked(sized, kind)[0][0])
    return right / labelled, right / np.arange(1, len(right) + 1)


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
