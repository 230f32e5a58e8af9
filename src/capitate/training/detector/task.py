"""A detector as the loop sees it: films in, maps of scores and boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.detector.feeding import DetectorBatch, DetectorFeeder, batch_of
from capitate.training.detector.films import BoxedFilms
from capitate.training.detector.losses import box_terms, heat_loss
from capitate.training.detector.network import DetectorMaps, DetectorNetwork
from capitate.training.pictures.labelled import LabelledTask
from capitate.training.settings.detector import DetectorConfig

__all__ = ["DetectorTask"]

Films = TypeVar("Films", bound=BoxedFilms)
Config = TypeVar("Config", bound=DetectorConfig)


class DetectorTask(LabelledTask[DetectorBatch, DetectorMaps, Films, Config], Generic[Films, Config]):
    """What experiments of detectors share; each kind reads its films and judges what it found."""

    terms = 5

    def network(self) -> DetectorNetwork:
        """Build the network, randomly initialised."""
        return DetectorNetwork(self.config.network, classes=len(self.config.classes))

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> DetectorFeeder:
        """Give what makes augmented batches of some films."""
        return DetectorFeeder(self.films, rows, self.config, rank=rank, processes=processes, device=device)

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> DetectorBatch:
        """Give films as they are stored."""
        return batch_of(self.films, rows, self.config, size=size)

    def answer(self, network: nn.Module, batch: DetectorBatch) -> DetectorMaps:
        """Let the network answer a batch."""
        answer: DetectorMaps = network(batch.pictures.contiguous(memory_format=torch.channels_last))
        return answer

    def _terms(self, answer: DetectorMaps, batch: DetectorBatch) -> Tensor:
        """Give the three losses of every film, (3, n)."""
        settings = self.config.loss
        marks = heat_loss(answer.logits, batch.targets.heat, focus=settings.focus, near=settings.near)
        return torch.stack([marks, *box_terms(answer.boxes, batch.targets, settings)])

    def loss(self, answer: DetectorMaps, batch: DetectorBatch) -> Tensor:
        """Add the losses of marks, centres and boxes."""
        settings = self.config.loss
        weights = torch.tensor([1.0, settings.offset, settings.box_weight], device=answer.logits.device)
        return weights @ self._terms(answer, batch).mean(1)

    def sums(self, answer: DetectorMaps, batch: DetectorBatch, loss: Tensor) -> Tensor:
        """Sum films, the loss, and each of its three parts."""
        parts = self._terms(answer, batch).detach().double().sum(1)
        films = parts.new_full((1,), len(batch))
        return torch.cat([films, loss.detach().double()[None] * films, parts])

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Give the loss and its parts."""
        films, loss, marks, offset, box = sums
        return {"loss": loss / films, "marks": marks / films, "offset": offset / films, "boxes": box / films}
