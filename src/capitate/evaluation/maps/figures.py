"""From films to figures, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import RESAMPLES, Estimate, clusters_of, drawn_counts, estimate_sums, of_samples
from capitate.evaluation.maps.likeness import MEASURES
from capitate.evaluation.maps.pointing import GUESSES, guesses, inside
from capitate.evaluation.maps.randomised import PARTS
from capitate.evaluation.maps.rows import MapRow

__all__ = ["MapEvaluation", "MapGroup", "evaluate_maps", "map_figures"]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]
CHANCES = ("area", "tissue", *GUESSES)
"""What the pointing game is compared with: names of figures `by_...` and `over_...`."""


@dataclass(frozen=True)
class MapGroup:
    """Figures over some films.

    Attributes:
        n: films with an answer.
        refused: films without.
        counts: films behind each kind of figure: `pointing`, `hand`, `joints`, `surroundings`, `randomised`.
        figures: by name; only those that were measured.
        moved_most: film whose answer changed most without its surroundings; None where none was asked about.
    """

    n: int
    refused: int
    counts: Mapping[str, int]
    figures: Mapping[str, Estimate]
    moved_most: str | None = None


@dataclass(frozen=True)
class MapEvaluation:
    """All films.

    Attributes:
        rows: one a film.
        overall: figures over films that the model was not trained on.
        groups: figures over others, by name.
    """

    rows: Sequence[MapRow]
    overall: MapGroup
    groups: Mapping[str, MapGroup]


def evaluate_maps(rows: Sequence[MapRow], *, seed: int = 0) -> MapEvaluation:
    """Estimate all figures; films seen in training stand apart, in the group `in_training`.

    Args:
        rows: one a film.
        seed: of the bootstrap.
    """
    fresh = [row for row in rows if not row.in_training]
    known = [row for row in rows if row.in_training]
    groups = {"in_training": map_figures(known, seed=seed)} if known else {}
    return MapEvaluation(tuple(rows), map_figures(fresh, seed=seed), groups)


def map_figures(rows: Sequence[MapRow], *, seed: int = 0) -> MapGroup:
    """Estimate the figures of some films."""
    read = [row for row in rows if row.refusal is None]
    kinds: dict[str, tuple[list[MapRow], Callable[[list[MapRow]], Columns]]] = {
        "pointing": ([row for row in read if row.boxes], _pointing),
        "hand": ([row for row in read if np.isfinite(row.hand_energy)], _share("hand")),
        "joints": ([row for row in read if np.isfinite(row.joints_energy)], _share("joints")),
        "surroundings": ([row for row in read if np.isfinite(row.after)], _changes),
        "randomised": ([row for row in read if row.alike], _alike),
    }
    figures: dict[str, Estimate] = {}
    for films, columns in kinds.values():
        if films:
            figures |= _means(columns(films), [row.group for row in films], seed=seed)
    moved = kinds["surroundings"][0]
    if moved:
        figures |= _spread(moved, seed=seed)
    counts = {name: len(films) for name, (films, _) in kinds.items() if films}
    most = max(moved, key=lambda row: abs(row.after - row.before)).id if moved else None
    return MapGroup(len(read), len(rows) - len(read), counts, figures, most)


def _means(columns: Columns, groups: Sequence[str], *, seed: int) -> dict[str, Estimate]:
    """Estimate the mean of every column over the films that have it; the same draws serve all, so differences pair."""
    cluster = clusters_of(groups)
    values = np.stack(list(columns.values()), axis=1)
    there = np.isfinite(values)
    sums = np.concatenate([np.where(there, values, 0.0), there.astype(np.float64)], axis=1)

    def means(drawn: Floats) -> Mapping[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = drawn[:, : len(columns)] / drawn[:, len(columns) :]
        return dict(zip(columns, found.T, strict=True))

    return estimate_sums(sums, cluster, means, seed=seed)


def _pointing(films: list[MapRow]) -> Columns:
    """Say on which films the peak lies in a box, how often guesses do, and by how much the map is better."""
    hit = np.array([float(row.peak is not None and inside(row.peak, row.boxes)) for row in films])
    chances = {"area": np.array([row.area for row in films]), "tissue": np.array([row.tissue for row in films])}
    chances |= guesses([row.boxes for row in films], [row.group for row in films])
    by = {f"by_{name}": chances[name] for name in CHANCES}
    return {"pointing": hit} | by | {f"over_{name}": hit - chances[name] for name in CHANCES}


def _share(name: str) -> Callable[[list[MapRow]], Columns]:
    """Compare the energy on a part of the films with the part's area."""

    def columns(films: list[MapRow]) -> Columns:
        energy, area = (np.array([getattr(row, f"{name}_{what}") for row in films]) for what in ("energy", "area"))
        return {f"{name}_energy": energy, f"{name}_area": area, f"{name}_over_area": energy - area}

    return columns


def _changes(films: list[MapRow]) -> Columns:
    change = np.array([abs(row.after - row.before) for row in films])
    sides = np.array([np.nan if row.same_side is None else float(row.same_side) for row in films])
    return {"change": change} | ({"same_side": sides} if np.isfinite(sides).any() else {})


def _spread(films: list[MapRow], *, seed: int) -> dict[str, Estimate]:
    """Give the largest change, which has no interval, and the 95th percentile with its bootstrap interval."""
    change = np.array([abs(row.after - row.before) for row in films])
    cluster = clusters_of([row.group for row in films])
    drawn = [
        _percentile(change, row[cluster])
        for counts in drawn_counts(int(cluster.max()) + 1, resamples=RESAMPLES, seed=seed)
        for row in counts
    ]
    p95 = of_samples(np.array([_percentile(change, np.ones(change.size)), *drawn]))
    return {"change_p95": p95, "change_largest": Estimate(float(change.max()))}


def _percentile(values: Floats, weights: Floats) -> float:
    """Give the smallest value that 95 % of the weight does not exceed."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, 0.95 * below[-1] - 1e-9)])


def _alike(films: list[MapRow]) -> Columns:
    parts = [part for part in PARTS if any(part in row.alike for row in films)]
    none = (np.nan,) * len(MEASURES)
    return {
        f"{measure}_{part}": np.array([row.alike.get(part, none)[k] for row in films])
        for k, measure in enumerate(MEASURES)
        for part in parts
    }
