"""Films read once, before the first step, by several processes: what cannot be read is named and counted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.data.film_finder import films_under, is_place
from capitate.training.data.mura import is_mura
from capitate.training.folds import fold_of, given_folds
from capitate.training.layouts import known_tables, read_any
from capitate.training.manifest import Study, unique_ids
from capitate.training.prepare import Refused, each_film
from capitate.training.settings.data import OnUnreadable
from capitate.training.settings.pictures import PictureReadingConfig
from capitate.training.view_store import folds_of

__all__ = ["films_of", "folds_by_patient", "patients", "read_pictures"]

_log = logging.getLogger(__name__)
Made = TypeVar("Made")


def films_of(data: Path) -> list[Study]:
    """List the films of a table or folder: those of its table, or all that lie in a folder without one.

    Raises:
        UsageError: if there is nothing of that name, or no film.
        TableError: if a table cannot be used.
    """
    if not data.exists():
        raise UsageError(f"{data} is not there; give a table of films, or a folder or zip archive with films")
    if not is_place(data) or is_mura(data) or known_tables(data):
        return read_any(data)
    films = films_under(data)
    if not films:
        raise UsageError(f"{data} holds no films; give a table of films, or a folder or zip archive with films")
    return unique_ids([Study(path=film, id=film.stem) for film in films], base=data.absolute())


def read_pictures(
    studies: Sequence[Study], job: Callable[[Study], Made | Refused], *, config: PictureReadingConfig
) -> tuple[list[tuple[Study, Made]], dict[str, Refused]]:
    """Run a job on every film.

    Args:
        studies: films.
        job: reads one; may be pickled where there are several workers.
        config: processes, and what an unreadable film means.

    Returns:
        What was made with its film, in order, and what was refused, by id.

    Raises:
        UsageError: at the first film that cannot be read, where the run is to stop at it; where too many cannot.
    """
    made: list[tuple[Study, Made]] = []
    refused: dict[str, Refused] = {}
    for study, result in zip(studies, each_film(job, studies, workers=config.workers), strict=True):
        if not isinstance(result, Refused):
            made.append((study, result))
            continue
        refused[study.id] = result
        if config.on_unreadable is OnUnreadable.STOP:
            raise UsageError(
                f"the film {study.id!r} cannot be used ({result.code}): {result.message}. Repair or remove it, or "
                "train with reading.on_unreadable = 'skip'"
            )
        _log.warning("film %s cannot be used (%s); going on without it", study.id, result.code)
    if len(refused) > max(1.0, config.most_unreadable * len(studies)) or not made:
        raise UsageError(
            f"{len(refused)} of {len(studies)} films cannot be used, more than the {config.most_unreadable:.1%} that "
            "may be skipped; see `capitate data check`"
        )
    return made, refused


def patients(studies: Sequence[Study]) -> list[str]:
    """Name for each film its patient or examination, or the film itself where the table tells neither."""
    return [study.patient_id or study.study_id or study.id for study in studies]


def folds_by_patient(studies: Sequence[Study], count: int, *, from_table: bool) -> NDArray[np.int64]:
    """Decide the fold of every film by its patient, see `patients`, or take that of its table.

    Raises:
        UsageError: if the table's folds are not `count`.
        TableError: if a film has none there.
    """
    if from_table:
        ids = np.array([study.id for study in studies])
        return folds_of(ids, count=count, given=np.array(given_folds(studies), dtype=np.int64))
    return np.array([fold_of(one, folds=count) for one in patients(studies)], dtype=np.int64)
