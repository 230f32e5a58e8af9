"""The detector's network: timm's maps brought together at stride 4, then a mark and a box for every cell."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from capitate.training.detector.targets import STRIDE
from capitate.training.networks.features import FeaturesNetwork, MapFeatures
from capitate.training.networks.separable import separable
from capitate.training.settings.pictures import FeaturesConfig

__all__ = ["DetectorMaps", "DetectorNetwork", "ReleasedDetector"]

_RARE = 0.01
"""Score of every cell before training, so that the many empty ones do not decide the first steps (Lin et al. 2017)."""
_USUAL_CELLS = 8.0
"""Side of a box, in cells, that a network states before it has learnt."""
_MOST_LOG = 4.0


class DetectorMaps(NamedTuple):
    """What the network says of every cell.

    Attributes:
        logits: float (n, classes, rows, columns), of a centre being there.
        boxes: float (n, 4, rows, columns), centre x, y, width and height of the object whose centre is there, cells.
    """

    logits: Tensor
    boxes: Tensor


class DetectorNetwork(FeaturesNetwork):
    """A fully convolutional detector without anchors (after Zhou, Wang & Krahenbuhl 2019, Objects as Points)."""

    def __init__(self, config: FeaturesConfig, *, classes: int) -> None:
        """Build the network, randomly initialised.

        Raises:
            UsageError: if timm has no such backbone.
        """
        super().__init__()
        self.backbone = MapFeatures(config.backbone, planes=config.channels, rate=config.drop_path)
        width = config.width
        self.sides = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in self.backbone.channels)
        self.joining = nn.ModuleList(separable(width, width) for _ in self.backbone.channels[1:])
        self.marks = nn.Sequential(separable(width, width), nn.Conv2d(width, classes, 1))
        self.shapes = nn.Sequential(separable(width, width), nn.Conv2d(width, 4, 1))
        nn.init.constant_(self.marks[-1].bias, -math.log((1 - _RARE) / _RARE))
        nn.init.zeros_(self.shapes[-1].weight)
        nn.init.zeros_(self.shapes[-1].bias)

    def forward(self, picture: Tensor) -> DetectorMaps:
        """Read pictures, float (n, 1, height, width), 0 to 255, sides in multiples of 32."""
        maps = [side(each) for side, each in zip(self.sides, self.backbone(picture), strict=True)]
        x = maps[-1]
        for finer, join in zip(maps[-2::-1], self.joining, strict=True):
            x = join(functional.interpolate(x, scale_factor=2.0, mode="nearest") + finer)
        return DetectorMaps(self.marks(x), _boxes(self.shapes(x).float()))


def _boxes(shapes: Tensor) -> Tensor:
    """Turn raw numbers into boxes: offsets from a cell's middle, and logarithms of sides."""
    rows, columns = shapes.shape[2], shapes.shape[3]
    across = torch.arange(columns, device=shapes.device, dtype=shapes.dtype)[None, None, None, :]
    down = torch.arange(rows, device=shapes.device, dtype=shapes.dtype)[None, None, :, None]
    sides = torch.exp(shapes[:, 2:].clamp(-_MOST_LOG, _MOST_LOG)) * _USUAL_CELLS
    return torch.cat([shapes[:, :1] + across + 0.5, shapes[:, 1:2] + down + 0.5, sides], 1)


class ReleasedDetector(nn.Module):
    """What the file computes: an 8-bit picture to scores and boxes in its pixels."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap a trained network."""
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores (n, classes, rows, columns), 0 to 1, and boxes (n, 4, rows, columns) in pixels."""
        maps = self.network(picture.float())
        return maps.logits.float().sigmoid(), maps.boxes * STRIDE
