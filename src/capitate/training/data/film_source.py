"""Films read while training, by worker processes, with the interface of `ViewStore`: nothing is prepared beforehand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
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
from capitate.training.data.lazy_reading import LazyReader
from capitate.training.folds import given_folds, patients_of
from capitate.training.manifest import Study
from capitate.training.prepare import Pair, Refused, cut_film, described
from capitate.training.settings.data import ReadingConfig
from capitate.training.view_store import folds_of, resized

__all__ = ["FilmSource"]

_log = logging.getLogger(__name__)


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
        self._config = config
        self._folds = np.array(given_folds(labelled), dtype=np.int64) if folds_from_table else None
        margins = (0.0, 0.0, 0.0, 0.0) if config.whole_film else ViewRule().margins
        self.rule = ViewRule(
            height=config.height,
            width=config.width,
            margins=margins,
            source=config.source,
            proportions=config.proportions,
        )
        job = partial(cut_film, rule=self.rule, locator=config.locator, whole_film=config.whole_film)
        self._reader: LazyReader[Pair] = LazyReader(labelled, job, ids=self.ids, config=config)

    @property
    def refused(self) -> dict[str, Refused]:
        """What could not be read so far, by id."""
        return self._reader.refused

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
        self._reader.close()

    def described(self) -> dict[str, Any]:
        """Say how views are cut, as `view.json` of a store does."""
        return described(self.rule, locator=self._config.locator, whole_film=self._config.whole_film)

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of every film, int64 (n,), as in a `ViewStore`.

        Raises:
            UsageError: if the table gave folds and they are not `count`.
        """
        return folds_of(self.patients, count=count, given=self._folds)

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Begin to read films that a later batch will ask for, while the network learns from this one."""
        self._reader.announce(rows.tolist())

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Read films, and return the rows of those that can be read, in order; `batch` of these is complete.

        Raises:
            UsageError: as `batch` does.
        """
        made = self._reader.read(rows.tolist())
        self._reader.keep(made)
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
        made = self._reader.read(rows.tolist())
        kept = np.array([row for row in rows.tolist() if row in made], dtype=np.int64)
        if not len(kept):
            raise UsageError(f"none of the {len(rows)} films of a batch can be read; see `capitate data check`")
        views, masks = (torch.from_numpy(np.stack([made[row][part] for row in kept]))[:, None] for part in (0, 1))
        views, masks = resized(views, masks, size=size)
        return views, masks, torch.from_numpy(self.months[kept]), torch.from_numpy(self.sexes[kept])
