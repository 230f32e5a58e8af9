"""Where sex enters a network: 0 female, 1 male, 2 unknown.

An embedding of three rows says all that any layers on a single digit could, and has a row for the unknown.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
from timm.layers.mixed_conv2d import MixedConv2d

from capitate.training.networks.backbones import widen_stem
from capitate.training.networks.sex_attention import SexAttention
from capitate.training.settings.network import NetworkConfig, SexEntrance

__all__ = [
    "SEXES",
    "AddedPlane",
    "Concatenated",
    "FurtherPlane",
    "MixedSex",
    "Modulation",
    "early_entrance",
    "late_entrance",
    "permuted",
]

SEXES = 3


def early_entrance(config: NetworkConfig, backbone: nn.Module) -> nn.Module | None:
    """Build what joins sex to the scaled picture, (picture, sex) to a picture; widens the stem where it must."""
    if config.sex in (SexEntrance.EARLY, SexEntrance.BOTH):
        return AddedPlane(SEXES, 1)
    if config.sex == SexEntrance.CHANNEL:
        widen_stem(backbone)
        return FurtherPlane(SEXES, 1)
    return MixedSex(config.channels) if config.sex == SexEntrance.MIXCONV else None


def late_entrance(config: NetworkConfig, *, features: int, pooled: int) -> tuple[nn.Module | None, int]:
    """Build what joins sex to the pooled picture, (pooled, map, sex) to a vector, and give the vector's width."""
    if config.sex in (SexEntrance.LATE, SexEntrance.BOTH, SexEntrance.SHUFFLED):
        return Concatenated(SEXES, config.sex_width), pooled + config.sex_width
    if config.sex == SexEntrance.ATTENTION:
        fusion = SexAttention(features, pooled, width=config.fusion_width, heads=config.fusion_heads)
        return fusion, config.fusion_width
    return None, pooled


def permuted(sex: Tensor) -> Tensor:
    """Deal the sexes of a batch out among its films anew, from torch's random state as dropout does."""
    return sex[torch.randperm(sex.shape[0], device=sex.device)]


class AddedPlane(nn.Embedding):
    """A learnt value by sex, added to the whole picture."""

    def forward(self, x: Tensor, sex: Tensor) -> Tensor:
        """Shift a picture (n, channels, height, width)."""
        return x + super().forward(sex)[:, :, None, None]


class FurtherPlane(nn.Embedding):
    """A further plane of the picture, of a value by sex."""

    def forward(self, x: Tensor, sex: Tensor) -> Tensor:
        """Make (n, channels + 1, height, width)."""
        plane = super().forward(sex)[:, :, None, None].to(x.dtype)
        return torch.cat([x, plane.expand(-1, -1, x.shape[2], x.shape[3])], 1)


class MixedSex(nn.Module):
    """Picture and planes of sex mixed by convolutions of several sizes, added to the picture.

    Depthwise kernels of 3, 5 and 7 side by side (Tan & Le 2019, MixConv, BMVC) between two convolutions of one pixel.
    The last begins at zero, so that training begins with the picture itself.
    """

    _INSIDE = 12

    def __init__(self, channels: int, *, planes: int = 2) -> None:
        """Mix into a picture of `channels`."""
        super().__init__()
        self.planes = nn.Embedding(SEXES, planes)
        self.enter = nn.Conv2d(channels + planes, self._INSIDE, 1)
        self.mix = MixedConv2d(self._INSIDE, self._INSIDE, [3, 5, 7], depthwise=True)
        self.leave = nn.Conv2d(self._INSIDE, channels, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, sex: Tensor) -> Tensor:
        """Return a picture of the same size."""
        planes = self.planes(sex)[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])
        inside = nn.functional.silu(self.enter(torch.cat([x, planes.to(x.dtype)], 1)))
        return x + self.leave(nn.functional.silu(self.mix(inside)))


class Modulation(nn.Module):
    """Each channel of a map scaled and shifted by sex (Perez et al. 2018, FiLM, AAAI); begins as no change."""

    def __init__(self, features: int) -> None:
        """Modulate `features` channels."""
        super().__init__()
        self.factors = nn.Embedding(SEXES, 2 * features)
        nn.init.zeros_(self.factors.weight)

    def forward(self, x: Tensor, sex: Tensor) -> Tensor:
        """Modulate (n, channels, rows, columns)."""
        scale, shift = self.factors(sex)[:, :, None, None].chunk(2, 1)
        return x * (1 + scale) + shift


class Concatenated(nn.Embedding):
    """A learnt vector by sex beside the pooled picture."""

    def forward(self, pooled: Tensor, cells: Tensor, sex: Tensor) -> Tensor:
        """Join (n, width) and the embedding; the map is not needed."""
        return torch.cat([pooled, super().forward(sex).to(pooled.dtype)], 1)
