"""Answers of a network for rows of a store, never augmented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.runtime.bone_age import TestView
from capitate.training.networks import BoneAgeNetwork
from capitate.training.view_store import ViewSource

__all__ = ["predict"]

_AS_STORED = (TestView(0, 0, False),)


def predict(
    network: BoneAgeNetwork,
    store: ViewSource,
    rows: NDArray[np.int64],
    *,
    sex: int | None = None,
    test_views: Sequence[TestView] = _AS_STORED,
    surroundings_removed: bool = False,
    size: tuple[int, int] | None = None,
    batch: int = 128,
) -> NDArray[np.float32]:
    """Give probabilities by month for rows of a store, never augmented.

    Args:
        network: set to evaluation by this call.
        store: films.
        rows: which of them.
        sex: index to give instead of the film's own, 2 for unknown.
        test_views: whose answers are averaged; the view as it is stored alone if left out.
        surroundings_removed: whether everything outside the dilated hand is black, as assessment has it.
        size: resolution, the store's own if None.
        batch: films at a time.

    Returns:
        float32 (len(rows), 240).
    """
    network.eval()
    device = next(network.parameters()).device
    answers = []
    for part in np.array_split(rows, max(1, -(-rows.size // batch))):
        views, masks, _, sexes = store.batch(part, size=size)
        if surroundings_removed:
            views = torch.where(masks, views, torch.zeros_like(views))
        sexes = sexes if sex is None else torch.full_like(sexes, sex)
        with torch.no_grad():
            each = [network(_seen(views, one).to(device), sexes.to(device)).softmax(1) for one in test_views]
        answers.append(torch.stack(each).mean(0).cpu().numpy())
    return np.concatenate(answers)


def _seen(views: Tensor, test_view: TestView) -> Tensor:
    """Make a test view of every view (n, 1, height, width), float."""
    moved = torch.from_numpy(np.stack([test_view.of(view) for view in views[:, 0].numpy()]))
    return moved[:, None].float().contiguous(memory_format=torch.channels_last)
