"""Which films make up a study: by their names, their folders, their DICOM headers, or a table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from capitate import files
from capitate.errors import UsageError
from capitate.files.dicom.study import study_uid
from capitate.training.data.film_finder import is_place
from capitate.training.data.mura import is_mura, mura_studies
from capitate.training.layouts import Reading, known_tables, read_whole, settled
from capitate.training.manifest import Study, read_films_table
from capitate.training.table import read_table

__all__ = ["films_of_studies"]

_NAME = re.compile(r"(?P<study>(?:(?P<region>[A-Za-z]+)_)?.+)_image\d+", re.IGNORECASE)
"""`HAND_7c61ce2000_image3.png`, a film of the study `HAND_7c61ce2000`: the names of a public student competition."""
_TABLES = (".csv", ".tsv", ".txt")


def films_of_studies(places: Sequence[Path]) -> tuple[list[Study], list[str]]:
    """List films, each with the study that it belongs to and, as far as that is told, region and label.

    A folder or zip archive in MURA's form has its studies in its folders. In any other folder, and of films given one
    by one, `NAME_imageN` belongs to the study NAME, whose first part is the region, DICOM files of one
    StudyInstanceUID are a study, and every other film is one of its own. A table is a manifest with `path`, a table of
    studies with `id,label` and its films beside it, or any other form that training reads.

    Args:
        places: folders, tables and films.

    Returns:
        Films in the order given, and the ids of a table's studies of which no film was found.

    Raises:
        TableError: if a table cannot be understood.
        UsageError: if nothing is given, or a folder holds no film.
    """
    if not places:
        raise UsageError("nothing to screen; give a folder, a table or films")
    films: list[Study] = []
    missing: list[str] = []
    loose: list[Path] = []
    for place in places:
        if place.suffix.lower() in _TABLES and not place.is_dir():
            found, lost = _of_table(place)
            films, missing = films + found, missing + lost
        elif is_place(place):
            films += _of_folder(place)
        else:
            loose.append(place)
    base = Path(os.path.commonpath([film.absolute().parent for film in loose])) if loose else Path()
    return [*films, *_by_name([(film.absolute(), base) for film in loose])], missing


def _of_table(path: Path) -> tuple[list[Study], list[str]]:
    """Read a table; films of a manifest may be missing, which reading them says."""
    if "path" in read_table(path).columns:
        return read_films_table(path), []
    return _of_reading(read_whole(path), path=path)


def _of_reading(reading: Reading, *, path: Path) -> tuple[list[Study], list[str]]:
    """Take what was found, and name what was not.

    Raises:
        TableError: for a cell that cannot be understood, or a film that stands twice.
    """
    others = [fault for fault in reading.faults if fault.fault != "missing_film"]
    if others:
        raise others[0]
    return settled(replace(reading, faults=()), path=path), [fault.value for fault in reading.faults]


def _of_folder(place: Path) -> list[Study]:
    """List the films of a folder or archive."""
    if is_mura(place):
        return list(mura_studies(place))
    found = files.find(place)
    if not found or not place.is_dir():
        tables = ", ".join(path.name for path in known_tables(place))
        raise UsageError(
            f"no film in the folder {str(place)!r}; films are PNG, JPEG, TIFF, WebP or DICOM files"
            + (f"; it has the table {tables}: give that" if tables else "")
        )
    return list(_by_name([(film, place) for film in found]))


def _by_name(films: Sequence[tuple[Path, Path]]) -> Iterator[Study]:
    """Tell studies by names and headers; a study's name that two folders share gets its folder before it."""
    named = [_study(film, base) for film, base in films]
    places: dict[str, set[Path]] = {}
    for one in named:
        places.setdefault(str(one.study_id), set()).add(one.path.parent)
    uids = {str(one.study_id) for one in named if one.labels.get("uid")}
    for one, (_, base) in zip(named, films, strict=True):
        study = str(one.study_id)
        inside = one.path.parent.relative_to(base).as_posix() if one.path.is_relative_to(base) else ""
        torn = len(places[study]) > 1 and study not in uids and inside not in ("", ".")
        yield replace(one, study_id=f"{inside}/{study}" if torn else study, labels={})


def _study(film: Path, base: Path) -> Study:
    """Put one film."""
    found = _NAME.fullmatch(film.stem)
    listed = film.relative_to(base).as_posix() if film.is_relative_to(base) else str(film)
    if found is not None:
        region = found["region"].casefold() if found["region"] else None
        return Study(path=film, id=film.stem, listed=listed, study_id=found["study"], region=region)
    uid = study_uid(film)
    labels = {"uid": "1"} if uid else {}
    return Study(path=film, id=film.stem, listed=listed, study_id=uid or film.stem, labels=labels)
