"""Which films there are and what is known about each: the manifest that evaluation, training and cohorts read."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from capitate.errors import TableError
from capitate.training.table import MAX_MONTHS, Row, read_table, read_text
from capitate.types import Sex, Side

__all__ = [
    "DAYS_PER_MONTH",
    "Study",
    "one_patient_one_split",
    "read_films_table",
    "read_manifest",
    "read_path_list",
    "study_of",
    "unique_ids",
    "write_manifest",
]

DAYS_PER_MONTH = 365.25 / 12
_MAX_YEARS = 30.0
_NEEDED = ("path", "sex", "bone_age_months")
_KNOWN = frozenset(
    {"path", "sex", "bone_age_months", "patient_id", "study_id", "birth_date", "study_date", "side", "region"}
    | {"chronological_age_months", "age", "age_years", "abnormal", "split"}
)


@dataclass(frozen=True)
class Study:
    """One film and what its table says about it. Sex, age and identity travel with the film in one record.

    Attributes:
        path: the film, absolute; in a zip archive, the archive's path and the member's name.
        id: the film's file stem; where two films of a table share a stem, the path relative to the table.
        listed: the path as the table has it or, where it has none, relative to the table.
        sex: as the table states it.
        sex_stated: False where the table leaves the sex open, so that the film's own may be used.
        bone_age_months: reference bone age in months, or None.
        patient_id: groups films of one child, or None.
        study_id: groups films of one examination, or None.
        birth_date: or None.
        study_date: or None.
        chronological_age_months: as stated, otherwise study date minus birth date, otherwise None.
        side: side of the body.
        region: part of the body, as the table has it.
        abnormal: whether the study was read as abnormal, or None.
        split: as the table has it, such as `train`.
        labels: cells of all further columns, for subgroups.
    """

    path: Path
    id: str
    listed: str = ""
    sex: Sex = Sex.UNKNOWN
    sex_stated: bool = True
    bone_age_months: float | None = None
    patient_id: str | None = None
    study_id: str | None = None
    birth_date: date | None = None
    study_date: date | None = None
    chronological_age_months: float | None = None
    side: Side = Side.UNKNOWN
    region: str | None = None
    abnormal: bool | None = None
    split: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def read_manifest(path: str | Path) -> list[Study]:
    """Read a manifest: columns `path`, `sex` and `bone_age_months`, and any of the optional ones.

    Paths are relative to the manifest. The films themselves are not opened. An empty bone age is None; an empty sex
    is an error, because `unknown` has to be meant.

    Raises:
        TableError: naming file, line, column, the value received and what to do.
    """
    table = read_table(Path(path))
    table.require("path", "sex", "bone_age_months")
    return unique_ids([study_of(row, sex_needed=True) for row in table.rows], base=_folder(path))


def read_films_table(path: str | Path) -> list[Study]:
    """Read a table of films to assess: column `path`, and optionally a sex and an age a film.

    Beside the manifest's columns, `age_years` and `age` give the chronological age in years.

    Raises:
        TableError: naming file, line, column, the value received and what to do.
    """
    table = read_table(Path(path))
    table.require("path")
    return unique_ids([study_of(row) for row in table.rows], base=_folder(path))


def read_path_list(path: str | Path) -> list[Path]:
    """Read a text file with one film a line, relative to the file; `#` starts a comment line, blank lines are skipped.

    Raises:
        TableError: if the file cannot be read or names no film.
    """
    base = _folder(path)
    lines = (line.strip() for line in read_text(Path(path)).splitlines())
    films = [base / line for line in lines if line and not line.startswith("#")]
    if not films:
        raise TableError(f"{Path(path).name}: the list is empty, got no path; write one film a line")
    return films


def study_of(row: Row, *, sex_needed: bool = False) -> Study:
    """Turn a row with the manifest's column names into a `Study`.

    Args:
        row: of the table.
        sex_needed: whether an empty sex is an error.

    Raises:
        CellError: if a cell cannot be understood.
    """
    name = row.text("path")
    if name is None:
        row.fail("path", "no film", "write the film's path relative to the table", fault="empty_cell")
    sex = row.sex("sex")
    if sex_needed and sex is None:
        row.fail("sex", "no sex", "write female, male or unknown (or F, M, U)", fault="bad_sex")
    birth, study = row.day("birth_date"), row.day("study_date")
    return Study(
        path=Path(os.path.normpath(_folder(row.path) / name)),
        id=Path(name).stem,
        listed=name,
        sex=sex or Sex.UNKNOWN,
        sex_stated=sex is not None,
        bone_age_months=row.number("bone_age_months", most=MAX_MONTHS),
        patient_id=row.text("patient_id"),
        study_id=row.text("study_id"),
        birth_date=birth,
        study_date=study,
        chronological_age_months=_chronological_age(row, birth=birth, study=study),
        side=row.side("side"),
        region=row.text("region"),
        abnormal=row.label("abnormal"),
        split=row.text("split"),
        labels={name: value for name, value in row.values.items() if name not in _KNOWN},
    )


def unique_ids(studies: Sequence[Study], *, base: Path) -> list[Study]:
    """Make ids unique: a stem that several films share is replaced by the path relative to `base`.

    Raises:
        TableError: if a film stands twice.
    """
    twice = [path for path, count in Counter(study.path for study in studies).items() if count > 1]
    if twice:
        raise TableError(
            f"a film stands twice, got {_relative(twice[0], base)!r} ({len(twice)} such films); remove the second row"
        )
    shared = {stem for stem, count in Counter(study.id for study in studies).items() if count > 1}
    return [replace(s, id=_relative(s.path, base)) if s.id in shared else s for s in studies]


def one_patient_one_split(studies: Iterable[Study]) -> None:
    """Check that every patient, or where there is none every examination, stands in one split.

    Raises:
        TableError: naming the splits of the first that does not, and how many there are.
    """
    splits: dict[str, set[str]] = {}
    for study in studies:
        group = study.patient_id or study.study_id
        if group and study.split:
            splits.setdefault(group, set()).add(study.split)
    torn = [found for found in splits.values() if len(found) > 1]
    if torn:
        raise TableError(
            f"a patient stands in two splits, got films of one in {' and '.join(sorted(torn[0]))} ({len(torn)} such "
            "patients); make the split again with `capitate data split`"
        )


def write_manifest(studies: Sequence[Study], path: Path) -> None:
    """Write a manifest that `read_manifest` reads; columns that no film fills are left out.

    Raises:
        OSError: if the file cannot be written.
    """
    base = path.absolute().parent
    rows = [_cells(study, base=base) for study in studies]
    columns = list(dict.fromkeys(name for row in rows for name, value in row.items() if value or name in _NEEDED))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _cells(study: Study, *, base: Path) -> dict[str, str]:
    own = {
        "path": Path(os.path.relpath(study.path, base)).as_posix(),
        "sex": study.sex.value,
        "bone_age_months": _shown(study.bone_age_months),
        "patient_id": study.patient_id or "",
        "study_id": study.study_id or "",
        "birth_date": study.birth_date.isoformat() if study.birth_date else "",
        "study_date": study.study_date.isoformat() if study.study_date else "",
        "chronological_age_months": _shown(study.chronological_age_months),
        "side": "" if study.side is Side.UNKNOWN else study.side.value,
        "region": study.region or "",
        "abnormal": "" if study.abnormal is None else str(int(study.abnormal)),
        "split": study.split or "",
    }
    return own | {name: value for name, value in study.labels.items() if name not in own}


def _shown(months: float | None) -> str:
    return "" if months is None else f"{months:.10g}"


def _folder(path: str | Path) -> Path:
    return Path(path).absolute().parent


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _chronological_age(row: Row, *, birth: date | None, study: date | None) -> float | None:
    stated = row.number("chronological_age_months", most=MAX_MONTHS)
    if stated is not None:
        return stated
    for column in ("age_years", "age"):
        years = row.number(column, most=_MAX_YEARS, unit="years")
        if years is not None:
            return years * 12
    if birth is None or study is None:
        return None
    if study < birth:
        row.fail("study_date", f"the study is before the birth date {birth}", "correct one of the two")
    return (study - birth).days / DAYS_PER_MONTH
