"""The joint detector as the loop sees it: films in, maps of scores and boxes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.data.pictures import folds_by_patient, patients
from capitate.training.joints.feeding import JointBatch, JointFeeder, batch_of
from capitate.training.joints.films import JointFilms, open_films
from capitate.training.joints.held_out import measure
from capitate.training.joints.losses import box_terms, heat_loss
from capitate.training.joints.network import JointMaps, JointNetwork
from capitate.training.networks.features import fill_features
from capitate.training.run_card import Figure
from capitate.training.settings.joints import JointDetectorConfig
from capitate.training.task import Task

__all__ = ["JointTask"]


class JointTask(Task[JointBatch, JointMaps]):
    """A joint-detector experiment with its films."""

    name = "joint-detector"
    terms = 5

    def __init__(self, films: JointFilms, config: JointDetectorConfig) -> None:
        """Bring films and experiment together."""
        self.films, self._config = films, config
        self.ids = np.array([study.id for study in films.studies])

    @classmethod
    def open(cls, config: JointDetectorConfig, data: Path) -> JointTask:
        """Read the films and labels of an experiment; errors as of `capitate.training.joints.films.open_films`."""
        return cls(open_films(data, config), config)

    @property
    def config(self) -> JointDetectorConfig:
        """Give the experiment."""
        return self._config

    def network(self) -> JointNetwork:
        """Build the network, randomly initialised."""
        return JointNetwork(self.config.network, classes=len(self.config.classes))

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give published weights for the backbone where the experiment wants them."""
        settings = self.config.network
        if not (settings.pretrained or settings.weights):
            return None
        network = self.network()
        fill_features(network.backbone, settings)
        weights: dict[str, Tensor] = network.state_dict()
        return weights

    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every film: by its patient, or as its table gave it."""
        return folds_by_patient(self.films.studies, self.config.folds, from_table=self.config.reading.folds_from_table)

    @cached_property
    def _digest(self) -> str:
        return self.films.digest()

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids and joints; films are read anew by every run."""
        return {"labels_sha256": self._digest, "views_sha256": None}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name each film's patient, or the film where patients are not told."""
        everyone = patients(self.films.studies)
        return [everyone[row] for row in rows.tolist()]

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
        told = []
        if self.films.labels.wrong:
            told.append(f"{len(self.films.labels.wrong)} hands with wrong labels were left out, see audit.json.")
        if self.films.refused:
            names = ", ".join(sorted(self.films.refused))
            told.append(f"{len(self.films.refused)} films could not be read and were left out: {names}.")
        return tuple(told)
