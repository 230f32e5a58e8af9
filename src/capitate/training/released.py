"""Weights back from a released bundle, to go on training with: on one's own films, or in the next release.

A released file has batch norms folded into kernels and kernels rounded to 8 bit. They come back as a live network:
one pass over training films measures what each norm receives and sets it so that it passes the same numbers on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.training.networks import BoneAgeNetwork
from capitate.training.settings.network import NetworkConfig

__all__ = ["file_weights", "released_network"]

_PREFIX = "network."


def released_network(path: Path, config: NetworkConfig, *, views: Tensor, sexes: Tensor) -> BoneAgeNetwork:
    """Build a network with the weights of a released file.

    Args:
        path: ONNX file of a bone-age bundle.
        config: of the network; widths and depths as in the file.
        views: float (n, 1, height, width), 0 to 255: training films, some hundreds, surroundings black.
        sexes: int64 (n,).

    Raises:
        UsageError: if the file holds another network.
    """
    network: BoneAgeNetwork = BoneAgeNetwork(config).eval()
    graph = onnx.load(str(path)).graph
    values = file_weights(graph)
    kernels = [
        (values[node.input[1]], values[node.input[2]] if len(node.input) > 2 else None)
        for node in graph.node
        if node.op_type == "Conv" and not _is_blur(node)
    ]
    pairs = list(_convolutions(network, views[:1], sexes[:1]))
    if [conv.weight.shape for conv, _ in pairs] != [kernel.shape for kernel, _ in kernels]:
        raise UsageError(
            f"{path} holds another network than the configuration describes: {len(kernels)} convolutions there, "
            f"{len(pairs)} here, or of other widths; take the [network] of the configuration that made it"
        )
    biases: dict[nn.Module, Tensor] = {}
    with torch.no_grad():
        for (conv, norm), (kernel, bias) in zip(pairs, kernels, strict=True):
            conv.weight.copy_(torch.from_numpy(kernel))
            biases[norm] = torch.from_numpy(np.zeros(len(kernel), np.float32) if bias is None else bias)
        _rest(network, values, path)
        _refit(network, biases, views, sexes)
    return network


def file_weights(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    """Give the float weights of a file by name, unpacked."""
    raw = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    packed = [name.removesuffix(".packed") for name in raw if name.endswith(".packed")]
    wide = {name: raw[f"{name}.packed"].astype(np.float32) * raw[f"{name}.scale"] for name in packed}
    values = {name: np.array(value, dtype=np.float32) for name, value in {**raw, **wide}.items()}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in values:  # the exporter keeps equal weights once
            values[node.output[0]] = values[node.input[0]]
    return values


def _is_blur(node: onnx.NodeProto) -> bool:
    """Tell the blur of a smooth stride, which is a convolution in groups, from what was learnt."""
    return any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)


def _convolutions(network: nn.Module, views: Tensor, sexes: Tensor) -> Iterator[tuple[nn.Conv2d, nn.Module]]:
    """Give every convolution with the norm that follows it, in the order in which they compute."""
    order: list[nn.Module] = []
    watched = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    hooks = [m.register_forward_hook(lambda module, _inputs, _output: order.append(module)) for m in watched]
    with torch.no_grad():
        network(views, sexes)
    for hook in hooks:
        hook.remove()
    for first, second in pairwise(order):
        if isinstance(first, nn.Conv2d):
            yield first, second


def _rest(network: nn.Module, values: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Fill the layers that are no convolutions and no norms: embeddings and the head."""
    for name, parameter in network.named_parameters():
        if name.startswith("backbone."):
            continue
        value = values.get(_PREFIX + name)
        if value is None or value.shape != tuple(parameter.shape):
            raise UsageError(
                f"{path} has no layer {name} of shape {tuple(parameter.shape)}; the network is another one"
            )
        parameter.copy_(torch.from_numpy(value))


def _refit(network: nn.Module, biases: Mapping[nn.Module, Tensor], views: Tensor, sexes: Tensor) -> None:
    """Set each norm from what it receives, so that it adds its bias and changes nothing else."""

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen = inputs[0].float()
        mean, variance = seen.mean((0, 2, 3)), seen.var((0, 2, 3), unbiased=False)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean + biases[norm])

    hooks = [norm.register_forward_pre_hook(measure) for norm in biases]
    network(views, sexes)
    for hook in hooks:
        hook.remove()
