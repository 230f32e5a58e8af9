"""Outlines as the loop sees them: pictures in, a class for every pixel out."""

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
from capitate.training.networks.features import fill_features
from capitate.training.outlines.feeding import OutlineBatch, OutlineFeeder, batch_of
from capitate.training.outlines.films import OutlineFilms, open_outlines
from capitate.training.outlines.held_out import measure
from capitate.training.outlines.losses import cross_entropy, dice_loss, overlap_sums
from capitate.training.outlines.network import OutlineNetwork
from capitate.training.run_card import Figure
from capitate.training.settings.outlines import OutlinesConfig
from capitate.training.task import Task

__all__ = ["OutlineTask"]


class OutlineTask(Task[OutlineBatch, Tensor]):
    """An experiment on outlines with its pictures."""

    name = "outlines"
    judged_by = "bone_error"
    terms = 6

    def __init__(self, films: OutlineFilms, config: OutlinesConfig) -> None:
        """Bring pictures and experiment together."""
        self.films, self._config, self.ids = films, config, films.ids

    @classmethod
    def open(cls, config: OutlinesConfig, data: Path) -> OutlineTask:
        """Read the masks and films of an experiment; errors as of `capitate.training.outlines.films.open_outlines`."""
        return cls(open_outlines(data, config), config)

    @property
    def config(self) -> OutlinesConfig:
        """Give the experiment."""
        return self._config

    def network(self) -> OutlineNetwork:
        """Build the network, randomly initialised."""
        return OutlineNetwork(self.config.network)

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
        """Give the fold of every picture: that of its film's patient, or as its table gave it."""
        return folds_by_patient(self.films.studies, self.config.folds, from_table=self.config.reading.folds_from_table)

    @cached_property
    def _digest(self) -> str:
        return self.films.digest()

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids and masks; films are read anew by every run."""
        return {"labels_sha256": self._digest, "views_sha256": None}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name the patient of each picture's film, or the film where patients are not told."""
        everyone = patients(self.films.studies)
        return [everyone[row] for row in rows.tolist()]

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> OutlineFeeder:
        """Give what makes augmented batches of some pictures."""
        return OutlineFeeder(self.films, rows, self.config, rank=rank, processes=processes, device=device)

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> OutlineBatch:
        """Give pictures as they are stored."""
        return batch_of(self.films, rows, size=size)

    def answer(self, network: nn.Module, batch: OutlineBatch) -> Tensor:
        """Let the network answer a batch with logits (n, 3, height, width)."""
        answer: Tensor = network(batch.pictures.contiguous(memory_format=torch.channels_last))
        return answer

    def loss(self, answer: Tensor, batch: OutlineBatch) -> Tensor:
        """Add cross-entropy and the Dice loss by their shares."""
        share = self.config.dice
        entropy = cross_entropy(answer, batch.shares, batch.known)
        overlap = dice_loss(answer, batch.shares, batch.known)
        return ((1 - share) * entropy + share * overlap).mean()

    def sums(self, answer: Tensor, batch: OutlineBatch, loss: Tensor) -> Tensor:
        """Sum pictures, the loss, and the pixels that Dice needs."""
        pixels = overlap_sums(answer.detach(), batch.shares, batch.known).sum(0).flatten()
        films = pixels.new_full((1,), len(batch))
        return torch.cat([films, loss.detach().double()[None] * films, pixels])

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Give the loss, Dice of both classes over all pixels together, and 1 less that of the bones."""
        films, loss, *pixels = sums
        region, bone = (2 * both / max(either, 1.0) for both, either in (pixels[:2], pixels[2:]))
        return {"loss": loss / films, "dice_region": region, "dice_bone": bone, "bone_error": 1 - bone}

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> dict[str, Figure]:
        """Outline films the way assessment would, and write `predictions.csv`."""
        return measure(network, self.films, rows, folder=folder, seed=self.config.seed)

    def files(self) -> Mapping[str, Any]:
        """Give which films could not be used, and why."""
        refused = {name: {"code": one.code, "message": one.message} for name, one in self.films.refused.items()}
        return {"audit.json": {"pictures": len(self.films), "refused_films": refused}}

    def notes(self) -> Sequence[str]:
        """Name the films that could not be used."""
        names = ", ".join(sorted(self.films.refused))
        told = f"{len(self.films.refused)} films could not be used and were left out, see audit.json: {names}."
        return (told,) if names else ()
