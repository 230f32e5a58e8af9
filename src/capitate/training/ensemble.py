"""Ensembles of folds, seeds and architectures: members' answers joined by film id, never by position.

Runs that held out the same films are members that answer together; groups of members that held out other films lie
beside each other, as folds do. Five folds of three seeds are fifteen runs, and each film has three answers by networks
that never saw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.calibration import quantile
from capitate.runtime.ensemble import Disagreement, scatter
from capitate.training.out_of_fold import OutOfFold

__all__ = ["MARKED", "Joined", "join", "load_joined"]

MARKED = 0.05
"""Share of unseen films on which an ensemble is said to disagree: one film in twenty, as a reader may look at twice."""


@dataclass(frozen=True, eq=False)
class Joined:
    """Answers of an ensemble for n films.

    Attributes:
        films: mean distributions, given the sex and with it hidden.
        scatter: float64 (n,), see `capitate.runtime.ensemble.scatter`; NaN where one network answered alone.
    """

    films: OutOfFold
    scatter: NDArray[np.float64]

    def disagreement(self, *, share: float = MARKED) -> Disagreement | None:
        """Measure from which scatter on a share of these films is marked, and how far off they are.

        Args:
            share: of the films.

        Returns:
            The rule with its figures; None unless every film has several answers.
        """
        if np.isnan(self.scatter).any():
            return None
        months = float(np.quantile(self.scatter, 1 - share))
        marked = self.scatter >= months
        errors = np.abs(quantile(self.films.given, 0.5) - self.films.months)
        others = errors[~marked].mean() if (~marked).any() else np.nan
        return Disagreement(months, float(marked.mean()), len(marked), float(errors[marked].mean()), float(others))

    def to_json(self) -> dict[str, Any]:
        """Give what an ensemble adds to a calibration report: `disagreement`, or nothing."""
        rule = self.disagreement()
        return {"disagreement": rule.to_card()} if rule else {}


def join(members: Sequence[OutOfFold], *, names: Sequence[str] | None = None) -> Joined:
    """Average members' answers for the same films.

    Args:
        members: each with the same films in any order.
        names: of the members, for messages; their numbers if None.

    Returns:
        Films in the order of the first member.

    Raises:
        UsageError: if a member lacks a film or has another label for it, or two members gave the same answers.
    """
    names = names or [str(k) for k in range(len(members))]
    first = members[0]
    aligned = [first, *(_in_order_of(first, one, names=(names[0], name)) for one, name in _rest(members, names))]
    for k, one in enumerate(aligned):
        twice = [names[j] for j in range(k) if np.array_equal(aligned[j].given, one.given)]
        if twice:
            raise UsageError(f"{twice[0]} and {names[k]} gave the same answers; give each member once")
    given, unknown = (np.mean([getattr(one, name) for one in aligned], axis=0) for name in ("given", "unknown"))
    return Joined(OutOfFold(first.ids, first.months, first.sexes, given, unknown), scatter([m.given for m in aligned]))


def load_joined(paths: Sequence[Path]) -> Joined:
    """Read predictions for held-out films, join those for the same films, and lay the others beside each other.

    Args:
        paths: files of `OutOfFold`.

    Raises:
        UsageError: if two files share some films but not all, or see `join`.
    """
    groups: dict[frozenset[str], list[tuple[Path, OutOfFold]]] = {}
    for path in paths:
        films = OutOfFold.load([path])
        groups.setdefault(frozenset(films.ids.tolist()), []).append((path, films))
    _check_apart(groups)
    joined = [join([f for _, f in group], names=[str(path) for path, _ in group]) for group in groups.values()]
    films = OutOfFold.beside([one.films for one in joined])
    return Joined(films, np.concatenate([one.scatter for one in joined]))


def _rest(members: Sequence[OutOfFold], names: Sequence[str]) -> list[tuple[OutOfFold, str]]:
    return list(zip(members[1:], names[1:], strict=True))


def _in_order_of(first: OutOfFold, other: OutOfFold, *, names: tuple[str, str]) -> OutOfFold:
    """Bring a member's rows to the order of the first, by id."""
    places = {name: row for row, name in enumerate(other.ids.tolist())}
    missing = [name for name in first.ids.tolist() if name not in places]
    if missing or len(other) != len(first):
        example = missing[0] if missing else sorted(set(places) - set(first.ids.tolist()))[0]
        raise UsageError(f"{names[0]} and {names[1]} do not answer for the same films, such as {example!r}")
    rows = np.array([places[name] for name in first.ids.tolist()], dtype=np.int64)
    if not (np.array_equal(other.months[rows], first.months) and np.array_equal(other.sexes[rows], first.sexes)):
        raise UsageError(
            f"{names[0]} and {names[1]} have other ages or sexes for the same films; use one table for both"
        )
    return OutOfFold(first.ids, first.months, first.sexes, other.given[rows], other.unknown[rows])


def _check_apart(groups: dict[frozenset[str], list[tuple[Path, OutOfFold]]]) -> None:
    """Refuse groups that share some of their films."""
    seen: dict[str, Path] = {}
    for ids, group in groups.items():
        path = group[0][0]
        shared = sorted(ids & seen.keys())
        if shared:
            raise UsageError(
                f"{seen[shared[0]]} and {path} share {len(shared)} films, such as {shared[0]!r}, but not all; members "
                "answer for the same films, folds for other ones"
            )
        seen.update(dict.fromkeys(ids, path))
