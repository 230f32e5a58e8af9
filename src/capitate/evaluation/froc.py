"""Free-response figures: how many objects are marked, at how many false marks a film (Bunch et al. 1978; FROC).

An object is found at a threshold if a mark at or above it hits the object; a mark that hits none is false, one that
hits an object already found is neither. The sensitivity at a rate is that of the lowest threshold whose false marks a
film stay at or below the rate; all films count, those without an object too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.detection import FilmBoxes, overlaps

__all__ = ["RATES", "Hit", "Marked", "curve", "marked", "sensitivity_at", "threshold_at"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""False marks a film; the scale on which free-response curves are usually summed up (LUNA16, Setio et al. 2017, has
these and 8)."""
_OVERLAP = 0.5


class Hit(StrEnum):
    """When a mark hits an object: its centre lies in the object's box, or both boxes overlap by half."""

    CENTRE = "centre"
    OVERLAP = "overlap"


@dataclass(frozen=True, eq=False)
class Marked:
    """Objects and false marks of all films.

    Attributes:
        scores: (objects,), highest score of the marks that hit each; minus infinity for none.
        film: int64 (objects,), row of its film.
        false_scores: (false marks,), falling.
        false_film: int64 (false marks,).
        films: number of films.
    """

    scores: Floats
    film: Rows
    false_scores: Floats
    false_film: Rows
    films: int


def marked(films: Sequence[FilmBoxes], *, hit: Hit) -> Marked:
    """Find out which marks hit which objects."""
    scores, false = [np.zeros(0)], [np.zeros(0)]
    for film in films:
        hits = _hits(film, hit)
        reached = np.where(hits, film.scores[:, None], -np.inf)
        scores.append(reached.max(axis=0, initial=-np.inf))
        false.append(film.scores[~hits.any(axis=1)])
    every = np.concatenate(false)
    order = np.argsort(-every, kind="stable")
    return Marked(
        np.concatenate(scores),
        np.repeat(np.arange(len(films)), [len(one) for one in scores[1:]]),
        every[order],
        np.repeat(np.arange(len(films)), [len(one) for one in false[1:]])[order],
        len(films),
    )


def sensitivity_at(found: Marked, weights: Floats, *, rates: Sequence[float] = RATES) -> Floats:
    """Give the share of objects that are found at each rate.

    Args:
        found: objects and false marks.
        weights: (samples, films), how often each film counts.
        rates: false marks a film.

    Returns:
        (samples, rates), NaN where there is no object.
    """
    order = np.argsort(-found.scores, kind="stable")
    scores, by_object = found.scores[order], weights[:, found.film[order]]
    reached = np.pad(np.cumsum(by_object, axis=1), ((0, 0), (1, 0)))
    false = np.cumsum(weights[:, found.false_film], axis=1)
    total = weights.sum(axis=1)
    shares = np.full((len(weights), len(rates)), np.nan)
    for column, rate in enumerate(rates):
        first = (false <= rate * total[:, None]).sum(axis=1)  # of the false marks, the first that is too many
        limit = np.append(found.false_scores, -np.inf)[first]
        count = np.searchsorted(-scores, -limit, side="left")
        with np.errstate(invalid="ignore"):
            shares[:, column] = reached[np.arange(len(weights)), count] / reached[:, -1]
    return shares


def threshold_at(found: Marked, *, rate: float) -> float:
    """Give the threshold whose false marks a film stay at or below a rate: halfway between two false marks.

    Where all false marks together are no more than that, half the lowest score of all.
    """
    allowed = int(rate * found.films)
    false = found.false_scores
    if allowed < len(false):
        above = false[allowed - 1] if allowed else 1.0
        return float((above + false[allowed]) / 2)
    every = np.concatenate([false, found.scores[np.isfinite(found.scores)]])
    return float(every.min() / 2) if len(every) else 0.5


def curve(found: Marked) -> tuple[Floats, Floats]:
    """Give false marks a film and sensitivity, from no mark to all, (points,) each."""
    levels = np.unique(found.scores[np.isfinite(found.scores)])[::-1]
    false = np.searchsorted(-found.false_scores, -levels, side="right") / max(found.films, 1)
    objects = max(len(found.scores), 1)
    share = np.array([(found.scores >= level).sum() for level in levels]) / objects
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], share])


def _hits(film: FilmBoxes, hit: Hit) -> NDArray[np.bool_]:
    """Say which marks hit which objects, (marks, objects)."""
    if hit is Hit.OVERLAP:
        return overlaps(film.boxes, film.truth) >= _OVERLAP
    apart = np.abs(film.boxes[:, None, :2] - film.truth[None, :, :2])
    inside: NDArray[np.bool_] = np.all(apart <= film.truth[None, :, 2:] / 2, axis=2)
    return inside
