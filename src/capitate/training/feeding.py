"""Order, shares and random numbers of the batches of an epoch, whatever the batches hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.augment import film_seeds
from capitate.training.settings.devices import Draws
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.optimiser import Stage

__all__ = ["Feeder"]

Made = TypeVar("Made")


class Feeder(ABC, Generic[Made]):
    """Gives the batches of each epoch; seed and epoch decide about everything.

    Attributes:
        rows: examples that an epoch goes over.
        steps: of an epoch.
        size: rows and columns of this epoch's pictures.
        draws: random numbers of this process in this epoch.
    """

    def __init__(
        self,
        rows: NDArray[np.int64],
        config: Experiment,
        *,
        ids: NDArray[np.str_],
        examples: int | None = None,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to feed.

        Args:
            rows: examples.
            config: the experiment.
            ids: (all examples,) their ids, from which seeds by example follow.
            examples: of an epoch, all rows if None.
            rank: of this process.
            processes: that share each batch.
            device: where pictures are augmented, the CPU if None.

        Raises:
            UsageError: if there are too few examples for the parts of a step.
        """
        self.rows, self.ids = rows, ids
        self.rank, self.processes, self.device = rank, processes, device or torch.device("cpu")
        self._settings = config
        examples = rows.size if examples is None else examples
        self.steps = max(1, round(examples / config.optimiser.batch))
        parts = processes * config.optimiser.accumulate
        if examples // self.steps < parts:
            raise UsageError(
                f"{examples} films to learn from cannot fill the {parts} parts of a step (devices.count times "
                "optimiser.accumulate); prepare more films or use fewer parts"
            )

    def start(self, epoch: int, stage: Stage) -> None:
        """Draw the order of an epoch, and set its size."""
        self.size = (stage.height, stage.width)
        seed = self._settings.seed
        self.draws = torch.Generator().manual_seed(seed * 100003 + epoch)
        order = self.order(epoch)
        self.batches = np.array_split(order, self.steps)
        self.seeds = np.array_split(np.array(film_seeds(self.ids[order].tolist(), seed=seed, epoch=epoch)), self.steps)
        if self.rank:
            self.draws.manual_seed(seed * 100003 + epoch + self.rank * 1_000_003)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Give the rows of an epoch: each once, in an order drawn from `draws`."""
        order: NDArray[np.int64] = self.rows[torch.randperm(self.rows.size, generator=self.draws).numpy()]
        return order

    def share(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give this process's rows of a step, and a seed for each."""
        rows, seeds = (np.array_split(one[step], self.processes)[self.rank] for one in (self.batches, self.seeds))
        return rows, seeds

    def origin(self, seeds: NDArray[np.int64]) -> dict[str, Any]:
        """Give what augmentation is drawn from, as its `draw` takes it: each example's seed, or the batch's numbers."""
        by_example = self._settings.devices.draws is Draws.FILM
        return {"seeds": seeds.tolist()} if by_example else {"generator": self.draws}

    def steps_from(self, first: int) -> Iterator[tuple[Made, Tensor]]:
        """Give the batches of the epoch from a step on, `devices.ahead` of them prepared in the background.

        Yields:
            A batch, and the state of the random numbers after it, which a checkpoint keeps.
        """
        steps = iter(range(first, self.steps))
        ahead = self._settings.devices.ahead
        if not ahead:
            yield from map(self._prepared, steps)
            return
        with ThreadPoolExecutor(max_workers=1) as thread:  # one, so that random numbers are drawn in order
            waiting = deque(thread.submit(self._prepared, step) for step in islice(steps, ahead))
            while waiting:
                ready = waiting.popleft().result()
                waiting.extend(thread.submit(self._prepared, step) for step in islice(steps, 1))
                yield ready

    def _prepared(self, step: int) -> tuple[Made, Tensor]:
        return self.batch(step), self.draws.get_state()

    @abstractmethod
    def batch(self, step: int) -> Made:
        """Prepare this process's share of one step's examples."""
