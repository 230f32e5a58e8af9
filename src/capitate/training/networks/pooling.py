"""From a map of features to one vector a film."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from capitate.training.networks.backbones import last_norm
from capitate.training.networks.map_norm import MapNorm
from capitate.training.settings.network import NetworkConfig, Pooling

__all__ = ["AttentionPool", "GeneralisedMean", "GridPool", "make_pooling"]


def make_pooling(config: NetworkConfig, backbone: nn.Module) -> tuple[nn.Module, int]:
    """Build the pooling of a backbone's last map, and give the width of what it returns."""
    features = int(backbone.num_features)
    if config.pooling == Pooling.GEM:
        norm = MapNorm(features) if last_norm(backbone) is None else nn.Identity()
        return GeneralisedMean(norm), features
    if config.pooling == Pooling.ATTENTION:
        return AttentionPool(features, config.attention_widths, config.attention_kernels), features
    if config.pool == 1:
        return nn.AdaptiveAvgPool2d(1), features
    return GridPool(config.pool), features * config.pool * config.pool


class GridPool(nn.Module):
    """Means over a grid of cells, each from floor(i h / side) up to ceil((i + 1) h / side), as torch's adaptive mean.

    Written as two products of matrices, because ONNX has no adaptive mean where the cells differ in size.
    """

    def __init__(self, side: int) -> None:
        """Make a grid of `side` x `side`."""
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Reduce (n, channels, rows, columns) to (n, channels, side, side)."""
        return self._shares(x[0, 0, :, 0]) @ x @ self._shares(x[0, 0, 0, :]).T

    def _shares(self, line: Tensor) -> Tensor:
        """Weights (side, length) of the places of a line in each cell."""
        ones = torch.ones_like(line, dtype=torch.float32)
        place, length = ones.cumsum(0)[None] - 1, ones.sum()
        cell = torch.arange(self.side, device=line.device, dtype=torch.float32)[:, None]
        first, end = (cell * length / self.side).floor(), ((cell + 1) * length / self.side).ceil()
        inside = ((place >= first) & (place < end)).float()
        return (inside / inside.sum(1, keepdim=True)).to(line.dtype)


class GeneralisedMean(nn.Module):
    """Mean of p-th powers with p learnt, from 3 (Radenovic et al. 2019, IEEE TPAMI 41:1655), after a norm.

    Powers need positive numbers. Cutting negative ones off loses what they say, so a softplus follows the norm.
    """

    def __init__(self, norm: nn.Module) -> None:
        """Pool what `norm` returns: a norm over the whole map, or nothing for backbones that end in one."""
        super().__init__()
        self.norm = norm
        self.power = nn.Parameter(torch.tensor([3.0]))

    def forward(self, x: Tensor) -> Tensor:
        """Reduce (n, channels, rows, columns) to (n, channels, 1, 1)."""
        positive = functional.softplus(self.norm(x).float()).clamp_min(1e-6)
        power = self.power.clamp(1.0, 20.0)
        return positive.pow(power).mean((2, 3), keepdim=True).pow(1 / power)


class AttentionPool(nn.Module):
    """A weighted mean of the cells; small convolutions after a batch norm give the weights, which sum to 1."""

    def __init__(self, features: int, widths: tuple[int, ...], kernels: tuple[int, ...]) -> None:
        """Make the convolutions: `widths` channels with `kernels`, rectified, then one of a single channel."""
        super().__init__()
        self.norm = nn.BatchNorm2d(features)
        layers: list[nn.Module] = []
        for before, width, kernel in zip((features, *widths[:-1]), widths, kernels, strict=True):
            layers += [nn.Conv2d(before, width, kernel, padding=kernel // 2), nn.ReLU()]
        self.score = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1))

    def weights(self, x: Tensor) -> Tensor:
        """Weights of the cells (n, 1, rows, columns), sum 1 a film."""
        return self._weights(self.norm(x))

    def _weights(self, x: Tensor) -> Tensor:
        scores = self.score(x).float()
        return scores.flatten(2).softmax(2).reshape_as(scores)

    def forward(self, x: Tensor) -> Tensor:
        """Reduce (n, channels, rows, columns) to (n, channels, 1, 1)."""
        x = self.norm(x)
        return (self._weights(x) * x).sum((2, 3), keepdim=True)
