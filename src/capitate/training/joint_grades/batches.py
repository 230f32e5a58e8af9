"""Batches of graded crops, drawn as often as they are rare if an experiment wants that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from operator import itemgetter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.joint_grades.labels import TaughtCrops
from capitate.training.pictures.feeding import PictureFeeder
from capitate.training.pictures.source import PictureSource
from capitate.training.settings.joint_grades import GradeSampling, JointGradesConfig

__all__ = ["CropBatch", "CropFeeder", "crop_batch", "rarity"]


@dataclass(frozen=True, eq=False)
class CropBatch:
    """Crops of one step, or of a part of it.

    Attributes:
        pictures: float32 (n, 1, height, width), 0 to 255.
        categories: int64 (n,).
        grades: int64 (n,).
        targets: float32 (n, 15), what the answer is compared with; a distribution, so that a weak label fits too.
        of: crops of the whole step, over all parts and processes.
    """

    pictures: Tensor
    categories: Tensor
    grades: Tensor
    targets: Tensor
    of: int

    def __len__(self) -> int:
        return len(self.grades)

    def parts(self, count: int) -> Iterator[CropBatch]:
        """Cut into `count` parts whose sizes differ by one crop at most; fewer where there are fewer crops."""
        for rows in np.array_split(np.arange(len(self)), min(count, len(self))):
            yield self._each(itemgetter(slice(int(rows[0]), int(rows[-1]) + 1)))

    def to(self, device: torch.device) -> CropBatch:
        """Move to a device."""
        return self._each(lambda one: one.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> CropBatch:
        names = [one.name for one in fields(self) if one.name != "of"]
        return replace(self, **{name: change(getattr(self, name)) for name in names})


def crop_batch(taught: TaughtCrops, rows: NDArray[np.int64], pictures: Tensor, *, of: int | None = None) -> CropBatch:
    """Put labels to pictures.

    Args:
        taught: all crops.
        rows: of the pictures.
        pictures: float32 (n, 1, height, width).
        of: crops of the whole step, these if None.
    """
    categories, grades = (torch.from_numpy(one[rows]) for one in (taught.crops.categories, taught.crops.grades))
    return CropBatch(
        pictures, categories, grades, torch.from_numpy(taught.targets[rows]), len(rows) if of is None else of
    )


def rarity(categories: NDArray[np.int64], grades: NDArray[np.int64], *, power: float) -> NDArray[np.float64]:
    """Give the share by which each crop is drawn, (n,), sum 1: frequency of its category and grade to -`power`."""
    _, cell, counts = np.unique(categories * 100 + grades, return_inverse=True, return_counts=True)
    weights = counts[cell].astype(np.float64) ** -power
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


class CropFeeder(PictureFeeder[CropBatch]):
    """Gives the batches of each epoch."""

    def __init__(
        self,
        taught: TaughtCrops,
        source: PictureSource,
        rows: NDArray[np.int64],
        config: JointGradesConfig,
        *,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to feed; arguments and errors as of `PictureFeeder`."""
        self.taught, self.config = taught, config
        crops, power = taught.crops, config.sampling.power
        balanced = config.sampling.method is GradeSampling.BALANCED
        self._shares = rarity(crops.categories[rows], crops.grades[rows], power=power if balanced else 0.0)
        drawn = crops.drawn[rows]
        if drawn.any() and not drawn.all():
            wanted = np.where(drawn, config.labels.drawn_share, 1 - config.labels.drawn_share)
            self._shares *= wanted / np.where(drawn, self._shares[drawn].sum(), self._shares[~drawn].sum())
        self._drawing = balanced or bool(drawn.any())
        self._amount = int((~drawn).sum()) or rows.size
        super().__init__(
            source, rows, config, augmentation=config.augment, rank=rank, processes=processes, device=device
        )

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Give the rows of an epoch: each once, or drawn with replacement by rarity and as many drawn ones as asked."""
        if not self._drawing:
            return super().order(epoch)
        random = np.random.default_rng([self.config.seed, epoch])
        drawn: NDArray[np.int64] = random.choice(self.rows, size=self._amount, p=self._shares)
        return drawn

    def batch(self, step: int) -> CropBatch:
        """Prepare this process's share of one step's crops; one that cannot be read is not in it.

        Raises:
            UsageError: if none of them can be read.
        """
        rows, seeds = self.share(step)
        self.ahead(step)
        readable, pictures = self.augmented(rows, seeds)
        if not readable.any():
            raise UsageError(f"none of the {len(rows)} crops of a batch can be read; see `capitate data check`")
        of = len(self.batches[step]) if self.processes > 1 else None
        return crop_batch(self.taught, rows[readable], pictures, of=of)
