"""Files that are copies of one film brought together, and of each film the copy that was changed least."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from capitate.training.checks.film_facts import TURNS
from capitate.training.checks.film_structure import FilmStructure, look_at_structures
from capitate.training.checks.turned_copies import (
    ALIKE,
    CopyPair,
    compared,
    copies_across,
    copies_in_group,
)
from capitate.training.manifest import Study
from capitate.training.prepare import Refused

__all__ = ["CopiedFilm", "CopyLimits", "CopySearch", "FilmCopy", "find_copies"]

_NEAR_MISS = 0.1
"""How far below a limit a pair is still named, to be looked at."""

_AS_STORED = (0,)


@dataclass(frozen=True)
class CopyLimits:
    """From which correlation on two films are copies.

    Attributes:
        in_group: within one patient, examination or source, on canvases of one size, turned or darkened;
            `ALIKE_IN_SOURCE` for sources of unrelated films.
        anywhere: among all films, also mirrored and turned by quarters.
        only_groups: whether films of different groups are not compared.
    """

    in_group: float = ALIKE
    anywhere: float = ALIKE
    only_groups: bool = False


@dataclass(frozen=True)
class FilmCopy:
    """One file of a film.

    Attributes:
        study: the file and what its table says.
        correlation: with the chosen copy; 1 for that itself.
        mirrored: whether the chosen copy has to be mirrored to match.
        degrees: by which it is then turned against the clock to match.
    """

    study: Study
    correlation: float = 1.0
    mirrored: bool = False
    degrees: int = 0


@dataclass(frozen=True)
class CopiedFilm:
    """A film with all its files.

    Attributes:
        copies: the chosen one first, the others by id.
        group: what a split must not tear apart: the source, patient or examination, with those that share a film.
    """

    copies: tuple[FilmCopy, ...]
    group: str

    @property
    def readings(self) -> frozenset[bool]:
        """What the copies are labelled as, without those that nobody has read."""
        return frozenset(one.study.abnormal for one in self.copies if one.study.abnormal is not None)

    @property
    def contradictory(self) -> bool:
        """Whether copies are labelled differently."""
        return len(self.readings) > 1

    def study(self) -> Study:
        """Give the film as one row: the chosen copy, its group as patient, the film as examination.

        A reading or region that only another copy has is taken from it. Where copies contradict each other there is no
        reading.
        """
        chosen = self.copies[0].study
        return replace(
            chosen,
            patient_id=self.group,
            study_id=chosen.study_id or chosen.id,
            abnormal=None if self.contradictory else next(iter(self.readings), None),
            region=next((one.study.region for one in self.copies if one.study.region), None),
        )


@dataclass(frozen=True)
class CopySearch:
    """What a search for copies found.

    Attributes:
        films: in the order of their chosen copies' table.
        refused: files that could not be read.
        joined: copies in different groups, which make these one group; none where the table has no groups.
        near_misses: pairs just below the limit.
    """

    films: tuple[CopiedFilm, ...]
    refused: tuple[Refused, ...] = ()
    joined: tuple[CopyPair, ...] = ()
    near_misses: tuple[CopyPair, ...] = ()

    @property
    def torn(self) -> dict[str, list[str]]:
        """Groups that stand in more than one split, with the splits."""
        splits: dict[str, set[str]] = defaultdict(set)
        for film in self.films:
            splits[film.group] |= {one.study.split for one in film.copies if one.study.split}
        return {name: sorted(found) for name, found in splits.items() if len(found) > 1}

    def to_json(self) -> dict[str, Any]:
        """Give counts and what has to be looked at as plain values."""
        sizes = Counter(len(film.copies) for film in self.films)
        return {
            "files": sum(size * count for size, count in sizes.items()) + len(self.refused),
            "films": len(self.films),
            "groups": len({film.group for film in self.films}),
            "films_by_number_of_files": {str(size): sizes[size] for size in sorted(sizes)},
            "contradictory": [[one.study.id for one in film.copies] for film in self.films if film.contradictory],
            "groups_in_two_splits": self.torn,
            "joined": [_shown(pair) for pair in self.joined],
            "near_misses": [_shown(pair) for pair in self.near_misses],
            "refused": [{"id": one.id, "code": one.code, "message": one.message} for one in self.refused],
        }


def find_copies(
    studies: Sequence[Study],
    *,
    limits: CopyLimits | None = None,
    workers: int = 1,
    progress: Callable[[], None] | None = None,
) -> CopySearch:
    """Find which files are copies of one film.

    Args:
        studies: files with unique ids; patient, or otherwise examination, are their groups.
        limits: see `CopyLimits`.
        workers: processes that read files.
        progress: called after each file.
    """
    limits = limits or CopyLimits()
    seen, refused = look_at_structures(studies, workers=workers, progress=progress)
    known = {study.id: study for study in studies}
    group = {one.id: _group_of(known[one.id]) for one in seen}
    inside = [
        pair
        for films in _grouped(seen, group).values()
        for pair in copies_in_group(films, alike=limits.in_group - _NEAR_MISS)
    ]
    copies = [pair for pair in inside if pair.correlation >= limits.in_group]
    least_turned = [min(files, key=_least_turned) for files in _grouped(seen, _connected(group, copies)).values()]
    anywhere = [] if limits.only_groups else copies_across(least_turned, alike=limits.anywhere - _NEAR_MISS)
    across = [pair for pair in anywhere if pair.correlation >= limits.anywhere]
    film_of = _connected(group, [*copies, *across])
    joined = [pair for pair in across if group[pair.first] != group[pair.second]]
    groups = _joined_groups(group, joined)
    plain = {film_of[pair.first] for pair in copies} - {film_of[pair.first] for pair in across}
    films = [
        CopiedFilm(_copies(files, known, variants=_AS_STORED if name in plain else range(TURNS)), groups[files[0].id])
        for name, files in _grouped(seen, film_of).items()
    ]
    order = {study.id: k for k, study in enumerate(studies)}
    films.sort(key=lambda film: order[film.copies[0].study.id])
    missed = [pair for pair in (*inside, *anywhere) if film_of[pair.first] != film_of[pair.second]]
    told = [pair for pair in joined if known[pair.first].patient_id or known[pair.first].study_id]
    return CopySearch(tuple(films), tuple(refused), tuple(told), tuple(missed))


def _copies(
    files: Sequence[FilmStructure], known: Mapping[str, Study], *, variants: Iterable[int]
) -> tuple[FilmCopy, ...]:
    """Choose a film's least changed copy, and compare the others with it."""
    chosen = min(files, key=_least_turned)
    others = sorted((one for one in files if one is not chosen), key=lambda one: one.id)
    pairs = compared(chosen, others, variants=tuple(variants)) if others else []
    compared_ones = [FilmCopy(known[pair.second], pair.correlation, pair.mirrored, pair.degrees) for pair in pairs]
    return (FilmCopy(known[chosen.id]), *compared_ones)


