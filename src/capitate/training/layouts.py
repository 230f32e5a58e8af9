"""Tables as data sets publish them, told apart by their columns, with the films found beside them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from capitate.errors import CellError, TableError
from capitate.files.archive import members
from capitate.training.data.film_finder import SUFFIXES, FilmFinder, is_place
from capitate.training.data.mura import MURA_FORM, is_mura, mura_studies
from capitate.training.manifest import Study, one_patient_one_split, study_of, unique_ids
from capitate.training.table import MAX_MONTHS, Row, Table, read_table
from capitate.types import Sex

__all__ = [
    "CLASS_REGIONS",
    "LAYOUTS",
    "SUFFIXES",
    "Layout",
    "Reading",
    "known_tables",
    "read_any",
    "read_whole",
    "settled",
]

log = logging.getLogger(__name__)

_TABLE_SUFFIXES = (".csv", ".tsv")
_NAMED_MISSING = 5
_MANIFEST = "manifest"
FRACTURES_BY_SOURCE = "fractures by source"
"""Name of the form whose groups are sources of unrelated films."""


@dataclass(frozen=True)
class Layout:
    """How one published form of table names its columns.

    Attributes:
        name: for messages and reports.
        key: column with the film's number or name.
        sex: column with the sex, or None where the form has none.
        age: names under which the bone age in months is known; the first that the table has counts.
        film: column with the film's file name, or None where the film is named after the key.
        age_optional: whether the form is also published without bone ages.
        abnormal: column with the reading, or None.
        group: column whose films belong together in a split, or None.
        several: whether a row is an examination with any number of films, named after it.
        region: column with the part of the body as the number of a class of `CLASS_REGIONS`, or None.
    """

    name: str
    key: str
    sex: str | None = None
    age: tuple[str, ...] = ()
    film: str | None = None
    age_optional: bool = False
    abnormal: str | None = None
    group: str | None = None
    several: bool = False
    region: str | None = None

    def fits(self, table: Table) -> bool:
        """Whether the table has this form's columns."""
        needed = {self.key, self.sex, self.film, self.abnormal, self.group} - {None}
        return needed <= set(table.columns) and (self.age_optional or self.age_column(table) is not None)

    def age_column(self, table: Table) -> str | None:
        """Return the table's column of bone ages, or None."""
        return next((name for name in self.age if name in table.columns), None)


CLASS_REGIONS = ("elbow", "fingers", "forearm", "humerus", "humerus", "shoulder", "wrist")
"""Part of the body by the number of a class of the fracture set; its class 3 is called humerus fracture, 4 humerus."""

# The RSNA Pediatric Bone Age Challenge 2017 published its training table as `id,boneage,male`, its validation table as
# `Image ID,male,Bone Age (months)` and its test table as `Case ID,Sex`, later with the ground truth. The first with a
# file column wins, so the order matters.
LAYOUTS = (
    Layout("films with file names", key="id", sex="sex", age=("boneage_months", "bone_age_months"), film="file"),
    Layout("films with gender", key="id", sex="gender", age=("boneage", "boneage_months"), film="filename"),
    Layout("RSNA training", key="id", sex="male", age=("boneage", "boneage_months")),
    Layout("RSNA validation", key="image id", sex="male", age=("bone age (months)", "boneage")),
    Layout(
        "RSNA test",
        key="case id",
        sex="sex",
        age=("ground truth bone age (months)", "bone age (months)", "boneage"),
        age_optional=True,
    ),
    Layout("films by id", key="id", sex="sex", age=("boneage_months", "bone_age_months", "boneage")),
    Layout(
        FRACTURES_BY_SOURCE,
        key="file",
        film="file",
        abnormal="fracture",
        group="source",
        age_optional=True,
        region="classes",
    ),
    Layout("studies by id", key="id", abnormal="label", several=True, age_optional=True),
)


