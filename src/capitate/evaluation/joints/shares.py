"""Shares of hands, sides and names that are right, on films as they are and moved, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import Estimate, clusters_of, estimate_sums
from capitate.evaluation.joints.films import FilmResult, MovedReading
from capitate.evaluation.joints.naming import NamingOutcome, naming_outcomes, same_joints
from capitate.hand import Joint
from capitate.types import Side

__all__ = ["SHARES", "film_clusters", "moved_shares", "moves_of", "naming_by_joint", "refused_moves", "shares"]

Floats = NDArray[np.float64]

SHARES = {
    "side_accuracy": ("side_right", "sides"),
    "naming_accuracy": (NamingOutcome.RIGHT, "named"),
    "naming_wrong": (NamingOutcome.WRONG, "named"),
    "naming_missing": (NamingOutcome.MISSING, "named"),
    "hands_named": ("hands_right", "hands"),
    "same_joints": ("moves_same", "moves"),
    "same_side": ("moves_side", "moves"),
}
"""Shares: what counts, and out of what."""


def film_clusters(results: Sequence[FilmResult]) -> NDArray[np.int64]:
    """Number the patients, or the films where the table names none."""
    return clusters_of([one.study.patient_id or f"film {one.study.id}" for one in results])


def shares(results: Sequence[FilmResult], *, seed: int) -> dict[str, Estimate]:
    """Give the shares of sides, names and moved films that are right; NaN where nothing tells."""
    columns = list(dict.fromkeys(name for pair in SHARES.values() for name in pair))
    counted = [_counts(one) for one in results]
    counts = np.array([[one[name] for name in columns] for one in counted], dtype=np.float64)

    def figures(sums: Floats) -> dict[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                name: sums[:, columns.index(part)] / sums[:, columns.index(whole)]
                for name, (part, whole) in SHARES.items()
            }

    return estimate_sums(counts.reshape(len(results), len(columns)), film_clusters(results), figures, seed=seed)


def _counts(result: FilmResult) -> dict[str, int]:
    """Count what is right on a film, and out of how many."""
    outcomes = list(naming_outcomes(result.true_places, result.places).values())
    told, side = result.side is not Side.UNKNOWN, result.found_side
    right = outcomes.count(NamingOutcome.RIGHT)
    return {
        "side_right": int(told and side is result.side),
        "sides": int(told),
        **{outcome: outcomes.count(outcome) for outcome in NamingOutcome},
        "named": len(outcomes),
        "hands_right": int(bool(outcomes) and right == len(outcomes)),
        "hands": int(bool(outcomes)),
        "moves_same": sum(_all_same(result, one) for one in result.moved),
        "moves_side": sum(_same_side(result, one) for one in result.moved),
        "moves": len(result.moved),
    }


def naming_by_joint(results: Sequence[FilmResult], *, seed: int) -> dict[Joint, Estimate]:
    """Give the share of films in which each joint is named rightly."""
    rows = [
        [float(outcomes.get(joint) is NamingOutcome.RIGHT) for joint in Joint]
        + [float(joint in outcomes) for joint in Joint]
        for outcomes in (naming_outcomes(one.true_places, one.places) for one in results)
    ]
    count = len(Joint)

    def figures(sums: Floats) -> dict[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {joint: sums[:, k] / sums[:, count + k] for k, joint in enumerate(Joint)}

    sums = np.array(rows, dtype=np.float64).reshape(len(results), 2 * count)
    found = estimate_sums(sums, film_clusters(results), figures, seed=seed)
    return {joint: found[joint] for joint in Joint if sums[:, count + tuple(Joint).index(joint)].any()}


def moves_of(results: Sequence[FilmResult]) -> list[str]:
    """List the moves of the films, in their order."""
    return list(dict.fromkeys(one.move for result in results for one in result.moved))


def refused_moves(results: Sequence[FilmResult], move: str) -> int:
    """Count the films that were refused after a move."""
    return sum(one.refusal is not None for result in results for one in result.moved if one.move == move)


def moved_shares(results: Sequence[FilmResult], move: str, *, seed: int = 0) -> dict[str, Estimate]:
    """Give the figures of one move.

    `same_joints` and `same_side`, shares of hands; `same_joint`, share of joints; and, against the labels,
    `side_accuracy` and `naming_accuracy` of the moved films.

    Args:
        results: films that were moved.
        move: its name.
        seed: of the bootstrap.
    """
    rows = [_move_counts(result, one) for result in results for one in result.moved if one.move == move]

    def figures(sums: Floats) -> dict[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                "same_joints": sums[:, 1] / sums[:, 0],
                "same_side": sums[:, 2] / sums[:, 0],
                "same_joint": sums[:, 3] / sums[:, 4],
                "side_accuracy": sums[:, 5] / sums[:, 6],
                "naming_accuracy": sums[:, 7] / sums[:, 8],
            }

    return estimate_sums(np.array(rows, dtype=np.float64), film_clusters(results), figures, seed=seed)


def _move_counts(result: FilmResult, moved: MovedReading) -> list[int]:
    """Count hands, the same ones, same sides, same joints, joints, right sides, sides, right names, names."""
    same = list(same_joints(result, moved).values())
    outcomes = list(naming_outcomes(result.true_places, moved.places).values())
    told = result.side is not Side.UNKNOWN
    against = [told and moved.side is result.side, told, outcomes.count(NamingOutcome.RIGHT), len(outcomes)]
    return [1, _all_same(result, moved), _same_side(result, moved), sum(same), len(same), *map(int, against)]


def _all_same(result: FilmResult, moved: MovedReading) -> int:
    """Whether every joint has the same name on both; a hand without any named joint is not the same."""
    same = same_joints(result, moved)
    return int(bool(same) and all(same.values()))


def _same_side(result: FilmResult, moved: MovedReading) -> int:
    return int(moved.side is result.found_side and moved.side is not Side.UNKNOWN)
