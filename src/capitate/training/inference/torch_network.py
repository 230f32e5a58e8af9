"""Networks as torch runs them: rebuilt from a bundle's file or from timm's name, kept on disk, and run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.runtime.laps import Inputs
from capitate.runtime.precision import InferencePrecision
from capitate.training.locator_network import LocatorNetwork
from capitate.training.networks import BoneAgeNetwork
from capitate.training.released import file_weights, released_network
from capitate.training.settings.network import NetworkConfig
from capitate.training.settings.reading import build
from capitate.training.smooth_stride import unfolded
from capitate.training.weights import load_weights, save_weights

__all__ = ["TorchNetwork", "keep", "network_of_file", "open_network"]

_MEASURED_VIEWS = 4


def network_of_file(path: Path, *, task: str, size: tuple[int, int]) -> nn.Module:
    """Rebuild the network of a released file, with the file's answers.

    Args:
        path: ONNX file of a bundle.
        task: of the bundle's card.
        size: rows and columns of its input.

    Raises:
        UsageError: if training has no network for the task, or the file holds another than the released recipes make.
    """
    if task == "hand-locator":
        return _locator(path)
    if task != "bone-age":
        raise UsageError(f"training builds no network for the task {task!r} that the file could be read into")
    nodes = onnx.load(str(path)).graph.node
    blurred = any(attribute.name == "group" and attribute.i > 1 for node in nodes for attribute in node.attribute)
    views = torch.randint(0, 256, (_MEASURED_VIEWS, 1, *size), generator=torch.Generator().manual_seed(0)).float()
    sexes = torch.zeros(_MEASURED_VIEWS, dtype=torch.int64)
    return released_network(path, NetworkConfig(smooth_strides=blurred), views=views, sexes=sexes)


def _locator(path: Path) -> LocatorNetwork:
    """Rebuild the locator; a norm that was folded into its kernel only adds the bias."""
    network = LocatorNetwork()
    network.eval()
    graph = onnx.load(str(path)).graph
    values = file_weights(graph)
    taken = [node for node in graph.node if node.op_type in {"Conv", "Gemm"}]
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    shapes = [tuple(values[node.input[1]].shape) for node in taken]
    if shapes != [tuple(one.weight.shape) for one in convolutions]:
        raise UsageError(f"{path} holds another network than the locator of training: kernels {shapes}")
    with torch.no_grad():
        for layer, node in zip(convolutions, taken, strict=True):
            layer.weight.copy_(torch.from_numpy(values[node.input[1]]))
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(values[node.input[2]]))
        for norm, node in zip(norms, taken, strict=False):
            norm.bias.copy_(torch.from_numpy(values[node.input[2]]))
            norm.running_var.fill_(1 - norm.eps)
    return network


def keep(networks: Sequence[nn.Module], folder: Path, *, task: str) -> Path:
    """Write networks of one make where `open_network` finds them.

    Args:
        networks: equal but for their weights.
        folder: for the files.
        task: whose answers they give.

    Returns:
        The file that says how to build them.
    """
    for number, network in enumerate(networks):
        save_weights(network, folder / f"{number}.safetensors")
    config = asdict(networks[0].config) if task == "bone-age" else {}
    place = folder / "network.json"
    place.write_text(json.dumps({"task": task, "config": config}), encoding="utf-8")
    return place


def open_network(description: Path, weights: Path) -> nn.Module:
    """Build a network that `keep` wrote, and load its weights, ready to answer."""
    told = json.loads(description.read_text(encoding="utf-8"))
    locates = told["task"] == "hand-locator"
    network = LocatorNetwork() if locates else BoneAgeNetwork(build(NetworkConfig(), told["config"]))
    return unfolded(load_weights(network, weights)).eval().to(memory_format=torch.channels_last)


class TorchNetwork:
    """A network of training with the interface of `capitate.runtime.session.Session`, run without compilation."""

    def __init__(self, network: nn.Module, *, precision: InferencePrecision) -> None:
        """Take a network that is ready to answer.

        Raises:
            UsageError: if torch computes no such precision.
        """
        if precision is InferencePrecision.INT8:
            raise UsageError("torch runs no 8-bit file; use onnxruntime or openvino")
        self._network = network
        self._bf16 = precision is InferencePrecision.BF16

    def run(self, inputs: Inputs) -> list[NDArray[np.float32]]:
        """Run the network; inputs by name, in the order of its arguments."""
        given: list[Any] = [torch.from_numpy(values) for values in inputs.values()]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            answers = self._network(given[0].float().contiguous(memory_format=torch.channels_last), *given[1:])
        return [self._released(answers).numpy()]

    def _released(self, answers: Tensor) -> Tensor:
        """Give what the released file gives: probabilities of a bone-age network, the locator's numbers."""
        wide = answers.float()
        return wide.softmax(1) if isinstance(self._network, BoneAgeNetwork) else wide
