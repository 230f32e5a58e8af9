"""Splits that keep groups together and are alike in age and sex, and the proof that they are disjoint."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.data.crops import Crop
from capitate.training.manifest import Study

__all__ = ["BAND_MONTHS", "SplitItem", "SplitProof", "assign", "items_of_crops", "items_of_studies", "prove"]

BAND_MONTHS = 24
"""Width of the bands of age by which splits are balanced."""


@dataclass(frozen=True)
class SplitItem:
    """One film to be put into a split.

    Attributes:
        id: of the film.
        group: what it must not be parted from: its patient, its examination, its hand.
        stratum: what splits are to have alike.
    """

    id: str
    group: str
    stratum: str


@dataclass(frozen=True)
class SplitProof:
    """What was counted on a finished split.

    Attributes:
        films: by split.
        groups: by split.
        strata: films by stratum and split.
        shared_films: ids that stand in two splits; a proof has none.
        shared_groups: groups that stand in two splits; a proof has none.
        largest_deviation: largest difference, over splits and strata of at least 50 films, between a split's share of
            a stratum and the share that was asked for.
    """

    films: Mapping[str, int]
    groups: Mapping[str, int]
    strata: Mapping[str, Mapping[str, int]]
    shared_films: tuple[str, ...]
    shared_groups: tuple[str, ...]
    largest_deviation: float

    @property
    def disjoint(self) -> bool:
        """Whether no film and no group stands in two splits."""
        return not self.shared_films and not self.shared_groups

    def to_json(self) -> dict[str, Any]:
        """Give the proof as plain values."""
        return {
            "disjoint": self.disjoint,
            "shared_films": list(self.shared_films),
            "shared_groups": len(self.shared_groups),
            "films": dict(self.films),
            "groups": dict(self.groups),
            "strata": {name: dict(counts) for name, counts in self.strata.items()},
            "largest_deviation": round(self.largest_deviation, 4),
        }


def items_of_studies(studies: Sequence[Study], *, copies: Sequence[tuple[str, str]] = ()) -> list[SplitItem]:
    """Group films by patient or examination, and by being copies; the stratum is age, sex and reading.

    Args:
        studies: films.
        copies: pairs of ids that must not be parted, such as near-duplicates.
    """
    joined = _Joined()
    for study in studies:
        joined.join(f"film {study.id}", _own_group(study))
    for first, second in copies:
        joined.join(f"film {first}", f"film {second}")
    return [SplitItem(study.id, joined.root(f"film {study.id}"), _stratum(study)) for study in studies]


def items_of_crops(crops: Sequence[Crop]) -> list[SplitItem]:
    """Group crops by hand; the stratum is joint and grade."""
    return [SplitItem(crop.path.as_posix(), crop.hand, f"{crop.joint} grade {crop.grade}") for crop in crops]


def assign(items: Sequence[SplitItem], *, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Put every group into one split so that every stratum is spread by the shares.

    Groups come in a random order, larger ones first, and each goes where it leaves the sum over strata of
    count^2 / (share x size of the stratum) least, which is least where all shares are met.

    Args:
        items: films.
        shares: of the films by split; scaled to a sum of 1.
        seed: of the order.

    Returns:
        The split of every id.

    Raises:
        UsageError: if a share is not positive, or there are fewer groups than splits.
    """
    if len(shares) < 2 or any(not value > 0 for value in shares.values()):
        raise UsageError(f"a split needs two or more names with shares above 0, got {dict(shares)}")
    groups: dict[str, list[SplitItem]] = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    if len(groups) < len(shares):
        raise UsageError(f"{len(groups)} groups cannot be put into {len(shares)} splits; give more films")
    names = list(shares)
    numbers = {name: k for k, name in enumerate(sorted({item.stratum for item in items}))}
    wanted = np.array([shares[name] for name in names]) / sum(shares.values())
    strata = np.bincount([numbers[item.stratum] for item in items], minlength=len(numbers)).astype(np.float64)
    target = np.concatenate([wanted[:, None] * strata, wanted[:, None] * len(items)], axis=1)
    filled = np.zeros_like(target)
    chosen: dict[str, str] = {}
    for group in _order(groups, seed=seed):
        has = _counts(groups[group], numbers)
        cost = ((2 * filled * has + has**2) / target).sum(axis=1)
        best = int(np.argmin(cost))
        filled[best] += has
        chosen.update((item.id, names[best]) for item in groups[group])
    return chosen


def prove(items: Sequence[SplitItem], rows: Sequence[tuple[str, str]], *, shares: Mapping[str, float]) -> SplitProof:
    """Count a split as it was written, without trusting how it was made.

    Args:
        items: films with their groups and strata.
        rows: id and split of every row written.
        shares: that were asked for.

    Raises:
        UsageError: if a film has no split, or a row names none of the films.
    """
    known = {item.id: item for item in items}
    of_film: dict[str, set[str]] = defaultdict(set)
    of_group: dict[str, set[str]] = defaultdict(set)
    strata: dict[str, Counter[str]] = defaultdict(Counter)
    for name, split in rows:
        if name not in known:
            raise UsageError(f"the split names a film that is not in the table, got {name!r}; make it again")
        of_film[name].add(split)
        of_group[known[name].group].add(split)
        strata[known[name].stratum][split] += 1
    lost = known.keys() - of_film.keys()
    if lost:
        raise UsageError(f"{len(lost)} films have no split, the first {min(lost)!r}; make it again")
    total = sum(shares.values())
    apart = [
        abs(counts[name] / counts.total() - shares[name] / total)
        for counts in strata.values()
        if counts.total() >= 50
        for name in shares
    ]
    return SplitProof(
        films=Counter(split for splits in of_film.values() for split in splits),
        groups=Counter(split for splits in of_group.values() for split in splits),
        strata={name: strata[name] for name in sorted(strata)},
        shared_films=tuple(name for name, splits in of_film.items() if len(splits) > 1),
        shared_groups=tuple(name for name, splits in of_group.items() if len(splits) > 1),
        largest_deviation=max(apart, default=0.0),
    )


class _Joined:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def root(self, name: str) -> str:
        """Return the name that stands for the set."""
        while (above := self._above.get(name, name)) != name:
            name = above
        return name

    def join(self, one: str, other: str) -> None:
        """Join two sets; the one whose name comes first stands for both."""
        first, second = sorted((self.root(one), self.root(other)))
        self._above[second] = first


def _own_group(study: Study) -> str:
    if study.patient_id:
        return f"patient {study.patient_id}"
    return f"study {study.study_id}" if study.study_id else f"film {study.id}"


def _stratum(study: Study) -> str:
    parts = [study.sex.value]
    if study.bone_age_months is not None:
        low = int(study.bone_age_months // BAND_MONTHS) * BAND_MONTHS
        parts.append(f"{low} to {low + BAND_MONTHS - 1} months")
    if study.abnormal is not None:
        parts.append("abnormal" if study.abnormal else "normal")
    return ", ".join(parts)


def _order(groups: Mapping[str, Sequence[SplitItem]], *, seed: int) -> list[str]:
    names = sorted(groups)
    shuffled = [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
    return sorted(shuffled, key=lambda name: -len(groups[name]))


def _counts(group: Sequence[SplitItem], numbers: Mapping[str, int]) -> NDArray[np.float64]:
    """Count a group's films by stratum, and in all."""
    counts = np.bincount([numbers[item.stratum] for item in group], minlength=len(numbers))
    return np.append(counts, len(group)).astype(np.float64)
