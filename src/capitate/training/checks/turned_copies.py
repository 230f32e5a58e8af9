"""Films compared in all turns: copies that somebody turned by some degrees, mirrored or darkened are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from capitate.training.checks.film_facts import TURNS, turned
from capitate.training.checks.film_structure import SIDE, FilmStructure

__all__ = [
    "ALIKE",
    "ALIKE_BY_QUARTERS",
    "ALIKE_IN_SOURCE",
    "LARGEST_TURN",
    "CopyPair",
    "compared",
    "copies_across",
    "copies_in_group",
]

LARGEST_TURN = 36
"""Degrees by which copies are turned at most, either way, beyond whole quarters."""

ALIKE_IN_SOURCE = 0.36
"""Correlation from which on two films of one source, on canvases of one size, are copies (docs/data.md).

Only for sources of unrelated films: two exposures of one hand correlate by more.
"""

ALIKE = 0.8
"""Correlation from which on any two films are copies (docs/data.md).

Different children's hands, laid down alike, reached 0.783 among 900 films; 964 of 974 pairs of copies lie above.
"""

ALIKE_BY_QUARTERS = 0.95
"""Correlation from which on films turned by quarters are copies; the rectangles of two cassettes reached 0.92."""

_STEP, _COARSE_STEP = 2, 4
_COARSE = 32
_WORTH = 0.55
"""Correlation at 32 x 32 from which on a pair is compared finely; all 974 copies of docs/data.md lay above 0.6."""

_LEAST_COMMON = 0.03
"""Share of the square that both films must show in a turn."""

_ROWS = 512

Flat = NDArray[np.float32]


@dataclass(frozen=True)
class CopyPair:
    """Two films that show the same.

    Attributes:
        first: id.
        second: id.
        correlation: of their structure in the best turn, -1 to 1.
        mirrored: whether the first has to be mirrored, left to right, before it is turned.
        degrees: by which the first is then turned against the clock to match, -180 to 180.
    """

    first: str
    second: str
    correlation: float
    mirrored: bool = False
    degrees: int = 0


def copies_in_group(group: Sequence[FilmStructure], *, alike: float = ALIKE) -> list[CopyPair]:
    """Find copies among films of one source, patient or examination: turned or darkened, on canvases of one size.

    Args:
        group: films.
        alike: see `ALIKE` and `ALIKE_IN_SOURCE`.
    """
    by_canvas: dict[tuple[int, int], list[FilmStructure]] = defaultdict(list)
    for one in group:
        by_canvas[one.canvas].append(one)
    found = (
        pair
        for films in by_canvas.values()
        for k, first in enumerate(films[:-1])
        for pair in compared(first, films[k + 1 :])
    )
    return [pair for pair in found if pair.correlation >= alike]


def copies_across(films: Sequence[FilmStructure], *, alike: float = ALIKE) -> list[CopyPair]:
    """Find copies among any films, turned, mirrored, turned by quarters, and on any canvas of the same proportions.

    Pairs are chosen at 32 x 32 and decided at 64 x 64. The work grows with the square of the number of films.

    Args:
        films: of which each is compared with each.
        alike: see `ALIKE`; turned by quarters, films are copies from `ALIKE_BY_QUARTERS` on.
    """
    found: list[CopyPair] = []
    for row, variant, columns in _candidates(films):
        pairs = compared(films[row], [films[k] for k in columns], variants=(variant,))
        least = alike if variant % 4 == 0 else max(alike, ALIKE_BY_QUARTERS)
        found += [pair for pair in pairs if pair.correlation >= least]
    return found


def compared(
    first: FilmStructure, others: Sequence[FilmStructure], *, variants: Sequence[int] = (0,)
) -> list[CopyPair]:
    """Compare a film in every turn with others; give each pair with its best turn.

    Args:
        first: film to be turned.
        others: films it is compared with.
        variants: quarter turns and mirrorings of the first that are tried, see `film_facts.turned`.
    """
    values, known = _flat([one.values for one in others]), _flat([one.known for one in others])
    best = [CopyPair(first.id, other.id, -1.0) for other in others]
    for variant in variants:
        turns, seen = _in_all_turns(first, variant)
        correlation = _correlation(turns, seen, values, known)
        for k, step in enumerate(correlation.argmax(axis=0).tolist()):
            value = round(float(correlation[step, k]), 4)
            if value > best[k].correlation:
                degrees = (90 * (variant % 4) + _degrees(_STEP)[step] + 180) % 360 - 180
                best[k] = CopyPair(first.id, others[k].id, value, variant >= TURNS // 2, degrees)
    return best


def _candidates(films: Sequence[FilmStructure]) -> Iterator[tuple[int, int, list[int]]]:
    """Give rows with the later rows that may be copies of them in a quarter turn or mirror image."""
    if len(films) < 2:
        return
    small = np.stack([_halved(one) for one in films])
    flat = _standardised(small.reshape(len(small), -1))
    matrices = _turning(_COARSE, _COARSE_STEP)
    for start, end in pairwise([*range(0, len(films), _ROWS), len(films)]):
        best = np.full((end - start, len(films) - start), -1, dtype=np.float32)
        which = np.zeros(best.shape, dtype=np.int8)
        for variant in range(TURNS):
            pictures = turned(small[start:end], variant).reshape(end - start, -1).T
            for matrix in matrices:
                correlation = _standardised((matrix @ pictures).T) @ flat[start:].T
                better = correlation > best
                best[better], which[better] = correlation[better], variant
        for row in range(end - start):
            worth = np.flatnonzero(best[row, row + 1 :] >= _WORTH) + row + 1
            for variant in np.unique(which[row, worth]).tolist():
                yield start + row, variant, (start + worth[which[row, worth] == variant]).tolist()


def _in_all_turns(film: FilmStructure, variant: int) -> tuple[Flat, Flat]:
    """Turn a film by every step: structure and what of it is known, float32 (turns, pixels) both."""
    pictures = np.stack([film.values.astype(np.float32), film.known.astype(np.float32)])
    flat = turned(pictures, variant).reshape(2, -1).T
    both = np.stack([matrix @ flat for matrix in _turning(SIDE, _STEP)])
    seen = (both[:, :, 1] > 1 - 1e-3).astype(np.float32)
    return both[:, :, 0] * seen, seen


def _correlation(first: Flat, first_known: Flat, second: Flat, second_known: Flat) -> Flat:
    """Correlate each of the first with each of the second where both are known, (n, m)."""
    count = first_known @ second_known.T
    n = np.maximum(count, 1)
    one, other = first @ second_known.T, first_known @ second.T
    spread = ((first * first) @ second_known.T - one * one / n) * (
        first_known @ (second * second).T - other * other / n
    )
    correlation = (first @ second.T - one * other / n) / np.sqrt(np.maximum(spread, 1e-6))
    return np.where(count < _LEAST_COMMON * first.shape[1], np.float32(-1), correlation).astype(np.float32)


@cache
def _turning(side: int, step: int) -> tuple[csr_array, ...]:
    """Return a matrix for each turn that turns a flat picture about its middle against the clock, bilinearly."""
    return tuple(_turned_by(degrees, side) for degrees in _degrees(step))


def _turned_by(degrees: int, side: int) -> csr_array:
    middle, angle = (side - 1) / 2, np.deg2rad(degrees)
    y, x = np.mgrid[:side, :side] - middle
    rows = np.cos(angle) * y + np.sin(angle) * x + middle
    columns = np.cos(angle) * x - np.sin(angle) * y + middle
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    weights, targets, sources = [], [], []
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - (rows - top)) * np.abs(1 - right - (columns - left))
            r, c = top + down, left + right
            inside = (r >= 0) & (r < side) & (c >= 0) & (c < side)
            weights.append(share[inside])
            targets.append(np.flatnonzero(inside))
            sources.append(r[inside] * side + c[inside])
    entries = (np.concatenate(weights).astype(np.float32), (np.concatenate(targets), np.concatenate(sources)))
    return coo_array(entries, shape=(side * side, side * side)).tocsr()


def _degrees(step: int) -> range:
    return range(-LARGEST_TURN, LARGEST_TURN + 1, step)


def _halved(film: FilmStructure) -> Flat:
    """Average a film's structure to 32 x 32."""
    half = SIDE // _COARSE
    blocks = film.values.astype(np.float32).reshape(_COARSE, half, _COARSE, half)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _flat(pictures: Sequence[NDArray[np.float16] | NDArray[np.bool_]]) -> Flat:
    return np.stack(pictures).reshape(len(pictures), -1).astype(np.float32)


def _standardised(flat: Flat) -> Flat:
    """Bring pictures to mean 0 and length 1, so that a product is a correlation."""
    centred = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6), dtype=np.float32)
