"""Feature maps of timm's networks at several strides, for networks that answer with a map."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
import timm

from capitate.errors import UsageError
from capitate.training.networks.backboned import Backboned
from capitate.training.networks.backbones import Scaling
from capitate.training.networks.start import published_backbone
from capitate.training.settings.network import BackboneConfig
from capitate.training.settings.pictures import FeaturesConfig

__all__ = ["FeaturesNetwork", "MapFeatures", "fill_features"]

_STRIDES = (4, 8, 16, 32)


class MapFeatures(nn.Module):
    """A backbone's maps at rising strides, on 8-bit pictures.

    Attributes:
        network: timm's; published weights go in here.
        strides: of the maps, in order.
        channels: of the maps, in order.
    """

    def __init__(self, name: str, *, planes: int = 1, strides: Sequence[int] = _STRIDES, rate: float = 0.0) -> None:
        """Build the network, randomly initialised.

        Args:
            name: timm's name of a convolutional network, with or without the tag of its weights.
            planes: 1, or 3 for a picture of three equal planes.
            strides: wanted maps; each must be one of the network's.
            rate: stochastic depth.

        Raises:
            UsageError: if timm has no such network, or it has no maps of these strides.
        """
        super().__init__()
        self.network = _made(name, planes=planes, rate=rate)
        found = list(self.network.feature_info.reduction())
        missing = [one for one in strides if one not in found]
        if missing:
            raise UsageError(
                f"network.backbone = {name!r} has maps at strides {', '.join(map(str, found))}, and one at "
                f"{missing[0]} is needed; name a network that has it, such as 'mobilenetv3_small_100'"
            )
        self.strides = tuple(strides)
        self._at = [len(found) - 1 - found[::-1].index(one) for one in strides]
        self.channels = tuple(int(self.network.feature_info.channels()[k]) for k in self._at)
        self.scaling = Scaling(self.network, channels=planes, ours=False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Give the maps of pictures (n, 1, height, width), 0 to 255."""
        maps = self.network(self.scaling(picture))
        return [maps[k] for k in self._at]


class FeaturesNetwork(Backboned):
    """A network on such maps."""

    backbone: MapFeatures


def fill_features(features: MapFeatures, config: FeaturesConfig) -> None:
    """Fill in published weights where the experiment wants them, in place.

    Raises:
        UsageError: naming the file and what is wrong with it, or the missing connection.
    """
    if not (config.pretrained or config.weights):
        return
    whole = published_backbone(
        BackboneConfig(
            backbone=config.backbone, channels=config.channels, pretrained=config.pretrained, weights=config.weights
        )
    )
    # timm joins some names by a line below where it gives maps alone: blocks.0 becomes blocks_0
    theirs = {name.replace(".", "_"): value for name, value in whole.state_dict().items()}
    own = features.network.state_dict()
    features.network.load_state_dict({name: theirs[name.replace(".", "_")] for name in own})


def _made(name: str, *, planes: int, rate: float = 0.0) -> nn.Module:
    if not timm.is_model(name.partition(".")[0]):
        near = timm.list_models(f"*{name[:6]}*")[:5]
        advice = f"near it are {', '.join(near)}" if near else "timm.list_models() lists them"
        raise UsageError(f"network.backbone must be a network of timm, got {name!r}; {advice}")
    options = {"drop_path_rate": rate} if rate else {}
    try:
        return timm.create_model(name, pretrained=False, features_only=True, in_chans=planes, **options)
    except (RuntimeError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"timm cannot give the maps of network.backbone = {name!r}: {error}") from error
