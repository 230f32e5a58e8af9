"""What a bone-age network is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capitate.errors import UsageError
from capitate.training.settings.layers import parse_layers

__all__ = [
    "NO_SHAPE",
    "SEX_ENTRANCES",
    "BackboneConfig",
    "HeadKind",
    "NetworkConfig",
    "Pooling",
    "SexEntrance",
    "Spread",
    "SpreadShape",
    "Target",
    "TrainedOn",
]


class Pooling(StrEnum):
    """How the last feature map becomes one vector: means of a grid, GeM, or a weighted mean that is learnt."""

    GRID = "grid"
    GEM = "gem"
    ATTENTION = "attention"


class SexEntrance(StrEnum):
    """Where sex enters; see `capitate.training.networks.sex` and `sex_attention`."""

    NONE = "none"
    SHUFFLED = "shuffled"
    EARLY = "early"
    CHANNEL = "channel"
    MIXCONV = "mixconv"
    LATE = "late"
    BOTH = "both"
    FILM = "film"
    ATTENTION = "attention"


class HeadKind(StrEnum):
    """What the last layer states: a probability a month, one number, or ordered thresholds."""

    DISTRIBUTION = "distribution"
    SCALAR = "scalar"
    ORDINAL = "ordinal"


class Target(StrEnum):
    """The scale on which a scalar head states the age; the loss is in months on every one of them."""

    MONTHS = "months"
    Z_SCORE = "z-score"
    MIN_MAX = "min-max"
    SHARE_OF_240 = "share-of-240"


class Spread(StrEnum):
    """Where the width of a scalar head's distribution comes from: one number for all films, or the head."""

    FITTED = "fitted"
    PREDICTED = "predicted"


class SpreadShape(StrEnum):
    """The distribution around a scalar head's months."""

    LAPLACE = "laplace"
    NORMAL = "normal"


class TrainedOn(StrEnum):
    """Films of which sex a network learns from."""

    BOTH = "both"
    FEMALE = "female"
    MALE = "male"


SEX_ENTRANCES = tuple(str(entrance) for entrance in SexEntrance)

NO_SHAPE = frozenset({"preset", "dropout", "drop_path", "smooth_strides", "pretrained", "weights", "trained_on"})
"""Keys that may differ between a run and the one that it starts from."""


@dataclass(frozen=True)
class BackboneConfig:
    """The part of a network that a task does not make itself.

    Attributes:
        backbone: `resnet` for timm's residual network with `widths` and `depths`, or any timm name, with or without
            the tag of its weights.
        widths: channels of the stages.
        depths: blocks of the stages.
        drop_path: stochastic depth.
        smooth_strides: whether strides blur before they skip, see `capitate.training.smooth_stride`.
        channels: 1, or 3 for a picture of three equal channels.
        pretrained: whether training begins with timm's published weights, fetched where there is a connection.
        weights: file of pretrained weights of the backbone instead, safetensors or a state dictionary.
    """

    backbone: str = "resnet"
    widths: tuple[int, ...] = (32, 64, 128, 192)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    drop_path: float = 0.0
    smooth_strides: bool = False
    channels: int = 1
    pretrained: bool = False
    weights: str = ""

    def __post_init__(self) -> None:
        """Refuse values that no backbone could be made of.

        Raises:
            UsageError: naming the key and the value.
        """
        _same_length(self, "widths", "depths")
        if self.channels not in (1, 3):
            raise UsageError(f"network.channels must be 1 or 3, got {self.channels}")
        if self.backbone == "resnet" and (self.pretrained or self.weights):
            raise UsageError(
                "network.pretrained and network.weights are for networks of timm; network.backbone = 'resnet' has no "
                "published weights, name one such as 'resnet18'"
            )


