"""Batches of an epoch: which films in which order, this process's share, augmentation, hidden sexes, teachers."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training import augment
from capitate.training.config import BoneAgeConfig
from capitate.training.regularisation import strengthened
from capitate.training.settings.devices import Accelerator, Draws
from capitate.training.settings.optimiser import Stage
from capitate.training.view_store import SEX_INDEX, ViewStore

__all__ = ["Batch", "Feeder"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Films of one step, or of a part of it.

    Attributes:
        views: float32 (n, 1, height, width), 0 to 255, augmented.
        sexes: int64 (n,), see `SEX_INDEX`; some hidden.
        months: float32 (n,), bone age.
        teacher: float32 (n, 240), the teachers' probabilities for these sexes, or None.
        of: films of the whole step, over all parts and processes.
    """

    views: Tensor
    sexes: Tensor
    months: Tensor
    teacher: Tensor | None
    of: int

    def __len__(self) -> int:
        return len(self.months)

    def parts(self, count: int) -> Iterator[Batch]:
        """Cut into `count` parts whose sizes differ by one film at most."""
        for rows in np.array_split(np.arange(len(self)), count):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            teacher = None if self.teacher is None else self.teacher[part]
            yield Batch(self.views[part], self.sexes[part], self.months[part], teacher, self.of)

    def to(self, device: torch.device) -> Batch:
        """Move to a device, without waiting for the copy where the memory allows it."""
        return self._each(lambda one: one.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """Lay the tensors into memory that a GPU copies from while it computes."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        moved: dict[str, Any] = {name: change(getattr(self, name)) for name in ("views", "sexes", "months")}
        return replace(self, **moved, teacher=None if self.teacher is None else change(self.teacher))


class Feeder:
    """Gives the batches of each epoch; seed and epoch decide about everything."""

    def __init__(
        self,
        store: ViewStore,
        rows: NDArray[np.int64],
        config: BoneAgeConfig,
        *,
        rank: int = 0,
        processes: int = 1,
        teacher: NDArray[np.float32] | None = None,
    ) -> None:
        """Prepare to feed.

        Args:
            store: films.
            rows: which of them an epoch goes over.
            config: the experiment.
            rank: of this process.
            processes: that share each batch.
            teacher: probabilities (len(store), 3, 240) by sex index.

        Raises:
            UsageError: if there are too few films for the parts of a step.
        """
        self.store, self.rows, self.config, self.teacher = store, rows, config, teacher
        self.rank, self.processes = rank, processes
        self.steps = max(1, round(rows.size / config.optimiser.batch))
        parts = processes * config.optimiser.accumulate
        if rows.size // self.steps < parts:
            raise UsageError(
                f"{rows.size} films to learn from cannot fill the {parts} parts of a step (devices.count times "
                "optimiser.accumulate); prepare more films or use fewer parts"
            )

    def start(self, epoch: int, stage: Stage) -> None:
        """Draw the order of an epoch and set its size and strength."""
        self.epoch, self.size = epoch, (stage.height, stage.width)
        self.augment = strengthened(self.config.augment, stage.augment)
        self.draws = torch.Generator().manual_seed(self.config.seed * 100003 + epoch)
        order = self.rows[torch.randperm(self.rows.size, generator=self.draws).numpy()]
        self.batches = np.array_split(order, self.steps)
        if self.rank:
            self.draws.manual_seed(_seed(f"{self.config.seed} {epoch} process {self.rank}"))

    def steps_from(self, first: int) -> Iterator[tuple[Batch, Tensor]]:
        """Give the batches of the epoch from a step on, `devices.ahead` of them prepared in the background.

        Yields:
            A batch, and the state of the random numbers after it, which a checkpoint keeps.
        """
        steps = iter(range(first, self.steps))
        ahead = self.config.devices.ahead
        if not ahead:
            yield from map(self._prepared, steps)
            return
        with ThreadPoolExecutor(max_workers=1) as thread:  # one, so that random numbers are drawn in order
            waiting = deque(thread.submit(self._prepared, step) for step in islice(steps, ahead))
            while waiting:
                ready = waiting.popleft().result()
                waiting.extend(thread.submit(self._prepared, step) for step in islice(steps, 1))
                yield ready

    def _prepared(self, step: int) -> tuple[Batch, Tensor]:
        batch = self.batch(step)
        on_gpu = self.config.devices.accelerator is Accelerator.CUDA
        return batch.pinned() if on_gpu else batch, self.draws.get_state()

    def batch(self, step: int) -> Batch:
        """Prepare this process's share of one step's films."""
        whole = self.batches[step]
        rows = np.array_split(whole, self.processes)[self.rank]
        views, masks, months, sexes = self.store.batch(rows, size=self.size)
        if self.config.devices.draws is Draws.BATCH:
            views, hidden = self._augmented(views, masks, self.draws)
        else:
            views, hidden = self._augmented_by_film(rows, views, masks)
        sexes = torch.where(hidden, torch.full_like(sexes, SEX_INDEX["unknown"]), sexes)
        teacher = None if self.teacher is None else torch.from_numpy(self.teacher[rows, sexes.numpy()])
        return Batch(views, sexes, months, teacher, len(whole))

    def _augmented(self, views: Tensor, masks: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment views and choose the films whose sex is hidden, bool (n,)."""
        drawn = augment.draw(len(views), self.augment, generator=draws)
        hidden = torch.rand(len(views), generator=draws) < self.config.optimiser.unknown_sex
        return augment.apply(views, masks, drawn), hidden

    def _augmented_by_film(self, rows: NDArray[np.int64], views: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Augment each film by random numbers of its own."""
        made = []
        for k, name in enumerate(self.store.ids[rows].tolist()):
            draws = torch.Generator().manual_seed(_seed(f"{self.config.seed} {self.epoch} film {name}"))
            made.append(self._augmented(views[k : k + 1], masks[k : k + 1], draws))
        return torch.cat([one for one, _ in made]), torch.cat([hidden for _, hidden in made])


def _seed(text: str) -> int:
    """Turn a text into a seed of 63 bits."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
