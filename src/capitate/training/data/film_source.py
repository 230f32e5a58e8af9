"""Films read while training, by worker processes, with the interface of `ViewStore`: nothing is prepared beforehand."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.views import ViewRule
from capitate.training.folds import given_folds, patients_of
from capitate.training.manifest import Study
from capitate.training.prepare import Pair, Refused, cut_film, described
from capitate.training.settings.data import OnUnreadable, ReadingConfig
from capitate.training.view_store import folds_of, resized

__all__ = ["FilmSource"]

_log = logging.getLogger(__name__)

Made = Pair | Refused


class FilmSource:
    """Labelled films that are cut to views when a batch asks for them.

    A film goes through `prepare.cut_film`, so a view is the one that `ViewStore` would hold. A film that cannot be read
    is never replaced by a black or another picture: the run stops with its name, or goes on without it, and it is in
    `refused` from then on.

    Attributes:
        ids: (n,) film ids as text.
        months: float32 (n,), bone age.
        sexes: int64 (n,), see `capitate.training.view_store.SEX_INDEX`.
        patients: (n,), whom each film is of, or its own id where the table does not tell.
        size: rows and columns of a view.
        refused: what could not be read so far, by id.
    """

    def __init__(self, studies: Sequence[Study], *, config: ReadingConfig, folds_from_table: bool = False) -> None:
        """Take films with a bone age; the others are left out and counted in the log.

        Args:
            studies: films.
            config: how they are read.
            folds_from_table: keep the folds that the table's column `split` gives.

        Raises:
            UsageError: if no film has a bone age, or a film stands twice.
            TableError: if folds are to come from the table and do not fit.
        """
        labelled = [study for study in studies if study.bone_age_months is not None]
        if not labelled:
            raise UsageError(f"none of {len(studies)} films has a bone age; check the table")
        if len(labelled) < len(studies):
            _log.warning("%d of %d films have no bone age and are left out", len(studies) - len(labelled), len(studies))
        self.ids = np.array([study.id for study in labelled])
        if len(set(self.ids.tolist())) < len(labelled):
            raise UsageError(
                f"{len(labelled)} films have {len(set(self.ids.tolist()))} different ids; make them unique"
            )
        self.months = np.array([study.bone_age_months for study in labelled], dtype=np.float32)
        self.sexes = np.array([SEX_CODES[study.sex] for study in labelled], dtype=np.int64)
        patients = patients_of(labelled)
        self.patients = self.ids if patients is None else patients
        self.size = (config.height, config.width)
        self.refused: dict[str, Refused] = {}
        self._studies, self._config = labelled, config
        self._folds = np.array(given_folds(labelled), dtype=np.int64) if folds_from_table else None
        margins = (0.0, 0.0, 0.0, 0.0) if config.whole_film else ViewRule().margins
        self.rule = ViewRule(
            height=config.height,
            width=config.width,
            margins=margins,
            source=config.source,
            proportions=config.proportions,
        )
        self._job = partial(cut_film, rule=self.rule, locator=config.locator, whole_film=config.whole_film)
        self._pool: ProcessPoolExecutor | None = None
        self._begun: dict[int, Future[Made]] = {}

    def __enter__(self) -> Self:
        """Keep the workers for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        self.close()

    def close(self) -> None:
        """End the workers; a later batch starts new ones."""
        self._begun.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def described(self) -> dict[str, Any]:
        """Say how views are cut, as `view.json` of a store does."""
        return described(self.rule, locator=self._config.locator, whole_film=self._config.whole_film)

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of every film, int64 (n,), as in a `ViewStore`.

        Raises:
            UsageError: if the table gave folds and they are not `count`.
        """
        return folds_of(self.ids, count=count, given=self._folds)

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Begin to read films that a later batch will ask for, while the network learns from this one."""
        if self._config.workers > 0:
            for row in rows.tolist():
                self._begin(row)

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Read films, and return the rows of those that can be read, in order; `batch` of these is complete.

        Raises:
            UsageError: as `batch` does.
        """
        made = self._read(rows)
        self._begun.update({row: _done(view) for row, view in made.items()})
        return np.array([row for row in rows.tolist() if row in made], dtype=np.int64)

    def batch(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give views (n, 1, h, w), masks, months and sexes of some rows, reduced to `size` with antialiasing.

        Where unreadable films are skipped, their rows are missing from all four alike; `usable` tells which are left.

        Raises:
            UsageError: naming the film, where a run is to stop at the first that cannot be read; where too many or all
                of them cannot.
        """
        made = self._read(rows)
        kept = np.array([row for row in rows.tolist() if row in made], dtype=np.int64)
        if not len(kept):
            raise UsageError(f"none of the {len(rows)} films of a batch can be read; see `capitate data check`")
        views, masks = (torch.from_numpy(np.stack([made[row][part] for row in kept]))[:, None] for part in (0, 1))
        views, masks = resized(views, masks, size=size)
        return views, masks, torch.from_numpy(self.months[kept]), torch.from_numpy(self.sexes[kept])

    def _read(self, rows: NDArray[np.int64]) -> dict[int, Pair]:
        """Cut films, each once, and note what cannot be read."""
        wanted = [row for row in dict.fromkeys(rows.tolist()) if str(self.ids[row]) not in self.refused]
        if self._config.workers > 0:
            for row in wanted:
                self._begin(row)
        made: dict[int, Pair] = {}
        for row in wanted:
            begun = self._begun.pop(row, None)
            result = begun.result() if begun is not None else self._job(self._studies[row])
            if isinstance(result, Refused):
                self._refuse(result)
            else:
                made[row] = result
        return made

    def _begin(self, row: int) -> None:
        if row in self._begun or str(self.ids[row]) in self.refused:
            return
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._config.workers, mp_context=context)
        self._begun[row] = self._pool.submit(self._job, self._studies[row])

    def _refuse(self, film: Refused) -> None:
        """Count a film that cannot be read.

        Raises:
            UsageError: if the run is to stop.
        """
        self.refused[film.id] = film
        if self._config.on_unreadable is OnUnreadable.STOP:
            raise UsageError(
                f"the film {film.id!r} cannot be read ({film.code}): {film.message}. Repair or remove it, or train "
                "with reading.on_unreadable = 'skip'"
            )
        _log.warning(
            "film %s cannot be read (%s); going on without it, %d so far", film.id, film.code, len(self.refused)
        )
        if len(self.refused) > max(1.0, self._config.most_unreadable * len(self.ids)):
            raise UsageError(
                f"{len(self.refused)} of {len(self.ids)} films cannot be read, more than the "
                f"{self._config.most_unreadable:.1%} that may be skipped; see `capitate data check`"
            )


def _done(view: Pair) -> Future[Made]:
    future: Future[Made] = Future()
    future.set_result(view)
    return future
