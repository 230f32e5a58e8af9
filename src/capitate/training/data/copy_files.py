"""Tables of files among which copies are looked for, and what was found written for training and splits."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capitate.errors import TableError, UsageError
from capitate.training.checks.copied_films import CopySearch
from capitate.training.checks.label_checks import is_box_table
from capitate.training.checks.turned_copies import ALIKE, ALIKE_IN_SOURCE
from capitate.training.data.film_finder import FilmFinder, films_under, is_place
from capitate.training.data.mura import is_mura
from capitate.training.layouts import FRACTURES_BY_SOURCE, known_tables, read_whole, settled
from capitate.training.manifest import Study, read_films_table, unique_ids, write_manifest
from capitate.training.table import Table, read_table

__all__ = ["COLUMNS", "FilesToCompare", "films_to_compare", "write_copies"]

COLUMNS = ("file", "patient_id", "film", "chosen", "mirrored", "degrees", "correlation")
"""Of `copies.csv`; `file` is the file's name, by which other tables of the same files are joined."""

_NAMED = 5
_FILE = "file"


@dataclass(frozen=True)
class FilesToCompare:
    """Files among which copies are looked for.

    Attributes:
        studies: files with unique ids.
        in_group: correlation from which on files of one group are copies: lower where groups are sources of unrelated
            films than where they are patients.
    """

    studies: tuple[Study, ...]
    in_group: float = ALIKE


def films_to_compare(source: Path, *, films: Path | None = None) -> FilesToCompare:
    """List the files of a table, a folder or a zip archive.

    A table is a manifest, a table with `path`, any published layout, or a table of boxes with a column `file`, in which
    a file may have several rows. A folder without a table of known form gives all films in it and below.

    Args:
        source: table, folder or archive.
        films: folder or archive with the films, where they do not lie in a usual place.

    Raises:
        TableError: if the table cannot be understood, or a film of it is missing.
        UsageError: if there is no film.
    """
    if is_place(source):
        if is_mura(source) or known_tables(source):
            return _published(source, films=films)
        found = [Study(path, path.stem, listed=path.name) for path in films_under(source)]
        if not found:
            raise UsageError(f"{str(source)!r} holds no film and no table of films; name a table, or another folder")
        return FilesToCompare(tuple(unique_ids(found, base=source.absolute())))
    table = read_table(source)
    if "path" in table.columns:
        return FilesToCompare(tuple(read_films_table(source)))
    if _FILE in table.columns and is_box_table(table):
        return FilesToCompare(tuple(_by_file(table, films=films)))
    return _published(source, films=films)


def write_copies(found: CopySearch, out: Path, *, keep_contradictory: bool = False) -> int:
    """Write `films.csv` with a row a film, `copies.csv` with a row a file, and `copies.json`.

    Args:
        found: by `find_copies`.
        out: folder that exists.
        keep_contradictory: whether films whose copies are labelled differently stay, without a reading.

    Returns:
        Number of films in `films.csv`.

    Raises:
        UsageError: if no film is left.
        OSError: if a file cannot be written.
    """
    kept = [film for film in found.films if keep_contradictory or not film.contradictory]
    if not kept:
        raise UsageError(
            f"no film is left: {len(found.refused)} files cannot be read, and the copies of {len(found.films)} films "
            "are labelled differently; see `capitate data check`"
        )
    write_manifest([film.study() for film in kept], out / "films.csv")
    with (out / "copies.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for film in found.films:
            chosen = film.copies[0]
            for one in film.copies:
                row = (one.study.path.name, film.group, chosen.study.id, int(one is chosen), int(one.mirrored))
                writer.writerow((*row, one.degrees, f"{one.correlation:.4f}"))
    (out / "copies.json").write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    return len(kept)


def _published(source: Path, *, films: Path | None) -> FilesToCompare:
    reading = read_whole(source, films=films)
    in_group = ALIKE_IN_SOURCE if reading.form == FRACTURES_BY_SOURCE else ALIKE
    return FilesToCompare(tuple(settled(reading, path=source)), in_group)


def _by_file(table: Table, *, films: Path | None) -> list[Study]:
    """List the files that a table of boxes names, each once, with their split.

    Raises:
        TableError: if a row names no file, or a file is missing or stands in two splits.
    """
    finder = FilmFinder(table.path, films=films)
    found: dict[Path, Study] = {}
    missing: list[str] = []
    for row in table.rows:
        name = row.text(_FILE)
        if name is None:
            row.fail(_FILE, "no film", "write the film's file name", fault="empty_cell")
        path = finder.find(name)
        if path is None:
            missing.append(name)
            continue
        listed = os.path.relpath(path, table.path.absolute().parent)
        study = Study(path, path.stem, listed=listed, split=row.text("split"))
        if found.setdefault(path, study).split != study.split:
            row.fail("split", f"the file {name!r} stands in two splits", "give all its rows one split")
    _refuse_missing(table, missing)
    return unique_ids(list(found.values()), base=table.path.absolute().parent)


def _refuse_missing(table: Table, missing: Sequence[str]) -> None:
    names = list(dict.fromkeys(missing))
    if names:
        raise TableError(
            f"{table.path.name}: {len(names)} films are missing, got {', '.join(names[:_NAMED])}"
            f"{', ...' if len(names) > _NAMED else ''}; put them beside the table, or name their folder with --films"
        )
