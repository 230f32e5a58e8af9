"""What a network begins its training with: published weights and the training films' statistics."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
import timm
from timm.models import adapt_input_conv, load_state_dict

from capitate.errors import UsageError
from capitate.training.networks.backbones import named_network
from capitate.training.networks.bone_age import BoneAgeNetwork
from capitate.training.networks.heads import OneNumber
from capitate.training.settings.network import BackboneConfig, HeadKind, NetworkConfig
from capitate.training.targets import TargetStatistics

__all__ = ["begin", "fill_backbone", "first_weights", "fit_spread", "published_backbone"]

_log = logging.getLogger(__name__)
_COLOURS = 3
_OWN_PREFIXES = ("backbone.network.", "backbone.")
"""Before the backbone's names in runs of ours: those with maps at several strides, and the others."""


def first_weights(config: NetworkConfig, months: NDArray[np.float32]) -> dict[str, Tensor] | None:
    """Give the weights to begin with where random ones are not enough, None where they are.

    Args:
        config: of the network.
        months: (n,) bone ages of the training films alone.

    Raises:
        UsageError: if the published weights cannot be had or do not fit.
    """
    if config.head != HeadKind.SCALAR and not (config.pretrained or config.weights):
        return None
    weights: dict[str, Tensor] = begin(BoneAgeNetwork(config), months).state_dict()
    return weights


def begin(network: BoneAgeNetwork, months: NDArray[np.float32]) -> BoneAgeNetwork:
    """Fill in published weights and the statistics of targets, in place; arguments and errors as of `first_weights`."""
    config = network.config
    if isinstance(network.reading, OneNumber):
        network.reading.use(TargetStatistics.of(months))
    fill_backbone(network.backbone, config)
    return network


def fill_backbone(backbone: nn.Module, config: BackboneConfig) -> None:
    """Fill in published weights where the experiment wants them, in place; errors as of `published_backbone`."""
    if config.pretrained or config.weights:
        _copy(published_backbone(config), backbone)


def fit_spread(network: BoneAgeNetwork, errors_months: Tensor) -> None:
    """Set the fitted spread of a scalar head from errors on films that it was not trained on; others have none."""
    if isinstance(network.reading, OneNumber):
        network.reading.fit_spread(errors_months)


def published_backbone(config: BackboneConfig) -> nn.Module:
    """Build timm's network with published weights, from `network.weights` or over a connection.

    A stem of one channel gets the sum over the three that it was trained on, which on a grey picture gives the same
    map; timm does so.

    Raises:
        UsageError: naming the file and what is wrong with it, or the missing connection.
    """
    return _from_file(config) if config.weights else _from_timm(config)


def _from_timm(config: BackboneConfig) -> nn.Module:
    plain = named_network(config)
    if not plain.pretrained_cfg.get("hf_hub_id") and not plain.pretrained_cfg.get("url"):
        raise UsageError(
            f"timm publishes no weights for network.backbone = {config.backbone!r}; name a file as network.weights, or "
            "set network.pretrained = false"
        )
    _log.info("fetching the published weights of %s", config.backbone)
    hub = logging.getLogger("huggingface_hub")
    level = hub.level
    hub.setLevel(logging.ERROR)  # it tells of each of ten attempts; the sentence below tells once
    try:
        full = timm.create_model(config.backbone, in_chans=config.channels, num_classes=0, pretrained=True)
    except Exception as error:  # of any of the libraries that a download goes through
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"the weights of {config.backbone!r} cannot be fetched: {reason}; without a connection name a file of "
            "them, safetensors or a state dictionary, as network.weights, or set network.pretrained = false"
        ) from error
    finally:
        hub.setLevel(level)
    plain.load_state_dict(full.state_dict(), strict=False)
    return plain


def _from_file(config: BackboneConfig) -> nn.Module:
    path, plain = Path(config.weights), named_network(config)
    state = _read(path)
    wanted = plain.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    if missing:
        raise UsageError(
            f"the weights {path} are not those of {config.backbone!r}: {len(missing)} of {len(wanted)} are missing, "
            f"the first {missing[0]!r}; give a file with timm's names, or a run of that backbone"
        )
    first = plain.pretrained_cfg.get("first_conv")
    for stem in (first,) if isinstance(first, str) else first or ():
        name = f"{stem}.weight"
        if name in wanted and config.channels == 1 and state[name].shape[1] == _COLOURS:
            state[name] = adapt_input_conv(1, state[name])
    try:
        plain.load_state_dict(state, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UsageError(f"the weights {path} do not fit {config.backbone!r}: {reason}") from error
    return plain


def _read(path: Path) -> dict[str, Tensor]:
    try:
        state = load_state_dict(str(path), use_ema=False)
    except Exception as error:  # of safetensors, zipfile, torch or the file system
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"network.weights = {str(path)!r} cannot be read: {reason}; give a safetensors file or a state dictionary"
        ) from error
    for prefix in _OWN_PREFIXES:
        if own := {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}:
            return own
    return dict(state)


def _copy(plain: nn.Module, backbone: nn.Module) -> None:
    """Copy weights by name; of a stem with further planes, those of the picture."""
    there = backbone.state_dict()
    with torch.no_grad():
        for name, value in plain.state_dict().items():
            target = there[name]
            (target if target.shape == value.shape else target[:, : value.shape[1]]).copy_(value)
