"""Tables as data sets publish them, told apart by their columns, with the films found beside them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from capitate.errors import TableError
from capitate.training.manifest import Study, read_manifest, study_of, unique_ids
from capitate.training.table import MAX_MONTHS, Row, Table, read_table
from capitate.types import Sex

__all__ = ["LAYOUTS", "SUFFIXES", "Layout", "read_any", "read_layout"]

log = logging.getLogger(__name__)

SUFFIXES = (".png", ".dcm", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_TABLE_SUFFIXES = (".csv", ".tsv")
_USUAL_FOLDERS = ("images", "films", "train", "training", "validation", "val", "test")
_NAMED_MISSING = 5


@dataclass(frozen=True)
class Layout:
    """How one published form of table names its columns.

    Attributes:
        name: for messages and reports.
        key: column with the film's number or name.
        sex: column with the sex.
        age: names under which the bone age in months is known; the first that the table has counts.
        film: column with the film's file name, or None where the file is named after the key.
        age_optional: whether the form is also published without bone ages.
    """

    name: str
    key: str
    sex: str
    age: tuple[str, ...]
    film: str | None = None
    age_optional: bool = False

    def fits(self, table: Table) -> bool:
        """Whether the table has this form's columns."""
        needed = {self.key, self.sex} | ({self.film} if self.film else set())
        return needed <= set(table.columns) and (self.age_optional or self.age_column(table) is not None)

    def age_column(self, table: Table) -> str | None:
        """Return the table's column of bone ages, or None."""
        return next((name for name in self.age if name in table.columns), None)


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
)


def read_any(path: str | Path) -> list[Study]:
    """Read a manifest or any published layout; of a folder, the one known table in it.

    Raises:
        TableError: if the table is of no known form, a cell cannot be understood, a film of a published layout is
            missing, or a folder holds no known table or several.
    """
    file = Path(path)
    if file.is_dir():
        file = _only_table(file)
    table = read_table(file)
    if "path" in table.columns:
        return read_manifest(file)
    layout = next((known for known in LAYOUTS if known.fits(table)), None)
    if layout is None:
        raise TableError(
            f"{file.name}, line 1: no known form of table, got columns {', '.join(table.columns)}; "
            "name them path, sex and bone_age_months"
        )
    return read_layout(table, layout=layout)


def read_layout(table: Table, *, layout: Layout) -> list[Study]:
    """Read a table of a known layout and find its films.

    Raises:
        TableError: if a cell cannot be understood or a film is missing.
    """
    base = table.path.absolute().parent
    finder = _FilmFinder(table.path)
    studies: list[Study] = []
    missing: list[str] = []
    for row in table.rows:
        study = _study(row, layout=layout, age=layout.age_column(table))
        film = finder.find(row.values[layout.film] if layout.film else study.id)
        if film is None:
            missing.append(study.id)
        else:
            studies.append(replace(study, path=film, id=film.stem, listed=os.path.relpath(film, base)))
    if missing:
        named = ", ".join(missing[:_NAMED_MISSING])
        raise TableError(
            f"{table.path.name}: {len(missing)} of {len(table.rows)} films are missing, got ids {named}"
            f"{', ...' if len(missing) > _NAMED_MISSING else ''}; put them beside the table, in "
            f"{table.path.stem}/ or one of the usual folders, or write a manifest with a path column"
        )
    log.info("%s: %d films, layout %s", table.path.name, len(studies), layout.name)
    return unique_ids(studies, base=base)


def _study(row: Row, *, layout: Layout, age: str | None) -> Study:
    key = row.text(layout.key)
    if key is None:
        row.fail(layout.key, "no film", "write the film's id")
    plain = study_of(replace(row, values=_renamed(row, layout=layout, age=age, key=key)))
    months = row.number(age, most=MAX_MONTHS) if age else None
    sex = _sex(row, layout=layout)
    if sex is None:
        row.fail(layout.sex, "no sex", "correct the cell; write a manifest where a sex is not known")
    return replace(plain, id=key, sex=sex, sex_stated=True, bone_age_months=months)


def _renamed(row: Row, *, layout: Layout, age: str | None, key: str) -> dict[str, str]:
    own = {layout.key, layout.sex, layout.film, age, "path"}
    return {"path": key} | {name: value for name, value in row.values.items() if name not in own}


def _sex(row: Row, *, layout: Layout) -> Sex | None:
    if layout.sex != "male":
        return row.sex(layout.sex)
    male = row.truth("male")
    return None if male is None else Sex.MALE if male else Sex.FEMALE


class _FilmFinder:
    """Films beside a table: in its folder, in a folder of its name (once or twice), and in the usual ones.

    Every folder is listed once. A folder named after the table is looked into first, because different data sets
    stand side by side and numbers could repeat.
    """

    def __init__(self, table: Path) -> None:
        self._base = table.absolute().parent
        self._folders = [_films_by_stem(folder) for folder in _folders(self._base, table.stem)]

    def find(self, name: str) -> Path | None:
        """Return the film of this number or file name, or None."""
        direct = Path(os.path.normpath(self._base / name))
        suffix = direct.suffix.lower() in SUFFIXES
        if suffix and direct.is_file():
            return direct
        stem = direct.stem if suffix else direct.name
        return next((films[stem] for films in self._folders if stem in films), None)


def _folders(base: Path, stem: str) -> Iterator[Path]:
    siblings = sorted(folder.name for folder in base.glob("boneage-*-dataset*") if folder.is_dir())
    data = [f"{top}/{name}" for top in ("Data", "data") for name in _USUAL_FOLDERS]
    seen: set[Path] = set()
    for name in (stem, ".", *_USUAL_FOLDERS, *siblings, *data):
        for folder in (base / name, base / name / Path(name).name):
            if folder not in seen and folder.is_dir():
                seen.add(folder)
                yield folder


def _films_by_stem(folder: Path) -> dict[str, Path]:
    films: dict[str, Path] = {}
    for file in sorted(_files(folder), key=lambda file: (SUFFIXES.index(file.suffix.lower()), file.name)):
        films.setdefault(file.stem, file)
    return films


def _files(folder: Path) -> Iterable[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if Path(entry.name).suffix.lower() in SUFFIXES]


def _only_table(folder: Path) -> Path:
    tables = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in _TABLE_SUFFIXES and _known(file)]
    if len(tables) == 1:
        return tables[0]
    got = ", ".join(file.name for file in tables[:_NAMED_MISSING]) or "none"
    raise TableError(
        f"{str(folder)!r} must hold exactly one table of a known form, got {len(tables)} ({got}); name the table itself"
    )


def _known(file: Path) -> bool:
    try:
        table = read_table(file)
    except TableError:
        return False
    return {"path", "sex", "bone_age_months"} <= set(table.columns) or any(form.fits(table) for form in LAYOUTS)
