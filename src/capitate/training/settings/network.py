"""What a bone-age network is made of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SEX_ENTRANCES", "NetworkConfig"]

SEX_ENTRANCES = ("none", "early", "late", "both")


@dataclass(frozen=True)
class NetworkConfig:
    """Backbone, pooling, where sex enters, head.

    Attributes:
        backbone: `resnet` for timm's residual network with `widths` and `depths`, or any timm name.
        widths: channels of the stages.
        depths: blocks of the stages.
        drop_path: stochastic depth.
        smooth_strides: whether strides blur before they skip, see `capitate.training.smooth_stride`.
        pool: side of the grid that the last feature map is averaged to.
        sex: `none`, `early`, `late` or `both`.
        sex_width: width of the late sex embedding.
        hidden: width of the hidden layer of the head.
        dropout: before the head.
    """

    backbone: str = "resnet"
    widths: tuple[int, ...] = (32, 64, 128, 192)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    drop_path: float = 0.0
    smooth_strides: bool = False
    pool: int = 1
    sex: str = "late"
    sex_width: int = 32
    hidden: int = 256
    dropout: float = 0.2
