"""Grading as the loop sees it: crops and their categories in, probabilities of grades out, errors in grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.evaluation.grades.predictions import PREDICTIONS, GradePredictions
from capitate.runtime.film_rule import CropRule
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.training.joint_grades.batches import CropBatch, CropFeeder, crop_batch
from capitate.training.joint_grades.hand_ages import HANDS, grade_correlations, hand_ages, hand_figures
from capitate.training.joint_grades.labels import TaughtCrops, taught
from capitate.training.joint_grades.network import JointGradesNetwork
from capitate.training.losses import grades as losses
from capitate.training.pictures.network import begun
from capitate.training.pictures.reading import labels_digest
from capitate.training.pictures.source import PictureSource
from capitate.training.run_card import Figure
from capitate.training.runs import write_table
from capitate.training.settings.joint_grades import GradeLoss, JointGradesConfig
from capitate.training.settings.pictures import film_rule
from capitate.training.task import Task

__all__ = ["JointGradesTask", "open_joint_grades"]

_BATCH = 64
_LOSSES = {
    GradeLoss.CUMULATIVE: losses.cumulative,
    GradeLoss.RANKED: losses.ranked,
    GradeLoss.CROSS_ENTROPY: losses.cross_entropy,
}


class JointGradesTask(Task[CropBatch, Tensor]):
    """A grading experiment with its crops."""

    name = "joint-grades"
    judged_by = "mean_absolute"
    unit = "grades"
    terms = 5

    def __init__(self, taught: TaughtCrops, config: JointGradesConfig) -> None:
        """Bring crops and experiment together; no picture is read yet."""
        self.taught, self.crops, self._config = taught, taught.crops, config
        rule = CropRule(film_rule(config, config.reading), config.margin)
        self.source = PictureSource(self.crops.items, rule=rule, config=config.reading)
        self.ids = self.source.ids

    @property
    def config(self) -> JointGradesConfig:
        """Give the experiment."""
        return self._config

    def network(self) -> JointGradesNetwork:
        """Build the network, randomly initialised."""
        return JointGradesNetwork(self.config.network)

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give the backbone's published weights, where the experiment wants them."""
        return begun(self.network())

    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every crop, that of its hand."""
        return self.crops.folds(self.config.folds)

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids, categories, grades and hands; pictures are read from the crops themselves."""
        crops = self.crops
        parts = (self.ids, crops.categories, crops.grades, crops.hands, self.taught.targets.round(4))
        lines = list(zip(*(part.tolist() for part in parts), strict=True))
        return {"labels_sha256": labels_digest(lines), "views_sha256": None}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name each crop's hand."""
        hands: list[str] = self.crops.hands[rows].tolist()
        return hands

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> CropFeeder:
        """Give what makes augmented batches of some crops."""
        return CropFeeder(self.taught, self.source, rows, self.config, rank=rank, processes=processes, device=device)

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> CropBatch | None:
        """Give crops as they are; those that cannot be read are left out."""
        readable, pictures = self.source.pictures(rows, size=size)
        if not readable.any():
            return None
        return crop_batch(self.taught, rows[readable], pictures)

    def answer(self, network: nn.Module, batch: CropBatch) -> Tensor:
        """Let the network answer a batch."""
        found: Tensor = network(batch.pictures.contiguous(memory_format=torch.channels_last), batch.categories)
        return found

    def loss(self, answer: Tensor, batch: CropBatch) -> Tensor:
        """Give the loss that the experiment names."""
        return _LOSSES[self.config.loss.name](answer, batch.targets)

    def sums(self, answer: Tensor, batch: CropBatch, loss: Tensor) -> Tensor:
        """Sum crops, loss, grades off the mark, exact hits and those at most one off."""
        below = answer.detach().exp().double().cumsum(1)
        off = ((below < 0.5 * below[:, -1:]).sum(1) - batch.grades).abs().double()
        crops = off.new_full((), len(batch))
        parts = [crops, loss.detach().double() * crops, off.sum(), (off == 0).sum(), (off <= 1).sum()]
        return torch.stack([part.double() for part in parts])

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Read loss, mean_absolute in grades, exact and within_one."""
        names = ("loss", "mean_absolute", "exact", "within_one")
        return {name: value / sums[0] for name, value in zip(names, sums[1:], strict=True)}

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> Mapping[str, Figure]:
        """Grade crops of hands that the network never saw, as they are."""
        found = self.predict(network, rows)
        found.save(folder / PREDICTIONS)
        return {**found.figures(), **self._against_ages(found, folder)}

    def _against_ages(self, found: GradePredictions, folder: Path) -> dict[str, Any]:
        """Compare with the bone ages of the hands, where the data tell them."""
        crops = self.crops
        known = np.isfinite(crops.ages) & (crops.sexes != "")
        if not known.any():
            return {}
        names = crops.hands[known].tolist()
        sexes = dict(zip(names, crops.sexes[known].tolist(), strict=True))
        ages = dict(zip(names, crops.ages[known].tolist(), strict=True))
        hands = list(hand_ages(found, sexes=sexes, ages=ages))
        write_table(folder / HANDS, [asdict(one) for one in hands])
        return {
            "rus_chn": hand_figures(hands),
            "rank_correlation": grade_correlations(found, sexes=sexes, ages=ages),
        }

    def predict(self, network: nn.Module, rows: NDArray[np.int64]) -> GradePredictions:
        """Grade crops; those that cannot be read are left out.

        Raises:
            UsageError: if none can.
        """
        network.eval()
        device = next(network.parameters()).device
        kept, found = [np.zeros(0, dtype=np.int64)], [np.zeros((0, MOST_GRADES + 1))]
        for part in np.array_split(rows, max(1, -(-rows.size // _BATCH))):
            readable, pictures = self.source.pictures(part)
            if readable.any():
                batch = crop_batch(self.taught, part[readable], pictures).to(device)
                with torch.no_grad():
                    found.append(self.answer(network, batch).double().exp().cpu().numpy())
                kept.append(part[readable])
        order = np.concatenate(kept)
        if not order.size:
            raise UsageError(f"none of {rows.size} held-out crops can be read; see `capitate data check`")
        probabilities = np.concatenate(found)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        crops, names = self.crops, np.array(list(CATEGORIES), dtype=np.str_)
        take = partial(np.take, indices=order)
        return GradePredictions(
            take(self.ids),
            take(crops.joints),
            names[crops.categories[order]],
            take(crops.hands),
            take(crops.grades),
            probabilities,
        )

    def notes(self) -> Sequence[str]:
        """Name the crops that could not be read."""
        names = sorted(self.source.refused)
        return (f"{len(names)} crops could not be read and were left out: {', '.join(names)}.",) if names else ()


def open_joint_grades(config: JointGradesConfig, data: Path) -> JointGradesTask:
    """Bring a grading experiment and a folder of graded crops together.

    Raises:
        TableError: if the folder holds no crops, a grade that a joint does not have, or a crop without any label.
    """
    return JointGradesTask(taught(data, config), config)
