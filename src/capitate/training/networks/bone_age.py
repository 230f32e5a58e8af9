"""The bone-age network: a backbone on one view, sex, and an answer in months."""

from __future__ import annotations

from typing import Literal, overload

from torch import Tensor, nn

from capitate.training.networks.answer import Answer
from capitate.training.networks.backboned import Backboned
from capitate.training.networks.backbones import Scaling, feature_map, make_backbone
from capitate.training.networks.heads import make_head, make_layers, make_reading
from capitate.training.networks.pooling import make_pooling
from capitate.training.networks.sex import Modulation, early_entrance, late_entrance, permuted
from capitate.training.settings.layers import parse_layers
from capitate.training.settings.network import NetworkConfig, SexEntrance

__all__ = ["BoneAgeNetwork"]


class BoneAgeNetwork(Backboned):
    """View and sex to log probabilities by month.

    The contrast-stretched 8-bit view goes in as it is; scaling is the first layer, so that nothing about it can differ
    between training and use.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Build the network that `config` describes, randomly initialised."""
        super().__init__()
        self.config = config
        self.backbone = make_backbone(config)
        self.scaling = Scaling(self.backbone, channels=config.channels, ours=config.backbone == "resnet")
        features = int(self.backbone.num_features)
        self.early = early_entrance(config, self.backbone)
        self.film = Modulation(features) if config.sex == SexEntrance.FILM else None
        self.pool, width = make_pooling(config, self.backbone)
        image, width = make_layers(parse_layers(config.image_layers, key="network.image_layers"), width)
        self.image = nn.Sequential(*image)
        self.late, width = late_entrance(config, features=features, pooled=width)
        self.head = make_head(config, width)
        self.reading = make_reading(config)

    def features(self, view: Tensor, sex: Tensor) -> Tensor:
        """Compute the last feature map (n, features, rows, columns).

        Args:
            view: float (n, 1, height, width), 0 to 255.
            sex: int64 (n,): 0 female, 1 male, 2 unknown.
        """
        x = self.scaling(view)
        cells = feature_map(self.backbone, x if self.early is None else self.early(x, sex))
        return cells if self.film is None else self.film(cells, sex)

    def pooled(self, cells: Tensor) -> Tensor:
        """Reduce a feature map to one vector a film, (n, width), before sex enters late."""
        return self.image(self.pool(cells).flatten(1))

    @overload
    def forward(self, view: Tensor, sex: Tensor, *, whole: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, view: Tensor, sex: Tensor, *, whole: Literal[True]) -> Answer: ...
    def forward(self, view: Tensor, sex: Tensor, *, whole: bool = False) -> Tensor | Answer:
        """Return logits by month, float32 (n, 240), or with `whole` the `Answer` that losses need."""
        if self.training and self.config.sex == SexEntrance.SHUFFLED:
            sex = permuted(sex)
        answer = self.answer(self.features(view, sex), sex)
        return answer if whole else answer.logits

    def answer(self, cells: Tensor, sex: Tensor) -> Answer:
        """Read a feature map (n, features, rows, columns) and sex (n,)."""
        joined = self.pooled(cells)
        if self.late is not None:
            joined = self.late(joined, cells, sex)
        answer: Answer = self.reading(self.head(joined))
        return answer
