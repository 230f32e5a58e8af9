"""Augmented pictures of an epoch; each task makes its batches of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.training import augment
from capitate.training.feeding import Feeder
from capitate.training.pictures.source import PictureSource
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.optimiser import Stage

__all__ = ["AugmentedFeeder", "PictureFeeder"]

Made = TypeVar("Made")


class AugmentedFeeder(Feeder[Made]):
    """Draws augmentation within ranges that each stage scales."""

    def __init__(
        self,
        rows: NDArray[np.int64],
        config: Experiment,
        *,
        ids: NDArray[np.str_],
        augmentation: AugmentConfig,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to feed; further arguments and errors as of `Feeder`.

        Args:
            rows: examples.
            config: the experiment.
            ids: (all examples,).
            augmentation: its ranges.
            rank: of this process.
            processes: that share each batch.
            device: where pictures are augmented, the CPU if None.
        """
        self._ranges = augmentation
        super().__init__(rows, config, ids=ids, rank=rank, processes=processes, device=device)

    def start(self, epoch: int, stage: Stage) -> None:
        """Draw the order of an epoch, and set its size and strength."""
        super().start(epoch, stage)
        self.epoch, self.augment = epoch, self._ranges.scaled(stage.augment)

    def drawn(self, seeds: NDArray[np.int64], *, ranges: AugmentConfig | None = None) -> augment.Drawn:
        """Draw the augmentation of some pictures.

        Args:
            seeds: one a picture, used where `devices.draws` is `film`.
            ranges: those of the experiment if None.
        """
        return augment.draw(len(seeds), ranges or self.augment, **self.origin(seeds))

    @abstractmethod
    def batch(self, step: int) -> Made:
        """Prepare this process's share of one step's examples."""


class PictureFeeder(AugmentedFeeder[Made]):
    """Gives the batches of each epoch from a `PictureSource`."""

    def __init__(
        self,
        source: PictureSource,
        rows: NDArray[np.int64],
        config: Experiment,
        *,
        augmentation: AugmentConfig,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to feed from `source`; further arguments and errors as of `AugmentedFeeder`."""
        self.source = source
        super().__init__(
            rows,
            config,
            ids=source.ids,
            augmentation=augmentation,
            rank=rank,
            processes=processes,
            device=device,
        )

    def ahead(self, step: int) -> None:
        """Begin to read the pictures of the step after `step`."""
        if step + 1 < self.steps:
            self.source.announce(self.share(step + 1)[0])

    def augmented(
        self, rows: NDArray[np.int64], seeds: NDArray[np.int64], *, ranges: AugmentConfig | None = None
    ) -> tuple[NDArray[np.bool_], Tensor]:
        """Read pictures and augment them.

        Args:
            rows: of the source.
            seeds: one a row.
            ranges: those of the experiment if None.

        Returns:
            Which rows can be read, bool (n,), and their pictures, float32 (readable, 1, height, width), 0 to 255.
        """
        readable, moved, _ = self.augmented_by(rows, seeds, ranges=ranges)
        return readable, moved

    def augmented_by(
        self, rows: NDArray[np.int64], seeds: NDArray[np.int64], *, ranges: AugmentConfig | None = None
    ) -> tuple[NDArray[np.bool_], Tensor, augment.Drawn]:
        """Read pictures, augment them, and give what was drawn beside what `augmented` gives; arguments as there."""
        readable, pictures, limbs = self.source.with_limbs(rows, size=self.size)
        drawn = self.drawn(seeds[readable], ranges=ranges)
        if not readable.any():
            return readable, pictures, drawn
        return readable, augment.apply(pictures.to(self.device), limbs.to(self.device), drawn), drawn

    @abstractmethod
    def batch(self, step: int) -> Made:
        """Prepare this process's share of one step's examples."""
