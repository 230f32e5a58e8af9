"""A backbone that rests, and learning rates by depth."""

from __future__ import annotations

from typing import Any

from torch import nn

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
from timm.models import group_parameters

from capitate.errors import UsageError
from capitate.training.networks.backboned import Backboned

__all__ = ["depths", "freeze", "parameter_groups", "trainable", "unfreeze"]


def freeze(network: Backboned) -> None:
    """Let the backbone rest: no gradients, and batch statistics as they are.

    What joins sex to the picture in front of the backbone goes on learning. The optimiser may hold every weight all
    along: it passes over those without a gradient. Under several devices the network is set up again afterwards.
    """
    _set(network, frozen=True)


def unfreeze(network: Backboned) -> None:
    """Let every weight of the backbone learn again."""
    _set(network, frozen=False)


def _set(network: Backboned, *, frozen: bool) -> None:
    network.frozen = frozen
    for parameter in network.backbone.parameters():
        parameter.requires_grad_(not frozen)
        if frozen:
            parameter.grad = None
    network.train(network.training)


def trainable(network: nn.Module) -> int:
    """Count the numbers that training may change."""
    return sum(one.numel() for one in network.parameters() if one.requires_grad)


def depths(network: Backboned) -> dict[str, int]:
    """Give for every weight how many parts lie between it and the answer: 0 for all that is not backbone.

    Parts are those of timm: the stem, the stages, and what follows them.

    Raises:
        UsageError: if timm names no parts of this backbone.
    """
    backbone = network.backbone
    if not hasattr(backbone, "group_matcher"):
        raise UsageError(
            f"freezing.layer_decay needs a backbone whose parts timm names, got {type(backbone).__name__}; set it to 1"
        )
    parts: dict[str, int] = group_parameters(backbone, backbone.group_matcher(coarse=True), reverse=True)
    order = {part: len(set(parts.values())) - place for place, part in enumerate(sorted(set(parts.values())))}
    inside = {f"backbone.{name}": order[part] for name, part in parts.items()}
    return {name: inside.get(name, 0) for name, _ in network.named_parameters()}


def parameter_groups(
    network: Backboned, *, learning_rate: float, weight_decay: float, layer_decay: float = 1.0
) -> list[dict[str, Any]]:
    """Group the weights for an optimiser.

    Matrices, kernels and embeddings decay; biases and norms do not. With a layer decay below 1 each part of the
    backbone has groups of its own, and learns by that factor slower than the part behind it (Howard & Ruder 2018, ACL;
    Bao et al. 2022, ICLR).

    Args:
        network: itself, before anything is wrapped around it for several devices; frozen weights are in the groups as
            well, so that they can be set free later.
        learning_rate: of the head.
        weight_decay: of the weights that decay.
        layer_decay: factor of the learning rate per part, above 0 and at most 1.

    Raises:
        UsageError: if there is a layer decay and timm names no parts of the backbone.

    Returns:
        Groups with `params`, `lr` and `weight_decay`; a schedule that states rates itself takes each group's `lr`.
    """
    depth = depths(network) if layer_decay < 1 else {}
    named = list(network.named_parameters())
    groups = []
    for level in sorted({depth.get(name, 0) for name, _ in named}):
        here = [one for name, one in named if depth.get(name, 0) == level]
        rate = learning_rate * layer_decay**level
        for decay, params in (
            (weight_decay, [one for one in here if one.ndim > 1]),
            (0.0, [one for one in here if one.ndim <= 1]),
        ):
            if params:
                groups.append({"params": params, "lr": rate, "weight_decay": decay})
    return groups
