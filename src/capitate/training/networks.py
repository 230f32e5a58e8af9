"""The bone-age network: timm's residual network on one view, sex, and a distribution over months."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
import timm
from timm.models.resnet import BasicBlock, ResNet

from capitate.training.settings.network import NetworkConfig
from capitate.training.smooth_stride import smooth_strides

__all__ = ["BINS", "BIN_MONTHS", "BoneAgeNetwork", "bin_centres", "make_backbone"]

BINS = 240
BIN_MONTHS = 1.0


def bin_centres(device: torch.device | str = "cpu") -> Tensor:
    """Give the bone age in months at each bin of the distribution, float32 (240,): 0, 1, ... 239."""
    return torch.arange(BINS, device=device, dtype=torch.float32) * BIN_MONTHS


def make_backbone(config: NetworkConfig) -> nn.Module:
    """Build timm's network by name, or its residual network with the stages that the configuration states."""
    backbone = _residual(config) if config.backbone == "resnet" else _named(config)
    return smooth_strides(backbone) if config.smooth_strides else backbone


def _named(config: NetworkConfig) -> nn.Module:
    return timm.create_model(config.backbone, in_chans=1, num_classes=0, pretrained=False)


def _residual(config: NetworkConfig) -> nn.Module:
    return ResNet(
        BasicBlock,
        list(config.depths),
        in_chans=1,
        num_classes=0,
        channels=tuple(config.widths),
        stem_type="deep",
        stem_width=config.widths[0] // 2,
        avg_down=True,
        drop_path_rate=config.drop_path,
    )


class BoneAgeNetwork(nn.Module):
    """View and sex to log probabilities by month.

    The contrast-stretched 8-bit view goes in as it is; scaling is the first layer, so that nothing about it can differ
    between training and use.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Build the network that `config` describes, randomly initialised."""
        super().__init__()
        self.config = config
        self.backbone = make_backbone(config)
        features = int(self.backbone.num_features)
        self.early = nn.Embedding(3, 1) if config.sex in ("early", "both") else None
        late = config.sex in ("late", "both")
        self.late = nn.Embedding(3, config.sex_width) if late else None
        self.pool = nn.AdaptiveAvgPool2d(config.pool)
        width = features * config.pool * config.pool + (config.sex_width if late else 0)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(width, config.hidden), nn.SiLU(), nn.Linear(config.hidden, BINS)
        )

    def features(self, view: Tensor, sex: Tensor) -> Tensor:
        """Compute the last feature map.

        Args:
            view: float (n, 1, height, width), 0 to 255.
            sex: int64 (n,): 0 female, 1 male, 2 unknown.
        """
        x = view * (1 / 64.0) - 1.5
        if self.early is not None:
            x = x + self.early(sex)[:, :, None, None]
        return self.backbone.forward_features(x)

    def forward(self, view: Tensor, sex: Tensor) -> Tensor:
        """Return logits by month, float32 (n, 240)."""
        pooled = self.pool(self.features(view, sex)).flatten(1)
        if self.late is not None:
            pooled = torch.cat([pooled, self.late(sex).to(pooled.dtype)], 1)
        return self.head(pooled).float()