def _least_turned(film: FilmStructure) -> tuple[float, float, str]:
    """Order copies: the least black corners first, then the greatest contrast."""
    return round(film.corners, 3), -film.contrast, film.id


def _group_of(study: Study) -> str:
    return study.patient_id or study.study_id or study.id


def _grouped(seen: Sequence[FilmStructure], name_of: Mapping[str, Any]) -> dict[Any, list[FilmStructure]]:
    groups: dict[Any, list[FilmStructure]] = defaultdict(list)
    for one in seen:
        groups[name_of[one.id]].append(one)
    return groups


def _connected(ids: Iterable[str], pairs: Sequence[CopyPair]) -> dict[str, int]:
    """Number the films that pairs connect, by id."""
    rows = {name: k for k, name in enumerate(ids)}
    ends = np.array([(rows[pair.first], rows[pair.second]) for pair in pairs], dtype=np.int64).reshape(-1, 2)
    edges = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(len(rows), len(rows)))
    _, number = connected_components(edges, directed=False)
    return dict(zip(rows, number.tolist(), strict=True))


def _joined_groups(group: Mapping[str, str], joined: Sequence[CopyPair]) -> dict[str, str]:
    """Name the group of each film; groups that share a film have the name that comes first."""
    between = [replace(pair, first=group[pair.first], second=group[pair.second]) for pair in joined]
    number = _connected(sorted(set(group.values())), between)
    first: dict[int, str] = {}
    for name in sorted(number):
        first.setdefault(number[name], name)
    return {film: first[number[name]] for film, name in group.items()}


def _shown(pair: CopyPair) -> list[Any]:
    return [pair.first, pair.second, pair.correlation]
