"""Films of the screen with their studies, groups and labels, from any form of table or from MURA's folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError, UsageError
from capitate.training.data.film_finder import is_place
from capitate.training.folds import fold_of, given_folds
from capitate.training.layouts import read_whole, settled
from capitate.training.manifest import Study, read_films_table
from capitate.training.pictures.reading import Item
from capitate.training.settings.abnormality import OnFault, ScreenDataConfig
from capitate.training.table import read_table

__all__ = ["ScreenFilms", "read_screen_films"]

_NAMED = 5


@dataclass(frozen=True, eq=False)
class ScreenFilms:
    """Films in one order.

    Attributes:
        items: id and path of each.
        studies: (n,), films of one are judged together; a film without a study is one of its own.
        groups: (n,), patient, source or study, which a split must not tear apart.
        regions: (n,), empty where the table has none.
        labels: float32 (n,): 0 or 1, NaN where nobody has read the study.
        given_folds: int64 (n,) from the table, or None.
        notes: sentences about what was left out.
        boxes: by row, of films that teach places: float64 (k, 4), left, top, right, bottom as fractions of the film.
    """

    items: tuple[Item, ...]
    studies: NDArray[np.str_]
    groups: NDArray[np.str_]
    regions: NDArray[np.str_]
    labels: NDArray[np.float32]
    given_folds: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    boxes: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which films have a label, bool (n,)."""
        return ~np.isnan(self.labels)

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which films teach places, bool (n,); none of them has a label."""
        return np.isin(np.arange(len(self.items)), list(self.boxes))

    def joined(
        self,
        *,
        items: tuple[Item, ...],
        studies: Sequence[str],
        groups: Sequence[str],
        boxes: Sequence[NDArray[np.float64]],
    ) -> ScreenFilms:
        """Add films that teach places, at the end; where the table gave folds, theirs are by group.

        Args:
            items: id and path of each, (m,).
            studies: (m,).
            groups: (m,).
            boxes: as of `boxes`, (m,).
        """
        count = len(self.items)
        given = self.given_folds
        if given is not None:
            folds = [fold_of(group, folds=int(given.max()) + 1) for group in groups]
            given = np.concatenate([given, np.array(folds, dtype=np.int64)])
        return replace(
            self,
            items=(*self.items, *items),
            studies=np.concatenate([self.studies, np.array(studies, dtype=np.str_)]),
            groups=np.concatenate([self.groups, np.array(groups, dtype=np.str_)]),
            regions=np.concatenate([self.regions, np.full(len(items), "", dtype=np.str_)]),
            labels=np.concatenate([self.labels, np.full(len(items), np.nan, dtype=np.float32)]),
            given_folds=given,
            boxes={**self.boxes, **{count + k: one for k, one in enumerate(boxes)}},
        )

    def only_labelled(self) -> ScreenFilms:
        """Leave films without a label out, and say so."""
        there = self.labelled
        if there.all():
            return self
        told = f"{int((~there).sum())} of {there.size} films have no label and were not used; see unlabelled.use."
        return replace(
            self,
            items=tuple(item for item, kept in zip(self.items, there, strict=True) if kept),
            studies=self.studies[there],
            groups=self.groups[there],
            regions=self.regions[there],
            labels=self.labels[there],
            given_folds=None if self.given_folds is None else self.given_folds[there],
            notes=(*self.notes, told),
        )

    def folds(self, count: int) -> NDArray[np.int64]:
        """Give the fold of every film by its group, or as the table gave it, int64 (n,).

        Raises:
            UsageError: if the table's folds are not `count`.
        """
        if self.given_folds is None:
            return np.array([fold_of(str(group), folds=count) for group in self.groups], dtype=np.int64)
        found = int(self.given_folds.max()) + 1
        if found != count:
            raise UsageError(f"the table has {found} folds and the experiment {count}; set folds = {found}")
        return self.given_folds


def read_screen_films(data: Path, config: ScreenDataConfig, *, folds_from_table: bool = False) -> ScreenFilms:
    """Read a manifest with `abnormal`, a table of films or studies with labels, or MURA's folders.

    Args:
        data: table or folder.
        config: what the data mean, and what happens to their faults.
        folds_from_table: keep the folds that the table's column `split` gives.

    Raises:
        TableError: if the data cannot be understood, a film of a table is missing, or no film has a label.
        UsageError: naming studies whose films contradict each other, where a run is to stop.
    """
    studies, notes = _read(data, config)
    names = [study.study_id or study.id for study in studies]
    _one_patient(studies, names)
    labels, contradictory = _labels(studies, names)
    if contradictory:
        told = f"the films of {_named(contradictory)} contradict each other about being abnormal"
        if config.contradictory is OnFault.STOP:
            raise UsageError(f"{told}; correct the table, or set data.contradictory = 'leave_out'")
        notes.append(f"{told[0].upper()}{told[1:]} and were left out.")
    kept = [k for k, name in enumerate(names) if name not in contradictory]
    if not any(labels[names[k]] is not None for k in kept):
        raise TableError(f"none of {len(studies)} films has a label; fill the column abnormal, or name studies as MURA")
    folds = given_folds([studies[k] for k in kept]) if folds_from_table else None
    return ScreenFilms(
        tuple(Item(studies[k].id, studies[k].path) for k in kept),
        np.array([names[k] for k in kept], dtype=np.str_),
        np.array([studies[k].patient_id or names[k] for k in kept], dtype=np.str_),
        np.array([_region(studies[k], config) for k in kept], dtype=np.str_),
        np.array([np.nan if (one := labels[names[k]]) is None else float(one) for k in kept], dtype=np.float32),
        None if folds is None else np.array(folds, dtype=np.int64),
        tuple(notes),
    )


def _read(data: Path, config: ScreenDataConfig) -> tuple[list[Study], list[str]]:
    """Read films; studies of which none is found are left out and told, if that is wanted."""
    if not is_place(data) and "path" in read_table(data).columns:
        return read_films_table(data), []
    reading = read_whole(data)
    missing = [fault.value for fault in reading.faults if fault.fault == "missing_film"]
    notes: list[str] = []
    if missing and config.missing is OnFault.LEAVE_OUT:
        reading = replace(reading, faults=tuple(one for one in reading.faults if one.fault != "missing_film"))
        notes = [f"No film was found of {_named(missing)}."]
    return settled(reading, path=data), notes


def _labels(studies: Sequence[Study], names: Sequence[str]) -> tuple[dict[str, bool | None], list[str]]:
    """Give each study's label, which holds for all its films, and the studies that have two."""
    found: dict[str, set[bool]] = defaultdict(set)
    for study, name in zip(studies, names, strict=True):
        found[name] |= set() if study.abnormal is None else {study.abnormal}
    labels = {name: next(iter(found[name]), None) for name in names}
    return labels, [name for name, values in found.items() if len(values) > 1]


def _one_patient(studies: Sequence[Study], names: Sequence[str]) -> None:
    patients: dict[str, str | None] = {}
    for study, name in zip(studies, names, strict=True):
        if patients.setdefault(name, study.patient_id) != study.patient_id:
            raise TableError(
                f"the study {name!r} belongs to two patients; write study ids that no other patient's study has"
            )


def _region(study: Study, config: ScreenDataConfig) -> str:
    """Name a film's region; a number by the names that the experiment gives."""
    told = (study.region or "") if config.region == "region" else study.labels.get(config.region, "")
    if not config.region_names or not told.isdecimal():
        return told
    if int(told) >= len(config.region_names):
        raise TableError(
            f"the film {study.id!r} is of region {told}, and data.region_names has {len(config.region_names)} names "
            "from 0 on; name every region"
        )
    return config.region_names[int(told)]


def _named(studies: Sequence[str]) -> str:
    """Name the first few of some studies."""
    more = f" and {len(studies) - _NAMED} more" if len(studies) > _NAMED else ""
    return f"{len(studies)} studies ({', '.join(studies[:_NAMED])}{more})"
