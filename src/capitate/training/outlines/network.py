"""The network for outlines: timm's maps brought back, stride by stride, to a class for every pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from capitate.training.networks.features import FeaturesNetwork, MapFeatures
from capitate.training.networks.separable import separable
from capitate.training.outlines.masks import CLASSES
from capitate.training.settings.pictures import FeaturesConfig

__all__ = ["OutlineNetwork", "ReleasedOutlines"]

_STRIDES = (2, 4, 8, 16, 32)


class OutlineNetwork(FeaturesNetwork):
    """Features and a light decoder that joins each finer map to the coarser ones (Ronneberger et al. 2015, U-Net)."""

    def __init__(self, config: FeaturesConfig) -> None:
        """Build the network, randomly initialised.

        Raises:
            UsageError: if timm has no such backbone.
        """
        super().__init__()
        self.backbone = MapFeatures(config.backbone, planes=config.channels, strides=_STRIDES, rate=config.drop_path)
        width = config.width
        self.sides = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in self.backbone.channels)
        self.joining = nn.ModuleList(separable(2 * width, width) for _ in self.backbone.channels[1:])
        self.classes = nn.Conv2d(width, len(CLASSES), 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Give logits (n, 3, height, width) of pictures (n, 1, height, width), 0 to 255, sides in multiples of 32."""
        maps = [side(each) for side, each in zip(self.sides, self.backbone(picture), strict=True)]
        x = maps[-1]
        for finer, join in zip(maps[-2::-1], self.joining, strict=True):
            x = join(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), finer], 1))
        return functional.interpolate(self.classes(x).float(), scale_factor=2.0, mode="bilinear", align_corners=False)


class ReleasedOutlines(nn.Module):
    """What the file computes: an 8-bit picture to the probability of each class at every pixel."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap a trained network."""
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """Return probabilities (n, 3, height, width)."""
        return self.network(picture.float()).softmax(1)
