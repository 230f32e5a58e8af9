"""Outlines as the loop sees them: pictures in, a class for every pixel out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.outlines.feeding import OutlineBatch, OutlineFeeder, batch_of
from capitate.training.outlines.films import OutlineFilms, open_outlines
from capitate.training.outlines.held_out import measure
from capitate.training.outlines.losses import cross_entropy, dice_loss, overlap_sums
from capitate.training.outlines.network import OutlineNetwork
from capitate.training.pictures.labelled import LabelledTask
from capitate.training.run_card import Figure
from capitate.training.settings.outlines import OutlinesConfig

__all__ = ["OutlineTask"]


class OutlineTask(LabelledTask[OutlineBatch, Tensor, OutlineFilms, OutlinesConfig]):
    """An experiment on outlines with its pictures."""

    name = "outlines"
    judged_by = "bone_error"
    terms = 6

    @classmethod
    def open(cls, config: OutlinesConfig, data: Path) -> OutlineTask:
        """Read the masks and films of an experiment; errors as of `capitate.training.outlines.films.open_outlines`."""
        return cls(open_outlines(data, config), config)

    def network(self) -> OutlineNetwork:
        """Build the network, randomly initialised."""
        return OutlineNetwork(self.config.network)

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
