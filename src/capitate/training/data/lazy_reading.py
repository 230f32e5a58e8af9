"""Films read when a batch asks for them, by worker processes; what cannot be read is named, counted, never replaced."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.prepare import Refused
from capitate.training.settings.data import OnUnreadable, UnreadableConfig

__all__ = ["LazyReader"]

_log = logging.getLogger(__name__)

Made = TypeVar("Made")


class LazyReader(Generic[Made]):
    """Runs a job on rows of a list: here, or ahead of time in worker processes.

    Attributes:
        refused: what could not be read so far, by id.
    """

    def __init__(
        self,
        items: Sequence[Any],
        job: Callable[[Any], Made | Refused],
        *,
        ids: NDArray[np.str_],
        config: UnreadableConfig,
    ) -> None:
        """Prepare to read.

        Args:
            items: what the job takes, one a row.
            job: reads one; may be pickled where there are workers.
            ids: (n,) of the rows.
            config: workers, and what happens to films that cannot be read.
        """
        self.refused: dict[str, Refused] = {}
        self._items, self._job, self._ids, self._config = items, job, ids, config
        self._pool: ProcessPoolExecutor | None = None
        self._begun: dict[int, Future[Made | Refused]] = {}

    def close(self) -> None:
        """End the workers; a later call starts new ones."""
        self._begun.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def announce(self, rows: Sequence[int]) -> None:
        """Begin to read rows that will be asked for, while the network learns."""
        if self._config.workers > 0:
            for row in rows:
                self._begin(row)

    def keep(self, made: Mapping[int, Made]) -> None:
        """Keep what was read for the next call of `read`."""
        self._begun.update({row: _done(one) for row, one in made.items()})

    def read(self, rows: Sequence[int]) -> dict[int, Made]:
        """Read rows, each once; those that cannot be read are missing.

        Raises:
            UsageError: naming the film, where a run is to stop at the first that cannot be read; where too many cannot.
        """
        wanted = [row for row in dict.fromkeys(rows) if str(self._ids[row]) not in self.refused]
        self.announce(wanted)
        made: dict[int, Made] = {}
        for row in wanted:
            begun = self._begun.pop(row, None)
            result = begun.result() if begun is not None else self._job(self._items[row])
            if isinstance(result, Refused):
                self._refuse(result)
            else:
                made[row] = result
        return made

    def _begin(self, row: int) -> None:
        if row in self._begun or str(self._ids[row]) in self.refused:
            return
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._config.workers, mp_context=context)
        self._begun[row] = self._pool.submit(self._job, self._items[row])

    def _refuse(self, film: Refused) -> None:
        self.refused[film.id] = film
        if self._config.on_unreadable is OnUnreadable.STOP:
            raise UsageError(
                f"the film {film.id!r} cannot be read ({film.code}): {film.message}. Repair or remove it, or train "
                "with reading.on_unreadable = 'skip'"
            )
        _log.warning(
            "film %s cannot be read (%s); going on without it, %d so far", film.id, film.code, len(self.refused)
        )
        if len(self.refused) > max(1.0, self._config.most_unreadable * len(self._ids)):
            raise UsageError(
                f"{len(self.refused)} of {len(self._ids)} films cannot be read, more than the "
                f"{self._config.most_unreadable:.1%} that may be skipped; see `capitate data check`"
            )


def _done(made: Made) -> Future[Made | Refused]:
    future: Future[Made | Refused] = Future()
    future.set_result(made)
    return future