@dataclass(frozen=True)
class Reading:
    """A table read to its end.

    Attributes:
        form: name of its form.
        studies: films that could be understood; those of a manifest may be missing on disk.
        faults: what could not, in order.
        rows: number of rows in the table; of films where there is no table.
    """

    form: str
    studies: tuple[Study, ...]
    faults: tuple[CellError, ...]
    rows: int


def read_any(path: str | Path, *, films: str | Path | None = None) -> list[Study]:
    """Read a manifest or any published layout; of a folder or zip archive, the one known table in it, or MURA's.

    Args:
        path: table, folder, zip archive, or a table in one (`rsna.zip/boneage-training-dataset.csv`).
        films: folder or zip archive with the films, where they do not lie in one of the usual places.

    Raises:
        TableError: if the table is of no known form, a cell cannot be understood, a film of a published layout is
            missing, a film or patient stands in two splits, or a folder holds no known table or several.
    """
    reading = read_whole(path, films=films)
    studies = settled(reading, path=path)
    one_patient_one_split(studies)
    log.info("%s: %d films, form %s", Path(path).name, len(studies), reading.form)
    return studies


def settled(reading: Reading, *, path: str | Path) -> list[Study]:
    """Return the films of a reading without fault, with unique ids; their split is not judged.

    Raises:
        TableError: if there is a fault, or a film stands twice.
    """
    _refuse(reading, name=Path(path).name)
    return unique_ids(reading.studies, base=_base(path))


def read_whole(path: str | Path, *, films: str | Path | None = None) -> Reading:
    """Read a table as `read_any` does, but go on after a cell that cannot be understood and after a missing film.

    Raises:
        TableError: if the table itself is of no known form or cannot be read.
    """
    file = Path(path)
    if is_place(file):
        if is_mura(file):
            found = tuple(mura_studies(file))
            return Reading(MURA_FORM, found, (), len(found))
        file = _only_table(file)
    table = read_table(file)
    form, convert = _converter(table, films=None if films is None else Path(films))
    studies: list[Study] = []
    faults: list[CellError] = []
    for row in table.rows:
        try:
            studies += convert(row)
        except CellError as error:
            faults.append(error)
    return Reading(form, tuple(studies), tuple(faults), len(table.rows))


def _converter(table: Table, *, films: Path | None) -> tuple[str, Callable[[Row], list[Study]]]:
    """Choose how a table's rows become films, by its columns."""
    if "path" in table.columns:
        table.require("path", "sex", "bone_age_months")
        return _MANIFEST, lambda row: [study_of(row, sex_needed=True)]
    layout = next((known for known in LAYOUTS if known.fits(table)), None)
    if layout is None:
        raise TableError(
            f"{table.path.name}, line 1: no known form of table, got columns {', '.join(table.columns)}; "
            "name them path, sex and bone_age_months"
        )
    finder = FilmFinder(table.path, films=films)
    age = layout.age_column(table)
    return layout.name, lambda row: _studies(row, layout=layout, age=age, finder=finder)


def _refuse(reading: Reading, *, name: str) -> None:
    """Raise for the first cell that could not be understood, or for all missing films together."""
    missing = [fault for fault in reading.faults if fault.fault == "missing_film"]
    others = [fault for fault in reading.faults if fault.fault != "missing_film"]
    if others:
        raise others[0]
    if missing:
        named = ", ".join(fault.value for fault in missing[:_NAMED_MISSING])
        raise TableError(
            f"{name}: {len(missing)} of {reading.rows} films are missing, got ids {named}"
            f"{', ...' if len(missing) > _NAMED_MISSING else ''}; put them beside the table, in "
            f"{Path(name).stem}/ or one of the usual folders, or write a manifest with a path column"
        )


