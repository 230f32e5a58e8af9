"""A backbone of timm's on a picture, averaged to one vector; each task puts its head behind it."""

from __future__ import annotations

import torch
from torch import Tensor

from capitate.training.networks import Backboned, fill_backbone
from capitate.training.networks.backbones import Scaling, feature_map, make_backbone
from capitate.training.settings.network import BackboneConfig

__all__ = ["PictureNetwork", "begun"]


class PictureNetwork(Backboned):
    """The part that networks of pictures share; scaling is its first layer, so that nothing about it can differ.

    Attributes:
        config: of the network.
        width: of the vector.
    """

    def __init__(self, config: BackboneConfig) -> None:
        """Build it, randomly initialised.

        Raises:
            UsageError: if timm has no such network.
        """
        super().__init__()
        self.config = config
        self.backbone = make_backbone(config)
        self.scaling = Scaling(self.backbone, channels=config.channels, ours=config.backbone == "resnet")
        self.width = int(self.backbone.num_features)

    def features(self, picture: Tensor) -> Tensor:
        """Compute the last feature map (n, features, rows, columns) of pictures (n, 1, height, width), 0 to 255."""
        return feature_map(self.backbone, self.scaling(picture))

    def pooled(self, picture: Tensor) -> Tensor:
        """Average the feature map over its cells, (n, width)."""
        return self.features(picture).mean((2, 3))


def begun(network: PictureNetwork) -> dict[str, Tensor] | None:
    """Fill a network's backbone with published weights, and give its state; None where the experiment wants none.

    Raises:
        UsageError: if the weights cannot be had or do not fit.
    """
    if not (network.config.pretrained or network.config.weights):
        return None
    with torch.no_grad():
        fill_backbone(network.backbone, network.config)
    weights: dict[str, Tensor] = network.state_dict()
    return weights
