"""Which films a call of `assess` means, in which order, and what is known about the child of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from capitate import files
from capitate.assessor import Request
from capitate.errors import UsageError
from capitate.training.layouts import read_any
from capitate.training.manifest import Study, read_films_table, read_path_list
from capitate.training.table import read_table
from capitate.types import Finding, Severity, Sex

__all__ = ["Child", "Film", "choose"]

MAX_YEARS = 30


@dataclass(frozen=True)
class Child:
    """What the options say about the child; it holds for every film that no table speaks for."""

    sex: Sex | None = None
    years: float | None = None
    birth_date: date | None = None
    study_date: date | None = None

    def request(self) -> Request:
        """Put it as a request."""
        months = None if self.years is None else self.years * 12
        return Request(
            sex=self.sex, chronological_age_months=months, birth_date=self.birth_date, study_date=self.study_date
        )


@dataclass(frozen=True)
class Film:
    """One film to assess.

    Attributes:
        path: where it lies.
        shown: its path as the user knows it.
        request: what is known about the child.
        findings: remarks for its assessment.
    """

    path: Path
    shown: str
    request: Request
    findings: tuple[Finding, ...] = ()


def choose(paths: Sequence[Path], *, table: Path | None, listed: Path | None, child: Child) -> list[Film]:
    """List the films of a call: paths and folders first, then those of the list; of a table alone, its rows.

    With films and a table both, the films are assessed in their order and the table is looked up for each: by its
    path, otherwise by its file name, otherwise by its name without the ending.

    Raises:
        UsageError: if nothing was named, a folder holds no film, or the options contradict the table or each other.
    """
    _check(child, table=table)
    found = _found([*paths, *(read_path_list(listed) if listed else [])])
    if table is None:
        if not found:
            raise UsageError("no film was named; give films or folders, or --table FILE or --list FILE")
        return [Film(path, str(path), child.request()) for path in found]
    rows = _rows(table)
    _check_sexes(rows, child.sex, table=table)
    if not (paths or listed):
        return [Film(row.path, row.listed, _request(row, child)) for row in rows]
    return _looked_up(found, rows, child=child, table=table)


def _check(child: Child, *, table: Path | None) -> None:
    """Refuse options that cannot be meant."""
    aged = any(value is not None for value in (child.years, child.birth_date, child.study_date))
    if table is not None and aged:
        raise UsageError(
            "--age, --birth-date and --study-date are of one child and do not go with --table; "
            "give them as columns age_years, birth_date and study_date of the table"
        )
    if child.years is not None and not 0 <= child.years <= MAX_YEARS:
        raise UsageError(f"--age is in years, 0 to {MAX_YEARS}, got {child.years:g}; give 10.5 for 10 years 6 months")
    if child.birth_date and child.study_date and child.study_date < child.birth_date:
        raise UsageError(
            f"the study date {child.study_date} is before the birth date {child.birth_date}; correct one of the two"
        )


def _found(paths: Sequence[Path]) -> list[Path]:
    """Expand folders, each of which has to hold a film."""
    found: list[Path] = []
    for path in paths:
        inside = files.find(path)
        if not inside:
            raise UsageError(f"no film in the folder {str(path)!r}; films are PNG, JPEG, TIFF, WebP or DICOM files")
        found += inside
    return found


def _rows(table: Path) -> list[Study]:
    """Read a table with a column `path`, or one of the published layouts."""
    return read_films_table(table) if "path" in read_table(table).columns else read_any(table)


def _check_sexes(rows: Sequence[Study], sex: Sex | None, *, table: Path) -> None:
    """Refuse a `--sex` that the table contradicts; it is for rows that leave the sex open."""
    if sex in (None, Sex.UNKNOWN):
        return
    other = [row for row in rows if row.sex_stated and row.sex not in (sex, Sex.UNKNOWN)]
    if other:
        raise UsageError(
            f"--sex {sex} contradicts {table.name}, which says {other[0].sex} for {other[0].listed!r} "
            f"({len(other)} such films); leave --sex out: it is for rows without a sex"
        )


def _request(row: Study, child: Child) -> Request:
    """Put a row's facts as a request; an empty sex is filled from `--sex`, otherwise left to the film."""
    return Request(
        sex=row.sex if row.sex_stated else child.sex,
        sex_source="table" if row.sex_stated else "given",
        chronological_age_months=row.chronological_age_months,
        birth_date=row.birth_date,
        study_date=row.study_date,
    )


def _looked_up(found: Sequence[Path], rows: Sequence[Study], *, child: Child, table: Path) -> list[Film]:
    """Find each film's row."""
    indices = [(key, _index(rows, key)) for key in (_place, _name, _stem)]
    films = []
    for path in found:
        fitting = next((index[key(path)] for key, index in indices if key(path) in index), [])
        if len(fitting) > 1:
            raise UsageError(
                f"{table.name} has {len(fitting)} rows for the film {str(path)!r}, such as {fitting[0].listed!r} and "
                f"{fitting[1].listed!r}; give the table alone, or write whole paths in it"
            )
        known = [Film(path, str(path), _request(row, child)) for row in fitting]
        films.append(known[0] if known else _without_row(path, child, table))
    if all(film.findings for film in films):
        raise UsageError(f"{table.name} has no row for any of the {len(films)} films; check its column path")
    return films


def _index(rows: Sequence[Study], key: Callable[[Path], str]) -> dict[str, list[Study]]:
    """Group rows by a key of their path."""
    index: dict[str, list[Study]] = {}
    for row in rows:
        index.setdefault(key(row.path), []).append(row)
    return index


def _without_row(path: Path, child: Child, table: Path) -> Film:
    """Assess a film that the table leaves out with what the options and the film itself say, and say so."""
    message = f"{table.name} has no row for this film; sex and age are from the options or the film itself."
    film = Film(path, str(path), child.request())
    return replace(film, findings=(Finding("not_in_table", Severity.WARNING, message),))


def _place(path: Path) -> str:
    return str(path.resolve())


def _name(path: Path) -> str:
    return path.name


def _stem(path: Path) -> str:
    return path.stem
