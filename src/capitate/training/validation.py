"""Films kept back inside the training films, by which the best weights are chosen; the held-out fold is never asked."""

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
from capitate.training.batches import Batch
from capitate.training.devices import summed
from capitate.training.meter import Meter, film_sums
from capitate.training.objective import Objective
from capitate.training.settings.validation import ValidationConfig
from capitate.training.view_store import ViewStore

__all__ = ["Best", "judge", "kept_back"]

_BATCH = 128


def kept_back(ids: Sequence[str], *, share: float) -> NDArray[np.bool_]:
    """Choose the films of the validation split by their ids alone, so that every run agrees, bool (n,).

    Raises:
        UsageError: if none or all would be chosen.
    """
    places = [int.from_bytes(hashlib.sha256(f"validation {one}".encode()).digest()[:8], "big") / 2**64 for one in ids]
    chosen = np.array(places) < share
    if share > 0 and (not chosen.any() or chosen.all()):
        raise UsageError(
            f"validation.share {share:g} keeps back {int(chosen.sum())} of {len(ids)} films to learn from; prepare "
            "more films or change the share"
        )
    return chosen


def judge(
    network: nn.Module,
    store: ViewStore,
    rows: NDArray[np.int64],
    objective: Objective,
    *,
    size: tuple[int, int],
    fabric: Fabric,
) -> dict[str, float]:
    """Measure a network on films as they are stored, never augmented, with the films' own sex.

    Args:
        network: set to evaluation by this call.
        store: films.
        rows: which of them.
        objective: for the loss.
        size: rows and columns of the views.
        fabric: processes that share the films.

    Returns:
        loss; mae and rmse in months; r2.
    """
    network.eval()
    mine = np.array_split(rows, fabric.world_size)[fabric.global_rank]
    total = torch.zeros(6, dtype=torch.float64, device=fabric.device)
    for part in np.array_split(mine, max(1, -(-mine.size // _BATCH))) if mine.size else ():
        views, _, months, sexes = store.batch(part, size=size)
        batch = Batch(views.float(), sexes, months, None, len(part)).to(fabric.device)
        with torch.no_grad():
            answer = network(batch.views.contiguous(memory_format=torch.channels_last), batch.sexes, whole=True)
            total += film_sums(objective(answer, batch), answer.months, batch.months)
    meter = Meter()
    meter.add(summed(fabric, total), seconds=0.0, data_seconds=0.0)
    return {name: value for name, value in meter.figures().items() if name in {"loss", "mae", "rmse", "r2"}}


@dataclass
class Best:
    """The smallest validation error so far.

    Attributes:
        mae: months.
        epoch: after which it was reached, counted from 1; 0 for none yet.
        waited: epochs since.
    """

    mae: float = float("inf")
    epoch: int = 0
    waited: int = 0

    def better(self, mae: float, epoch: int, config: ValidationConfig) -> bool:
        """Take an epoch's error in and say whether it is the best; an error that is no number never is."""
        if mae < self.mae - config.smallest:
            self.mae, self.epoch, self.waited = mae, epoch, 0
            return True
        self.waited += 1
        return False

    def enough(self, config: ValidationConfig) -> bool:
        """Say whether training should stop."""
        return 0 < config.patience <= self.waited

    def state_dict(self) -> dict[str, Any]:
        """Give the values."""
        return vars(self).copy()
