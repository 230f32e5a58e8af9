"""Copies among films: equal files, and pictures that are nearly the same, also turned by quarters or mirrored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.training.checks.film_facts import TURNS, FilmFacts, perceptual_bits, turned

__all__ = ["ALIKE", "NEAR_BITS", "Pair", "copies_of", "identical_files", "near_duplicates"]

NEAR_BITS = 12
"""Bits of 64 by which the fingerprints of a pair to compare may differ."""

ALIKE = 0.985
"""Correlation of two thumbnails from which on they show the same film.

Between two populations measured on RSNA's films (docs/data.md): 0.9791 at most for different hands whose fingerprints
are near, 0.987 at least for the 1,188 films that exist at two resolutions.
"""

_CHUNK = 512
_COMPARED = 4096


@dataclass(frozen=True)
class Pair:
    """Two films that show the same.

    Attributes:
        first: id.
        second: id.
        correlation: of their thumbnails, -1 to 1.
        turn: by which the first was turned to match, see `turned`; 0 where both stand alike.
    """

    first: str
    second: str
    correlation: float
    turn: int


def identical_files(facts: Sequence[FilmFacts]) -> list[tuple[str, ...]]:
    """Return the ids of films whose files are equal to the byte, one tuple a file."""
    groups: dict[str, list[str]] = defaultdict(list)
    for one in facts:
        groups[one.sha256].append(one.id)
    return [tuple(ids) for ids in groups.values() if len(ids) > 1]


def copies_of(facts: Sequence[FilmFacts]) -> list[tuple[str, str]]:
    """Return all pairs of copies, equal to the byte or nearly so."""
    equal = [(ids[0], other) for ids in identical_files(facts) for other in ids[1:]]
    return list(dict.fromkeys([*equal, *((pair.first, pair.second) for pair in near_duplicates(facts))]))


def near_duplicates(
    facts: Sequence[FilmFacts], *, near_bits: int = NEAR_BITS, alike: float = ALIKE, turns: int = TURNS
) -> list[Pair]:
    """Find films that show the same though their files differ.

    Fingerprints find pairs to compare, thumbnails decide: hands are so alike that a fingerprint alone calls different
    children's hands equal.

    Args:
        facts: of all films.
        near_bits: see `NEAR_BITS`.
        alike: see `ALIKE`.
        turns: how many of the eight turns are tried; 1 compares films as they stand.
    """
    if len(facts) < 2:
        return []
    thumbnails = np.stack([one.thumbnail for one in facts])
    plain = _signs(thumbnails)
    flat = _standardised(thumbnails)
    found: dict[tuple[int, int], tuple[float, int]] = {}
    for turn in range(turns):
        pictures = turned(thumbnails, turn)
        signs, other = _signs(pictures), _standardised(pictures)
        for start in range(0, len(facts), _CHUNK):
            distance = (64 - signs[start : start + _CHUNK] @ plain.T) / 2
            rows, columns = np.nonzero(distance <= near_bits)
            rows += start
            keep = rows < columns if turn == 0 else rows != columns
            for a, b, value in _alike(rows[keep], columns[keep], other, flat, alike=alike):
                pair = (min(a, b), max(a, b))
                if pair not in found or found[pair][0] < value:
                    found[pair] = (value, turn)
    return [Pair(facts[a].id, facts[b].id, *value) for (a, b), value in sorted(found.items())]


def _alike(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    *,
    alike: float,
) -> Iterator[tuple[int, int, float]]:
    """Give the pairs whose standardised pictures correlate, with the correlation."""
    for start in range(0, len(rows), _COMPARED):
        a, b = rows[start : start + _COMPARED], columns[start : start + _COMPARED]
        correlation = np.einsum("ij,ij->i", first[a], second[b])
        for k in np.flatnonzero(correlation >= alike).tolist():
            yield int(a[k]), int(b[k]), round(float(correlation[k]), 4)


def _signs(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.where(perceptual_bits(pictures), np.float32(1), np.float32(-1))


def _standardised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring pictures to mean 0 and length 1, float32 (n, pixels), so that a product is a correlation."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return flat