def _studies(row: Row, *, layout: Layout, age: str | None, finder: FilmFinder) -> list[Study]:
    """Turn a row of a published layout into its film, or the films of its examination."""
    study = _study(row, layout=layout, age=age)
    if layout.several:
        found = finder.of_study(study.id)
    else:
        film = finder.find(row.values[layout.film] if layout.film else study.id)
        found = [] if film is None else [film]
    if not found:
        message = f"{row.path.name}, line {row.line}: no film of {study.id!r} was found; put it beside the table"
        raise CellError(message, line=row.line, column=layout.key, value=study.id, fault="missing_film")
    base = row.path.absolute().parent
    return [replace(study, path=film, id=film.stem, listed=os.path.relpath(film, base)) for film in found]


def _study(row: Row, *, layout: Layout, age: str | None) -> Study:
    key = row.text(layout.key)
    if key is None:
        row.fail(layout.key, "no film", "write the film's id", fault="empty_cell")
    plain = study_of(replace(row, values=_renamed(row, layout=layout, age=age, key=key)))
    sex = _sex(row, layout=layout)
    if layout.sex and sex is None:
        row.fail(layout.sex, "no sex", "correct the cell; write a manifest where a sex is not known", fault="bad_sex")
    return replace(
        plain,
        id=key,
        sex=sex or Sex.UNKNOWN,
        sex_stated=True,
        bone_age_months=row.number(age, most=MAX_MONTHS) if age else None,
        abnormal=row.label(layout.abnormal) if layout.abnormal else plain.abnormal,
        patient_id=row.text(layout.group) if layout.group else plain.patient_id,
        study_id=key if layout.several else plain.study_id,
        region=_region(row, layout=layout, key=key) or plain.region,
    )


def _region(row: Row, *, layout: Layout, key: str) -> str | None:
    """Return the part of the body that an examination's name begins with, or that the classes of its fractures name."""
    if layout.several:
        return key.partition("_")[0].casefold() if "_" in key else None
    numbers = (row.text(layout.region) or "") if layout.region else ""
    if not layout.region or not numbers:
        return None
    known = {str(number): name for number, name in enumerate(CLASS_REGIONS)}
    parts = [part.strip() for part in numbers.split(";")]
    if not set(parts) <= known.keys():
        row.fail(layout.region, "unknown class", f"write numbers of 0 to {len(CLASS_REGIONS) - 1} with ; between them")
    return " and ".join(dict.fromkeys(known[part] for part in parts))


def _renamed(row: Row, *, layout: Layout, age: str | None, key: str) -> dict[str, str]:
    own = {layout.key, layout.sex, layout.film, layout.abnormal, layout.group, age, "path"}
    return {"path": key} | {name: value for name, value in row.values.items() if name not in own}


def _sex(row: Row, *, layout: Layout) -> Sex | None:
    if layout.sex is None:
        return None
    if layout.sex != "male":
        return row.sex(layout.sex)
    male = row.truth("male")
    return None if male is None else Sex.MALE if male else Sex.FEMALE


def _base(path: str | Path) -> Path:
    """Return the folder that paths in messages and shared ids are relative to."""
    place = Path(path).absolute()
    return place if is_place(place) else place.parent


def known_tables(place: Path) -> list[Path]:
    """List the tables of films in a folder or zip archive whose form is known, by name."""
    inside = place.iterdir() if place.is_dir() else (place / name for name in members(place))
    return [file for file in sorted(inside) if file.suffix.lower() in _TABLE_SUFFIXES and _known(file)]


def _only_table(place: Path) -> Path:
    tables = known_tables(place)
    if len(tables) == 1:
        return tables[0]
    got = ", ".join(file.name for file in tables[:_NAMED_MISSING]) or "none"
    raise TableError(
        f"{str(place)!r} must hold exactly one table of a known form, got {len(tables)} ({got}); name the table itself"
    )


def _known(file: Path) -> bool:
    try:
        table = read_table(file)
    except TableError:
        return False
    return {"path", "sex", "bone_age_months"} <= set(table.columns) or any(form.fits(table) for form in LAYOUTS)
