"""Backbones from timm by name: built, fed with what they expect, and read as one map of features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
import timm
from timm.data import resolve_model_data_config
from timm.models.resnet import BasicBlock, ResNet

from capitate.errors import UsageError
from capitate.training.settings.network import BackboneConfig
from capitate.training.smooth_stride import smooth_strides

__all__ = ["Scaling", "feature_map", "last_norm", "make_backbone", "named_network", "widen_stem"]

_OURS = "resnet"
_STAGES = 4
_GREY_LEVELS = 255.0


def make_backbone(config: BackboneConfig) -> nn.Module:
    """Build timm's network by name, or its residual network with the stages that the configuration states.

    Weights are random; `capitate.training.networks.start.begin` fills in published ones.

    Raises:
        UsageError: if timm has no network of that name, or ours has not four stages.
    """
    backbone = _residual(config) if config.backbone == _OURS else named_network(config)
    return smooth_strides(backbone) if config.smooth_strides else backbone


def named_network(config: BackboneConfig) -> nn.Module:
    """Build the network that timm has under `network.backbone`, as timm has it, without a classifier.

    Raises:
        UsageError: if there is none of that name, or it cannot be made with these settings.
    """
    name = config.backbone.partition(".")[0]
    if not timm.is_model(name):
        near = timm.list_models(f"*{name[:6]}*")[:5]
        advice = f"near it are {', '.join(near)}" if near else "timm.list_models() lists them"
        raise UsageError(f"network.backbone must be 'resnet' or a network of timm, got {config.backbone!r}; {advice}")
    options: dict[str, Any] = {"in_chans": config.channels, "num_classes": 0, "pretrained": False}
    if config.drop_path:
        options["drop_path_rate"] = config.drop_path
    try:
        try:
            made = timm.create_model(config.backbone, **options, dynamic_img_size=True)
        except TypeError:  # not a transformer on patches: takes any size as it is
            made = timm.create_model(config.backbone, **options)
            _refuse_fixed_size(made, config)
        return _without_hidden_head(made)
    except (RuntimeError, TypeError) as error:  # an unknown tag, or stochastic depth that the network has not
        raise UsageError(f"timm cannot make network.backbone = {config.backbone!r}: {error}") from error


def _refuse_fixed_size(backbone: nn.Module, config: BackboneConfig) -> None:
    if backbone.pretrained_cfg.get("fixed_input_size"):
        rows, columns = backbone.pretrained_cfg["input_size"][1:]
        raise UsageError(
            f"network.backbone = {config.backbone!r} takes pictures of {rows} x {columns} alone, and stages and views "
            "have other sizes; name a network that takes any, such as a convolutional one"
        )


def _without_hidden_head(backbone: nn.Module) -> nn.Module:
    """Drop layers that a network such as MobileNetV3 has between its pooling and its classifier, in place."""
    last = getattr(backbone, "conv_head", None)
    if isinstance(last, nn.Conv2d) and last.out_channels != backbone.num_features:
        backbone.conv_head, backbone.norm_head = nn.Identity(), nn.Identity()
    return backbone


def _residual(config: BackboneConfig) -> nn.Module:
    if len(config.widths) != _STAGES:
        raise UsageError(
            f"network.widths must name {_STAGES} stages of network.backbone = 'resnet', got {config.widths}"
        )
    return ResNet(
        BasicBlock,
        list(config.depths),
        in_chans=config.channels,
        num_classes=0,
        channels=tuple(config.widths),
        stem_type="deep",
        stem_width=config.widths[0] // 2,
        avg_down=True,
        drop_path_rate=config.drop_path,
    )


class Scaling(nn.Module):
    """From 8-bit views to what a backbone was made for.

    Our own residual network takes x / 64 - 1.5. A network of timm takes (x / 255 - mean) / sd of its own data
    configuration; with one channel, mean and sd are the averages over its three.
    """

    def __init__(self, backbone: nn.Module, *, channels: int, ours: bool) -> None:
        """Take the numbers of `backbone`; they are constants and no part of the weights."""
        super().__init__()
        factor, shift = torch.full((channels,), 1 / 64.0), torch.full((channels,), -1.5)
        if not ours:
            values = resolve_model_data_config(backbone)
            mean, sd = (torch.tensor(values[key], dtype=torch.float64) for key in ("mean", "std"))
            if channels == 1:
                mean, sd = mean.mean(0, keepdim=True), sd.mean(0, keepdim=True)
            factor, shift = (1 / (_GREY_LEVELS * sd)).float(), (-mean / sd).float()
        self.channels = channels
        self.register_buffer("factor", factor[None, :, None, None], persistent=False)
        self.register_buffer("shift", shift[None, :, None, None], persistent=False)

    def forward(self, view: Tensor) -> Tensor:
        """Scale a view (n, 1, height, width), 0 to 255, to (n, channels, height, width)."""
        return view.expand(-1, self.channels, -1, -1) * self.factor + self.shift


def feature_map(backbone: nn.Module, x: Tensor) -> Tensor:
    """Compute the last features as a map (n, channels, rows, columns), whatever the network's own order is."""
    if hasattr(backbone, "num_prefix_tokens"):
        return backbone.forward_intermediates(x, indices=1, norm=True, intermediates_only=True)[-1]
    norm = last_norm(backbone)
    cells = backbone.forward_features(x)
    cells = cells if norm is None else norm(cells)
    return cells.permute(0, 3, 1, 2) if getattr(backbone, "output_fmt", "NCHW") == "NHWC" else cells


def last_norm(backbone: nn.Module) -> nn.Module | None:
    """Give the norm that a network such as ConvNeXt has behind its own pooling, used before ours; None if it has none.

    A pooling on features in front of their norm, such as GeM, sees negative numbers that the norm would have moved.
    """
    norm = getattr(getattr(backbone, "head", None), "norm", None)
    return None if norm is None or isinstance(norm, nn.Identity) else norm


def widen_stem(backbone: nn.Module, *, planes: int = 1) -> None:
    """Let the first convolution take further planes, in place; weights of the picture stay as they are.

    Raises:
        UsageError: if the network does not begin with a plain convolution.
    """
    first = next((one for one in backbone.modules() if isinstance(one, nn.Conv2d)), None)
    if first is None or first.groups != 1:
        raise UsageError(
            f"network.sex = 'channel' needs a backbone that begins with a convolution, got {type(backbone).__name__}; "
            "use 'early' instead"
        )
    fresh = torch.empty(first.out_channels, planes, *first.kernel_size)
    nn.init.kaiming_normal_(fresh, mode="fan_out", nonlinearity="relu")
    first.in_channels += planes
    first.weight = nn.Parameter(torch.cat([first.weight.detach(), fresh], 1))
