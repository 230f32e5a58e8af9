"""The whole check of a data set: read to the end, look at every film, put the findings together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from capitate.errors import UsageError
from capitate.training.checks.duplicates import identical_files, near_duplicates
from capitate.training.checks.fault import Fault, Gravity
from capitate.training.checks.film_checks import check_copies, check_pictures, check_readable, check_unlisted
from capitate.training.checks.film_facts import FilmFacts, look_at_films
from capitate.training.checks.split_checks import check_alike, check_overlap
from capitate.training.checks.table_checks import check_balance, check_cells, check_labels, check_rows
from capitate.training.layouts import Reading, read_whole
from capitate.training.manifest import Study, unique_ids
from capitate.types import Sex

__all__ = ["NO_SPLIT", "DataCheck", "check_data", "check_studies", "ordered"]

NO_SPLIT = "all films"
_GRAVITY = list(Gravity)


@dataclass(frozen=True)
class DataCheck:
    """Everything that a check found.

    Attributes:
        name: of the table or folder.
        form: name of its form.
        rows: number of rows of the table, or of films where there is none.
        faults: gravest first.
        studies: films that could be understood, each once.
        facts: of the films that could be read.
    """

    name: str
    form: str
    rows: int
    faults: tuple[Fault, ...]
    studies: tuple[Study, ...] = ()
    facts: tuple[FilmFacts, ...] = ()

    def has(self, gravity: Gravity) -> bool:
        """Whether there is a fault of this gravity or a graver one."""
        return any(_GRAVITY.index(one.gravity) <= _GRAVITY.index(gravity) for one in self.faults)

    def splits(self) -> dict[str, list[Study]]:
        """Films by split, in the order of the splits' names; one entry where there is no split."""
        groups: dict[str, list[Study]] = {}
        for study in sorted(self.studies, key=lambda study: study.split or ""):
            groups.setdefault(study.split or NO_SPLIT, []).append(study)
        return groups

    def to_json(self) -> dict[str, Any]:
        """Give findings and figures as plain values."""
        facts = {one.id: one for one in self.facts}
        return {
            "name": self.name,
            "form": self.form,
            "rows": self.rows,
            "films": len(self.studies),
            "read": len(self.facts),
            "counts": {gravity.value: sum(one.gravity is gravity for one in self.faults) for gravity in Gravity},
            "faults": [
                {
                    "code": one.code,
                    "gravity": one.gravity.value,
                    "count": one.count,
                    "message": one.message,
                    "places": list(one.places),
                }
                for one in self.faults
            ],
            "splits": {name: _summary(group, facts) for name, group in self.splits().items()},
        }


def check_data(
    path: Path,
    *,
    films: Path | None = None,
    workers: int = 1,
    progress: Callable[[int], Callable[[], None]] | None = None,
) -> DataCheck:
    """Check a table with its films.

    Args:
        path: manifest, published table, folder or zip archive, as `read_any` takes them.
        films: folder or archive with the films, where they do not lie in a usual place.
        workers: processes that read films.
        progress: called with the number of films; gives what is called after each.

    Raises:
        TableError: if the table itself cannot be read, or is of no known form.
    """
    reading = read_whole(path, films=films)
    found = check_studies(reading, name=path.name, workers=workers, progress=progress)
    return replace(found, faults=ordered([*found.faults, *check_unlisted(reading.studies)]))


def check_studies(
    reading: Reading,
    *,
    name: str,
    workers: int = 1,
    progress: Callable[[int], Callable[[], None]] | None = None,
) -> DataCheck:
    """Check films that were listed; arguments as for `check_data`."""
    once = {study.path: study for study in reading.studies}
    studies = unique_ids(list(once.values()), base=Path(name).absolute())
    step = progress(len(studies)) if progress else None
    facts, refused = look_at_films(studies, workers=workers, progress=step)
    if not facts and not reading.faults and not refused:
        raise UsageError(f"{name} names no film; nothing was checked")
    identical, pairs = identical_files(facts), near_duplicates(facts)
    known = {study.id: study for study in studies}
    faults = [
        *check_cells(reading),
        *check_rows(reading.studies),
        *check_labels(studies),
        *check_readable(refused),
        *check_overlap(reading.studies, identical, pairs),
        *check_alike(studies, {one.id: one for one in facts}),
        *check_copies(identical, pairs, known),
        *check_pictures(facts),
        *check_balance(studies),
    ]
    return DataCheck(name, reading.form, reading.rows, ordered(faults), tuple(studies), tuple(facts))


def ordered(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Put the gravest first, and join faults of one code."""
    joined: dict[str, Fault] = {}
    for one in faults:
        before = joined.get(one.code)
        places = (*before.places, *one.places) if before else one.places
        joined[one.code] = Fault(one.code, one.gravity, one.message, tuple(dict.fromkeys(places)))
    return tuple(sorted(joined.values(), key=lambda one: _GRAVITY.index(one.gravity)))


def _summary(group: Sequence[Study], facts: dict[str, FilmFacts]) -> dict[str, Any]:
    """Give the figures of one split."""
    ages = np.array([study.bone_age_months for study in group if study.bone_age_months is not None])
    seen = [facts[study.id] for study in group if study.id in facts]
    return {
        "films": len(group),
        "read": len(seen),
        "patients": len({study.patient_id for study in group if study.patient_id}),
        "sexes": {sex.value: sum(study.sex is sex for study in group) for sex in Sex},
        "abnormal": {
            name: sum(study.abnormal is value for study in group)
            for name, value in (("yes", True), ("no", False), ("not read", None))
        },
        "bone_age_months": _spread(ages),
        "width": _spread(np.array([one.width for one in seen])),
        "height": _spread(np.array([one.height for one in seen])),
        "mean_grey": _spread(np.array([one.mean for one in seen])),
        "sd_grey": _spread(np.array([one.sd for one in seen])),
        "types": dict(Counter(f"{one.format} {one.bits} bit" for one in seen)),
    }


def _spread(values: np.ndarray[Any, Any]) -> dict[str, float] | None:
    """Give count, mean, SD, extremes and median, or None where there is no value."""
    if not len(values):
        return None
    return {
        "n": len(values),
        "mean": round(float(values.mean()), 3),
        "sd": round(float(values.std()), 3),
        "min": round(float(values.min()), 3),
        "median": round(float(np.median(values)), 3),
        "max": round(float(values.max()), 3),
    }
