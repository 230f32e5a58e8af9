"""Examples kept back inside the training ones, which choose the best weights; the held-out fold is never asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from capitate.errors import UsageError
from capitate.training.devices import summed
from capitate.training.settings.validation import ValidationConfig
from capitate.training.task import Task

__all__ = ["Best", "judge", "kept_back"]

_BATCH = 128


def kept_back(groups: Sequence[str], *, share: float) -> NDArray[np.bool_]:
    """Choose the examples of the validation split, so that every run agrees, bool (n,).

    Args:
        groups: patient, source or own id of each example; a group is kept back whole, and its name alone decides.
        share: of the groups.

    Raises:
        UsageError: if none or all would be chosen.
    """
    places = [
        int.from_bytes(hashlib.sha256(f"validation {one}".encode()).digest()[:8], "big") / 2**64 for one in groups
    ]
    chosen = np.array(places) < share
    if share > 0 and (not chosen.any() or chosen.all()):
        raise UsageError(
            f"validation.share {share:g} keeps back {int(chosen.sum())} of {len(groups)} films to learn from; prepare "
            "more films or change the share"
        )
    return chosen


def judge(
    network: nn.Module, task: Task[Any, Any], rows: NDArray[np.int64], *, size: tuple[int, int], fabric: Fabric
) -> dict[str, float]:
    """Measure a network on examples as they are stored, never augmented.

    Args:
        network: set to evaluation by this call.
        task: their kind.
        rows: which of them.
        size: rows and columns of the pictures.
        fabric: processes that share the examples.

    Returns:
        The task's figures.

    Raises:
        UsageError: if none of them can be read.
    """
    network.eval()
    mine = np.array_split(rows, fabric.world_size)[fabric.global_rank]
    total = torch.zeros(task.terms, dtype=torch.float64, device=fabric.device)
    for part in np.array_split(mine, max(1, -(-mine.size // _BATCH))) if mine.size else ():
        plain = task.plain(part, size=size)
        if plain is None:
            continue
        batch = plain.to(fabric.device)
        with torch.no_grad():
            answer = task.answer(network, batch)
            total += task.sums(answer, batch, task.loss(answer, batch))
    sums = summed(fabric, total).tolist()
    if not sums[0]:
        raise UsageError(f"none of the {rows.size} films kept back to choose the best weights by can be read")
    return task.figures(sums)


@dataclass
class Best:
    """The smallest validation error so far.

    Attributes:
        error: in the task's unit.
        epoch: after which it was reached, counted from 1; 0 for none yet.
        waited: epochs since.
    """

    error: float = float("inf")
    epoch: int = 0
    waited: int = 0

    def better(self, error: float, epoch: int, config: ValidationConfig) -> bool:
        """Take an epoch's error in and say whether it is the best; an error that is no number never is."""
        if error < self.error - config.smallest:
            self.error, self.epoch, self.waited = error, epoch, 0
            return True
        self.waited += 1
        return False

    def enough(self, config: ValidationConfig) -> bool:
        """Say whether training should stop."""
        return 0 < config.patience <= self.waited

    def state_dict(self) -> dict[str, Any]:
        """Give the values."""
        return vars(self).copy()
