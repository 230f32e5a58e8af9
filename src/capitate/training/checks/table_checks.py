"""Faults of the table itself: cells, doubled rows, implausible ages, imbalance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from capitate.training.checks.fault import Fault, Gravity, fault
from capitate.training.layouts import Reading
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["CELL_FAULTS", "PLAUSIBLE_MONTHS", "check_balance", "check_cells", "check_labels", "check_rows"]

PLAUSIBLE_MONTHS = 240.0
"""Bone age beyond which a label is doubted: the oldest standard, of 19 years (Greulich and Pyle 1959), and a year."""

_APART_MONTHS = 72.0
_RARE_SHARE = 0.1
_LOPSIDED_SEX = 0.25
_SPARSE_STRATUM = 0.02
_ENOUGH = 20
_STRATA: Final = ((0, 57), (57, 114), (114, 171), (171, 229))
CELL_FAULTS = {
    "not_finite": "A number is NaN or infinite. Correct the cell, or leave it empty if the value is not known.",
    "out_of_range": "A number is outside of what it can be. Correct it, or convert its unit.",
    "bad_sex": "A sex is empty or not understood. Write female, male or unknown.",
    "empty_cell": "A cell that has to be filled is empty.",
    "bad_cell": "A cell cannot be understood.",
    "missing_film": "The table names films that are not there. Find them, or remove their rows.",
}
"""What the kinds of faulty cells mean and what to do; the kinds are those of `capitate.errors.CellError`."""

_NOT_FINITE = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity"})


def check_cells(reading: Reading) -> list[Fault]:
    """Report the cells that could not be understood, by kind."""
    places: dict[str, list[str]] = defaultdict(list)
    for error in reading.faults:
        places[error.fault].append(f"line {error.line}, column {error.column!r}: got {error.value!r}")
    for study in reading.studies:
        for column, value in study.labels.items():
            if value.casefold() in _NOT_FINITE:
                places["not_finite"].append(f"film {study.id}, column {column!r}: got {value!r}")
    found = (fault(code, Gravity.ERROR, CELL_FAULTS[code], places[code]) for code in CELL_FAULTS)
    return [one for some in found for one in some]


def check_rows(studies: Sequence[Study]) -> list[Fault]:
    """Report films and ids that stand in several rows, and those whose rows contradict each other."""
    rows: dict[str, list[Study]] = defaultdict(list)
    for study in studies:
        rows[study.path.as_posix()].append(study)
    twice = {path: same for path, same in rows.items() if len(same) > 1}
    ids = Counter(study.id for study in studies if study.path.as_posix() not in twice)
    contradicting = [
        f"film {same[0].id}: {' / '.join(_labels(one) for one in same)}"
        for same in twice.values()
        if len({_labels(one) for one in same}) > 1
    ]
    return [
        *fault(
            "film_in_two_rows",
            Gravity.ERROR,
            "A film stands in several rows. Remove all but one.",
            [f"film {same[0].id}: {len(same)} rows" for same in twice.values()],
        ),
        *fault(
            "rows_contradict",
            Gravity.ERROR,
            "Rows of one film have different labels. Find out which holds.",
            contradicting,
        ),
        *fault(
            "id_of_several_films",
            Gravity.WARNING,
            "Several films have one file stem; their ids become their paths. Rename them if tables are joined by id.",
            [f"{name}: {count} films" for name, count in ids.items() if count > 1],
        ),
    ]


def check_labels(studies: Sequence[Study]) -> list[Fault]:
    """Report ages that can hardly be right, and ages that look like years."""
    aged = [(study.id, study.bone_age_months) for study in studies if study.bone_age_months is not None]
    beyond = [f"film {name}: {age:g} months" for name, age in aged if not 0 < age <= PLAUSIBLE_MONTHS]
    apart = [
        f"film {study.id}: bone age {study.bone_age_months:g}, chronological age {study.chronological_age_months:.0f}"
        for study in studies
        if study.bone_age_months is not None
        and study.chronological_age_months is not None
        and abs(study.bone_age_months - study.chronological_age_months) > _APART_MONTHS
    ]
    ages = np.array([age for _, age in aged])
    in_years = len(ages) >= _ENOUGH and ages.max() <= 20 and np.median(ages) > 2
    unit = [f"{len(ages)} ages from {ages.min():g} to {ages.max():g}"] if in_years else []
    return [
        *fault(
            "implausible_age",
            Gravity.ERROR,
            f"A bone age is not above 0 and at most {PLAUSIBLE_MONTHS:g} months. Correct it, or leave it empty.",
            beyond,
        ),
        *fault(
            "ages_look_like_years",
            Gravity.ERROR,
            "No bone age exceeds 20: these look like years. Multiply them by 12.",
            unit,
        ),
        *fault(
            "ages_far_apart",
            Gravity.WARNING,
            f"Bone age and chronological age differ by more than {_APART_MONTHS:g} months. Check both.",
            apart,
        ),
    ]


def check_balance(studies: Sequence[Study]) -> list[Fault]:
    """Report classes that are rare: a sex, normal or abnormal studies, bands of age."""
    sexes: Counter[Sex] = Counter(study.sex for study in studies)
    read = Counter(study.abnormal for study in studies if study.abnormal is not None)
    places = [
        *_rare({"girls": sexes[Sex.FEMALE], "boys": sexes[Sex.MALE]}, least=_LOPSIDED_SEX),
        *_rare({"abnormal films": read[True], "films read as normal": read[False]}, least=_RARE_SHARE),
    ]
    ages = np.array([study.bone_age_months for study in studies if study.bone_age_months is not None])
    if len(ages) >= _ENOUGH:
        for low, high in _STRATA:
            count = int(((ages >= low) & (ages < high)).sum())
            if count < _SPARSE_STRATUM * len(ages):
                places.append(
                    f"{count} of {len(ages)} films are of {low} to {high - 1} months ({count / len(ages):.1%})"
                )
    message = "A class is rare. Weigh it when sampling, and report figures on it apart."
    return fault("class_imbalance", Gravity.WARNING, message, places)


def _rare(counts: dict[str, int], *, least: float) -> list[str]:
    """Name the classes that hold less than a share of enough films."""
    total = sum(counts.values())
    if total < _ENOUGH:
        return []
    return [
        f"{count} of {total} are {name} ({count / total:.1%})"
        for name, count in counts.items()
        if count < least * total
    ]


def _labels(study: Study) -> str:
    age = "no age" if study.bone_age_months is None else f"{study.bone_age_months:g} months"
    return ", ".join((study.sex.value, age, study.split or "no split"))
