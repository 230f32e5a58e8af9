"""The screen's network: a picture to a logit."""

from __future__ import annotations

from torch import Tensor, nn

from capitate.training.networks.heads import make_layers
from capitate.training.pictures.network import PictureNetwork
from capitate.training.settings.abnormality import ScreenNetworkConfig
from capitate.training.settings.layers import parse_layers

__all__ = ["AbnormalityNetwork"]


class AbnormalityNetwork(PictureNetwork):
    """A backbone, its map averaged, and a head with one number."""

    def __init__(self, config: ScreenNetworkConfig) -> None:
        """Build the network that `config` describes, randomly initialised."""
        super().__init__(config)
        layers, width = make_layers(parse_layers(config.layers, key="network.layers"), self.width)
        self.head = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, picture: Tensor, placed: int = 0) -> Tensor | tuple[Tensor, Tensor]:
        """Give logits of being abnormal, float32 (n,), and beside them those of single cells where they are asked for.

        Args:
            picture: float (n, 1, height, width), 0 to 255.
            placed: how many of the last pictures are judged by cells, (placed, rows, columns), and not as a whole.
        """
        if not placed:
            return self.judged(self.pooled(picture))
        whole, single = self.features(picture).split([len(picture) - placed, placed])
        cells = single.permute(0, 2, 3, 1)
        return self.judged(whole.mean((2, 3))), self.judged(cells.flatten(0, 2)).view(cells.shape[:3])

    def judged(self, pooled: Tensor) -> Tensor:
        """Give logits (n,) of averaged features (n, width)."""
        logits: Tensor = self.head(pooled).float().flatten()
        return logits
