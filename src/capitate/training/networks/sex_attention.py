"""Cross-attention between sex and the cells of a picture, with a gate.

The query comes from the sex and from the pooled picture; keys and values are the cells of the last map, so that there
are as many keys as cells (Vaswani et al. 2017, NeurIPS). A gate (Arevalo et al. 2017, Gated multimodal units) then
decides for each feature how much comes from the pooled picture and how much from the cells that were looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from capitate.training.networks.map_norm import MapNorm

__all__ = ["Looked", "SexAttention"]

_SEXES = 3


class Looked(NamedTuple):
    """What the attention did.

    Attributes:
        joined: (n, width), what the head gets.
        weights: (n, heads, rows, columns), sum 1 over the cells of each head.
        gate: (n, width), 0 to 1, share of the pooled picture.
    """

    joined: Tensor
    weights: Tensor
    gate: Tensor


class SexAttention(nn.Module):
    """Join a pooled picture, its map and sex into one vector."""

    def __init__(self, features: int, pooled: int, *, width: int, heads: int) -> None:
        """Attend over cells of `features` channels, with a pooled picture of `pooled` numbers."""
        super().__init__()
        self.heads = heads
        self.sex = nn.Embedding(_SEXES, width)
        self.norm = MapNorm(features)
        self.pooled = nn.Linear(pooled, width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Conv2d(features, 2 * width, 1)
        self.context = nn.Linear(width, width)
        self.after = nn.LayerNorm(width)
        self.gate = nn.Linear(2 * width, width)

    def look(self, pooled: Tensor, cells: Tensor, sex: Tensor) -> Looked:
        """Attend and keep the weights; arguments as of `forward`."""
        picture, own = self.pooled(pooled), self.sex(sex)
        query = self.query(picture + own.to(picture.dtype)).unflatten(1, (self.heads, -1)).float()
        keys, values = self.key_value(self.norm(cells)).float().chunk(2, 1)
        keys, values = keys.unflatten(1, (self.heads, -1)), values.unflatten(1, (self.heads, -1))
        scores = torch.einsum("nhd,nhdrc->nhrc", query, keys) * (query.shape[2] ** -0.5)
        weights = scores.flatten(2).softmax(2).reshape_as(scores)
        seen = torch.einsum("nhrc,nhdrc->nhd", weights, values).flatten(1)
        context = self.after(own + self.context(seen))
        gate = self.gate(torch.cat([picture, context.to(picture.dtype)], 1)).sigmoid()
        return Looked(gate * picture + (1 - gate) * context.to(picture.dtype), weights, gate)

    def forward(self, pooled: Tensor, cells: Tensor, sex: Tensor) -> Tensor:
        """Join.

        Args:
            pooled: (n, pooled).
            cells: (n, features, rows, columns).
            sex: int64 (n,).

        Returns:
            (n, width).
        """
        return self.look(pooled, cells, sex).joined
