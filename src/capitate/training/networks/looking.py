"""Where a network looks, by film and sex: weights of attention as pictures, and its gate as a share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.errors import UsageError
from capitate.training.networks.bone_age import BoneAgeNetwork
from capitate.training.networks.pooling import AttentionPool
from capitate.training.networks.sex_attention import SexAttention

__all__ = ["Looks", "look", "look_figure", "overlay"]

_SEX_NAMES = ("female", "male", "unknown")
_GAP = 4


@dataclass(frozen=True, eq=False)
class Looks:
    """What a network's attention does on n films.

    Attributes:
        pooling: (n, rows, columns), weights of attention pooling, sum 1 a film; None without it.
        sex: (n, heads, rows, columns), weights of the cross-attention with sex, sum 1 a head; None without it.
        gate: (n,), mean share of the pooled picture beside the cells looked at, 0 to 1; None without cross-attention.
    """

    pooling: Tensor | None
    sex: Tensor | None
    gate: Tensor | None


def look(network: BoneAgeNetwork, view: Tensor, sex: Tensor) -> Looks:
    """Read the weights out.

    Args:
        network: set to evaluation by this call.
        view: (n, 1, height, width), 0 to 255.
        sex: int64 (n,): 0 female, 1 male, 2 unknown.

    Raises:
        UsageError: if the network has neither attention pooling nor cross-attention.
    """
    pool, late = network.pool, network.late
    if not isinstance(pool, AttentionPool) and not isinstance(late, SexAttention):
        raise UsageError(
            f"the network has no attention to show, got pooling {network.config.pooling!r} and sex "
            f"{network.config.sex!r}; set one of them to 'attention'"
        )
    with torch.no_grad():
        cells = network.eval().features(view.float(), sex)
        pooling = pool.weights(cells)[:, 0] if isinstance(pool, AttentionPool) else None
        if not isinstance(late, SexAttention):
            return Looks(pooling, None, None)
        looked = late.look(network.pooled(cells), cells, sex)
        return Looks(pooling, looked.weights, looked.gate.mean(1))


def overlay(view: Tensor, weights: Tensor) -> NDArray[np.uint8]:
    """Lay weights over a view in red, the largest in full.

    Args:
        view: (height, width), 0 to 255.
        weights: (rows, columns), not negative.

    Returns:
        uint8 (height, width, 3).
    """
    size = (view.shape[0], view.shape[1])
    wide = functional.interpolate(weights[None, None].float().cpu(), size, mode="bilinear", align_corners=False)[0, 0]
    share = (wide / wide.max().clamp_min(1e-12))[..., None]
    grey = view.float().cpu()[..., None].expand(-1, -1, 3)
    red = torch.tensor([255.0, 40.0, 0.0])
    picture: NDArray[np.uint8] = (grey + 0.6 * share * (red - grey)).round().clamp(0, 255).to(torch.uint8).numpy()
    return picture


def look_figure(network: BoneAgeNetwork, view: Tensor) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """Show one film as a girl's, a boy's and one of unknown sex: where the network looks, and what its gate does.

    Args:
        network: with attention.
        view: (1, height, width), 0 to 255.

    Returns:
        Three overlays side by side, uint8 (height, 3 width + 8, 3), heads averaged; and the gate by sex, the mean share
        of the pooled picture, empty without cross-attention.

    Raises:
        UsageError: as of `look`.
    """
    films = view[None].expand(len(_SEX_NAMES), -1, -1, -1)
    looks = look(network, films, torch.arange(len(_SEX_NAMES), device=view.device))
    weights = looks.pooling if looks.sex is None else looks.sex.mean(1)
    assert weights is not None  # noqa: S101  (look gives one of them)
    pictures = [overlay(view[0], one) for one in weights]
    gap = np.full((pictures[0].shape[0], _GAP, 3), 255, dtype=np.uint8)
    figure = np.concatenate([pictures[0], gap, pictures[1], gap, pictures[2]], axis=1)
    gates = {} if looks.gate is None else dict(zip(_SEX_NAMES, looks.gate.tolist(), strict=True))
    return figure, gates
