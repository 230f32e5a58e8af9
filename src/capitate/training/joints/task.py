"""The joint detector as the loop sees it: films in, maps of scores and boxes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.joints.feeding import JointBatch, JointFeeder, batch_of
from capitate.training.joints.films import JointFilms, open_films
from capitate.training.joints.held_out import measure
from capitate.training.joints.losses import box_terms, heat_loss
from capitate.training.joints.network import JointMaps, JointNetwork
from capitate.training.pictures.labelled import LabelledTask
from capitate.training.run_card import Figure
from capitate.training.settings.joints import JointDetectorConfig

__all__ = ["JointTask"]


class JointTask(LabelledTask[JointBatch, JointMaps, JointFilms, JointDetectorConfig]):
    """A joint-detector experiment with its films."""

    name = "joint-detector"
    terms = 5

    @classmethod
    def open(cls, config: JointDetectorConfig, data: Path) -> JointTask:
        """Read the films and labels of an experiment; errors as of `capitate.training.joints.films.open_films`."""
        return cls(open_films(data, config), config)

    def network(self) -> JointNetwork:
        """Build the network, randomly initialised."""
        return JointNetwork(self.config.network, classes=len(self.config.classes))

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> JointFeeder:
        """Give what makes augmented batches of some films."""
        return JointFeeder(self.films, rows, self.config, rank=rank, processes=processes, device=device)

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> JointBatch:
        """Give films as they are stored."""
        return batch_of(self.films, rows, self.config, size=size)

    def answer(self, network: nn.Module, batch: JointBatch) -> JointMaps:
        """Let the network answer a batch."""
        answer: JointMaps = network(batch.pictures.contiguous(memory_format=torch.channels_last))
        return answer

    def _terms(self, answer: JointMaps, batch: JointBatch) -> Tensor:
        """Give the three losses of every film, (3, n)."""
        settings = self.config.loss
        marks = heat_loss(answer.logits, batch.targets.heat, focus=settings.focus, near=settings.near)
        return torch.stack([marks, *box_terms(answer.boxes, batch.targets, settings)])

    def loss(self, answer: JointMaps, batch: JointBatch) -> Tensor:
        """Add the losses of marks, centres and boxes."""
        settings = self.config.loss
        weights = torch.tensor([1.0, settings.offset, settings.box_weight], device=answer.logits.device)
        return weights @ self._terms(answer, batch).mean(1)

    def sums(self, answer: JointMaps, batch: JointBatch, loss: Tensor) -> Tensor:
        """Sum films, the loss, and each of its three parts."""
        parts = self._terms(answer, batch).detach().double().sum(1)
        films = parts.new_full((1,), len(batch))
        return torch.cat([films, loss.detach().double()[None] * films, parts])

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Give the loss and its parts."""
        films, loss, marks, offset, box = sums
        return {"loss": loss / films, "marks": marks / films, "offset": offset / films, "boxes": box / films}

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> dict[str, Figure]:
        """Find the joints of films the way assessment would, and write `predictions.csv`."""
        return measure(network, self.films, rows, self.config, folder=folder)

    def files(self) -> Mapping[str, Any]:
        """Give what is wrong with the labels."""
        return {"audit.json": self.films.audit()}

    def notes(self) -> Sequence[str]:
        """Say which hands and films were left out."""
        wrong = len(self.films.labels.wrong)
        told = (f"{wrong} hands with wrong labels were left out, see audit.json.",) if wrong else ()
        return (*told, *super().notes())
