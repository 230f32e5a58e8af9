"""Figures of a localiser: average precision, and sensitivity at rates of false marks, also by kind of label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import of_samples
from capitate.evaluation.detection import FilmBoxes, precision_figures, resampled
from capitate.evaluation.froc import RATES, Hit, Marked, marked, sensitivity_at

__all__ = ["fracture_figures", "rate_name"]

_CLASS = ("fracture",)


def fracture_figures(
    films: Sequence[FilmBoxes],
    *,
    kinds: Sequence[Sequence[str]],
    groups: Sequence[str],
    threshold: float | Sequence[float],
    seed: int = 0,
) -> dict[str, Any]:
    """Take all figures over films, each with its interval, resampled by group.

    `map50` and `map50_95`; `sensitivity_at RATE` for every rate of false marks a film (a mark hits where its centre
    lies in a box) and `overlap_sensitivity_at RATE` (where both boxes overlap by half); `sensitivity`, `false_marks`
    and `films_with_false_marks` at the threshold, the last one over films without a fracture; under `kinds` the
    sensitivities of each kind of label.

    Args:
        films: with their boxes, of one class; perhaps without any.
        kinds: of every film, what its label calls each box.
        groups: what must be resampled together, one name a film.
        threshold: of shown marks, one or one a film.
        seed: of the resampling.
    """
    if not films:
        return {"n": 0, "fractures": 0}
    names, cluster = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    weights = resampled(cluster, seed=seed)
    by_centre = marked(films, hit=Hit.CENTRE)
    every = np.array([kind for one in kinds for kind in one], dtype=np.str_)
    told: dict[str, Any] = {"n": len(films), "fractures": len(every), "groups": len(names)}
    precision = precision_figures(films, weights, _CLASS)
    told |= {name: precision[name].to_json() for name in ("map50", "map50_95") if name in precision}
    told |= _at_rates(by_centre, weights, "sensitivity_at")
    told |= _at_rates(marked(films, hit=Hit.OVERLAP), weights, "overlap_sensitivity_at")
    told |= _shown(films, by_centre, weights, np.broadcast_to(threshold, len(films)))
    apart = {kind: _of_kind(by_centre, every == kind, weights) for kind in np.unique(every).tolist()}
    return told | ({"kinds": apart} if len(apart) > 1 else {})


def rate_name(rate: float) -> str:
    """Write a rate as figures' names do."""
    return f"{rate:g}"


def _at_rates(found: Marked, weights: NDArray[np.float64], name: str) -> dict[str, Any]:
    if not len(found.scores):
        return {}
    shares = sensitivity_at(found, weights)
    return {f"{name} {rate_name(rate)}": of_samples(shares[:, k]).to_json() for k, rate in enumerate(RATES)}


def _of_kind(found: Marked, which: NDArray[np.bool_], weights: NDArray[np.float64]) -> dict[str, Any]:
    """Give the sensitivities over the boxes of one kind; false marks are those that hit no box of any kind."""
    own = Marked(found.scores[which], found.film[which], found.false_scores, found.false_film, found.films)
    return {"fractures": int(which.sum()), **_at_rates(own, weights, "sensitivity_at")}


def _shown(
    films: Sequence[FilmBoxes], found: Marked, weights: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> dict[str, Any]:
    """Give the figures of the marks that are shown."""
    hit = found.scores >= thresholds[found.film]
    false = found.false_scores >= thresholds[found.false_film]
    objects = np.bincount(found.film, minlength=len(films))
    hits = np.bincount(found.film[hit], minlength=len(films))
    wrong = np.bincount(found.false_film[false], minlength=len(films))
    empty = objects == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            "sensitivity": weights @ hits / (weights @ objects),
            "false_marks": weights @ wrong / weights.sum(axis=1),
            "films_with_false_marks": weights @ (empty & (wrong > 0)) / (weights @ empty),
        }
    return {name: of_samples(values).to_json() for name, values in shares.items()}