@dataclass(frozen=True)
class NetworkConfig(BackboneConfig):
    """The same with pooling, where sex enters, and a head that states a bone age.

    Attributes:
        preset: name of a set of values that the other keys change, see `capitate.training.settings.presets`; empty for
            the values here.
        pooling: `grid`, `gem` or `attention`.
        pool: side of the grid that the last feature map is averaged to; 1 is the plain average.
        attention_widths: channels of the convolutions that end in attention pooling's weights.
        attention_kernels: their sizes.
        image_layers: layers of the pooled picture before sex enters late, see `capitate.training.settings.layers`.
        sex: `none`, `shuffled`, `early`, `channel`, `mixconv`, `late`, `both`, `film` or `attention`.
        sex_width: width of the late sex embedding.
        fusion_width: width of the cross-attention between sex and picture.
        fusion_heads: its heads.
        head: `distribution`, `scalar` or `ordinal`.
        layers: of the head before its last: `standard` (dropout, `hidden`, `activation`), a published set, or a list.
        hidden: width of the hidden layer of the standard head.
        activation: of the standard head, any that timm or torch names.
        dropout: before the standard head.
        target: `months`, `z-score`, `min-max` or `share-of-240`, of a scalar head.
        spread: `fitted` or `predicted`, of a scalar head.
        spread_shape: `laplace` or `normal`, of a scalar head.
        trained_on: `both`, or `female` or `male` for a network of one sex.
    """

    preset: str = ""
    pooling: str = "grid"
    pool: int = 1
    attention_widths: tuple[int, ...] = (128, 64, 16)
    attention_kernels: tuple[int, ...] = (1, 1, 1)
    image_layers: str = ""
    sex: str = "late"
    sex_width: int = 32
    fusion_width: int = 128
    fusion_heads: int = 4
    head: str = "distribution"
    layers: str = "standard"
    hidden: int = 256
    activation: str = "silu"
    dropout: float = 0.2
    target: str = "months"
    spread: str = "fitted"
    spread_shape: str = "laplace"
    trained_on: str = "both"

    def __post_init__(self) -> None:
        """Refuse values that no network could be made of.

        Raises:
            UsageError: naming the key and the value.
        """
        super().__post_init__()
        for key, kind in _CLOSED.items():
            if getattr(self, key) not in set(kind):
                raise UsageError(f"network.{key} must be one of {', '.join(kind)}, got {getattr(self, key)!r}")
        _same_length(self, "attention_widths", "attention_kernels")
        for key in ("pool", "sex_width", "fusion_width", "fusion_heads", "hidden"):
            if getattr(self, key) < 1:
                raise UsageError(f"network.{key} must be at least 1, got {getattr(self, key)}")
        parse_layers(self.layers, key="network.layers")
        parse_layers(self.image_layers, key="network.image_layers")
        _check_combinations(self)


_CLOSED: dict[str, type[StrEnum]] = {
    "sex": SexEntrance,
    "pooling": Pooling,
    "head": HeadKind,
    "target": Target,
    "spread": Spread,
    "spread_shape": SpreadShape,
    "trained_on": TrainedOn,
}


def _same_length(config: BackboneConfig, first: str, second: str) -> None:
    lengths = len(getattr(config, first)), len(getattr(config, second))
    if lengths[0] != lengths[1]:
        raise UsageError(
            f"network.{first} and network.{second} must have one entry a stage, got {lengths[0]} and {lengths[1]}"
        )


def _check_combinations(config: NetworkConfig) -> None:
    if any(size % 2 == 0 for size in config.attention_kernels):
        raise UsageError(f"network.attention_kernels must be odd, got {list(config.attention_kernels)}")
    if config.pool != 1 and config.pooling != Pooling.GRID:
        raise UsageError(f"network.pool = {config.pool} is for network.pooling = 'grid', got {config.pooling!r}")
    if config.fusion_width % config.fusion_heads:
        raise UsageError(
            f"network.fusion_width must be a multiple of network.fusion_heads, got {config.fusion_width} and "
            f"{config.fusion_heads}"
        )
    if config.head != HeadKind.SCALAR and (config.target, config.spread) != (Target.MONTHS, Spread.FITTED):
        raise UsageError(
            f"network.target and network.spread are for network.head = 'scalar', got {config.target!r}, "
            f"{config.spread!r} and {config.head!r}"
        )
    if config.trained_on != TrainedOn.BOTH and config.sex != SexEntrance.NONE:
        raise UsageError(
            f"network.trained_on = {config.trained_on!r} leaves no sex to tell apart; set network.sex = 'none', "
            f"got {config.sex!r}"
        )
