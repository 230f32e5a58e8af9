"""Films as they are opened for training: a store's table must fit its films, and all labels the ages we know."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from capitate.errors import UsageError
from capitate.training.data.film_source import FilmSource
from capitate.training.layouts import read_any
from capitate.training.networks import BIN_MONTHS, BINS
from capitate.training.settings.data import ReadingConfig
from capitate.training.view_store import SEX_INDEX, ViewSource, ViewStore

__all__ = ["check_labels", "check_store", "open_source", "open_store", "views_digest"]

_AGAIN = "make it again with `capitate data prepare`"


def open_store(folder: Path) -> ViewStore:
    """Open a store and check it.

    Raises:
        UsageError: if files are missing, damaged, of different lengths, or a label is impossible.
    """
    try:
        store = ViewStore.load(folder)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder} holds no views ({error}); make them with `capitate data prepare`") from error
    check_store(store, folder)
    return store


def open_source(data: Path, config: ReadingConfig) -> ViewSource:
    """Open what a run is given as its data: a store of `data prepare`, or a table of films to read while training.

    Args:
        data: folder of a store; otherwise a table, folder or zip archive as `read_any` takes it.
        config: how films are read; a store needs none of it.

    Raises:
        UsageError: as `open_store` does; if no film has a bone age.
        TableError: if a table cannot be used.
    """
    if not data.exists():
        raise UsageError(
            f"{data} is not there; give views made with `capitate data prepare`, or a table or folder of films"
        )
    if (data / "view.json").is_file() or (data / "table.npz").is_file():
        return open_store(data)
    films = FilmSource(read_any(data), config=config, folds_from_table=config.folds_from_table)
    check_labels(films, data)
    return films


def check_store(store: ViewStore, folder: Path) -> None:
    """Refuse a store that films and labels could be mixed up in.

    Raises:
        UsageError: naming the first film that does not fit and what it has.
    """
    lengths = {name: len(getattr(store, name)) for name in ("ids", "views", "masks", "months", "sexes")}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise UsageError(f"the table of {folder} does not fit its films: {told}; {_AGAIN}")
    if store.views.shape != store.masks.shape:
        raise UsageError(
            f"views {store.views.shape} and masks {store.masks.shape} of {folder} differ in size; {_AGAIN}"
        )
    names, counts = np.unique(store.ids, return_counts=True)
    if (counts > 1).any():
        raise UsageError(f"the film {str(names[counts > 1][0])!r} stands twice in {folder}; {_AGAIN}")
    check_labels(store, folder)


def check_labels(store: ViewSource, folder: Path) -> None:
    """Refuse ages and sexes that cannot be.

    Raises:
        UsageError: naming the first film that does not fit and what it has.
    """
    most = (BINS - 1) * BIN_MONTHS
    wrong = np.flatnonzero(~((store.months >= 0) & (store.months <= most)))
    if wrong.size:
        raise UsageError(
            f"bone ages must be 0 to {most:g} months, got {store.months[wrong[0]]:g} for the film "
            f"{str(store.ids[wrong[0]])!r} ({wrong.size} such in {folder}); correct their table and prepare again"
        )
    odd = np.flatnonzero(~np.isin(store.sexes, list(SEX_INDEX.values())))
    if odd.size:
        raise UsageError(
            f"sexes must be 0, 1 or 2, got {store.sexes[odd[0]]} for the film {str(store.ids[odd[0]])!r} "
            f"({odd.size} such in {folder}); {_AGAIN}"
        )


def views_digest(folder: Path) -> str | None:
    """Compute the sha256 over the files of views and masks; None for a source that keeps neither."""
    files = [folder / name for name in ("views.npy", "masks.npy")]
    if not all(path.is_file() for path in files):
        return None
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
