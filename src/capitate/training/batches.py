"""Batches of bone-age films: which ones an epoch shows, augmentation, hidden sexes, teachers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.training import augment
from capitate.training.config import BoneAgeConfig
from capitate.training.feeding import Feeder
from capitate.training.sampling import epoch_rows, films_an_epoch, noisy_months
from capitate.training.settings.devices import Draws
from capitate.training.settings.optimiser import Stage
from capitate.training.view_store import SEX_INDEX, ViewSource, resized

__all__ = ["BoneAgeFeeder", "FilmBatch"]

_SEX = 0x5E
"""Keeps the draws of hidden sexes apart from those of augmentation, which start from the same seeds."""
_AGAIN = 0xA6A1
"""Turns a film's seed into that of its second augmentation in the same step."""


@dataclass(frozen=True, eq=False)
class FilmBatch:
    """Films of one step, or of a part of it.

    Attributes:
        views: float32 (n, 1, height, width), 0 to 255, augmented.
        sexes: int64 (n,), see `SEX_INDEX`; some hidden.
        months: float32 (n,), bone age.
        teacher: float32 (n, 240), the teachers' probabilities for these sexes, or None.
        of: films of the whole step, over all parts and processes.
        paired: whether the second half shows the films of the first once more.
    """

    views: Tensor
    sexes: Tensor
    months: Tensor
    teacher: Tensor | None
    of: int
    paired: bool = False

    def __len__(self) -> int:
        return len(self.months)

    def parts(self, count: int) -> Iterator[FilmBatch]:
        """Cut into `count` parts whose sizes differ by one film at most; fewer where there are fewer films."""
        for rows in np.array_split(np.arange(len(self)), min(count, len(self))):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            teacher = None if self.teacher is None else self.teacher[part]
            yield FilmBatch(self.views[part], self.sexes[part], self.months[part], teacher, self.of)

    def to(self, device: torch.device) -> FilmBatch:
        """Move to a device."""
        moved: dict[str, Any] = {name: getattr(self, name).to(device) for name in ("views", "sexes", "months")}
        return replace(self, **moved, teacher=None if self.teacher is None else self.teacher.to(device))


class BoneAgeFeeder(Feeder[FilmBatch]):
    """Gives the batches of each epoch of a bone-age experiment."""

    def __init__(
        self,
        store: ViewSource,
        rows: NDArray[np.int64],
        config: BoneAgeConfig,
        *,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
        teacher: NDArray[np.float32] | None = None,
    ) -> None:
        """Prepare to feed; arguments and errors as of `Feeder`.

        Args:
            store: films.
            rows: which of them an epoch goes over.
            config: the experiment.
            rank: of this process.
            processes: that share each batch.
            device: where views are augmented, the CPU if None.
            teacher: probabilities (len(store), 3, 240) by sex index.
        """
        self.store, self.config, self.teacher = store, config, teacher
        self.ages, self.sexes = store.months[rows], store.sexes[rows]
        films = films_an_epoch(self.ages, self.sexes, config.sampling)
        super().__init__(rows, config, ids=store.ids, examples=films, rank=rank, processes=processes, device=device)

    def start(self, epoch: int, stage: Stage) -> None:
        """Draw the order of an epoch and the noise of its ages, set its size and strength, and begin to read."""
        super().start(epoch, stage)
        self.augment = self.config.augment.scaled(stage.augment)
        self.months = noisy_months(self.store.months, self.config.sampling, seed=self.config.seed, epoch=epoch)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Give the rows of an epoch; where each film comes once, in the order that the released recipes drew."""
        settings = self.config.sampling
        if settings.method == "once":
            return super().order(epoch)
        order: NDArray[np.int64] = self.rows[
            epoch_rows(self.ages, self.sexes, settings, seed=self.config.seed, epoch=epoch)
        ]
        return order

    def batch(self, step: int) -> FilmBatch:
        """Prepare this process's share of one step's films; a film that cannot be read is not in it.

        Raises:
            UsageError: if none of them can be read.
        """
        whole = self.batches[step]
        rows, seeds = self.share(step)
        if step + 1 < self.steps:
            self.store.announce(self.share(step + 1)[0])
        usable = self.store.usable(rows)
        rows, seeds = usable, seeds[np.isin(rows, usable)]
        paired = self.config.optimiser.consistency > 0
        times = 2 if paired else 1
        if paired:
            rows, seeds = np.tile(rows, times), np.concatenate([seeds, seeds ^ _AGAIN])
        views, masks, _, sexes = self.store.batch(rows)
        views, masks = resized(views.to(self.device), masks.to(self.device), size=self.size)
        months = torch.from_numpy(self.months[rows])
        source = self.origin(seeds)
        drawn = augment.draw(len(rows), self.augment, **source)
        views = augment.apply(views, masks, drawn)
        mixture = augment.draw_mixture(months, sexes, self.augment, **source)
        if mixture is not None:
            views, months, sexes = mixture.of(views), mixture.of(months), mixture.sexes(sexes)
        hidden = self._hidden(seeds[: len(seeds) // times]).repeat(times)
        sexes = torch.where(hidden, torch.full_like(sexes, SEX_INDEX["unknown"]), sexes)
        of = times * len(whole) if self.processes > 1 else len(rows)
        return FilmBatch(views, sexes, months, self._taught(rows, sexes, mixture), of, paired)

    def _hidden(self, seeds: NDArray[np.int64]) -> Tensor:
        """Choose the films whose sex is hidden, bool (n,)."""
        if self.config.devices.draws is Draws.BATCH:
            return torch.rand(len(seeds), generator=self.draws) < self.config.optimiser.unknown_sex
        chances = [np.random.default_rng([int(seed), _SEX]).random() for seed in seeds]
        return torch.tensor(chances) < self.config.optimiser.unknown_sex

    def _taught(self, rows: NDArray[np.int64], sexes: Tensor, mixture: augment.Mixture | None) -> Tensor | None:
        """Give the teachers' probabilities for films as they are shown."""
        if self.teacher is None:
            return None
        own = torch.from_numpy(self.teacher[rows, sexes.numpy()])
        if mixture is None:
            return own
        partners = torch.from_numpy(self.teacher[rows[mixture.partner.numpy()], sexes.numpy()])
        return mixture.of(own, partners=partners)
