"""From trained networks to a bundle: ONNX files, card, training ids, sums."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from capitate.runtime.bundle import write_sums
from capitate.training.smooth_stride import unfolded

__all__ = ["WEIGHT_BITS", "export", "export_network", "pack_weights", "write_bundle"]

_OPSET = 17
WEIGHT_BITS = (8, 16, 32)
"""Forms of the weights in a file, the smallest first: integers with a scale a channel, or 32-bit floats as they are."""
_INTEGERS = (8, 16)
_SMALLEST = 10_000
"""Weights of fewer values stay as they are: they are 3 % of a file, and rounding the stem moved ages by 0.5 months."""


class _Released(nn.Module):
    """What the file computes: 8-bit view and sex to probabilities, scaling and softmax included."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap a trained network."""
        super().__init__()
        self.network = network

    def forward(self, view: Tensor, sex: Tensor) -> Tensor:
        """Return probabilities by month (n, 240)."""
        return self.network(view.float(), sex).softmax(1)


def export_network(network: nn.Module, path: Path, *, height: int, width: int, bits: int = 16) -> None:
    """Write a bone-age network as ONNX with a dynamic batch.

    Args:
        network: trained.
        path: file to write.
        height: rows of its views.
        width: columns.
        bits: of large weights, one of `WEIGHT_BITS`. In 8 bit the ages of a released network moved by up to 0.14
            months on 60 films, in 16 by less than 0.001; a bundle takes the smallest that agrees with torch.
    """
    example = (torch.zeros(2, 1, height, width, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))
    export(_Released(network), example, path, inputs=("view", "sex"), outputs=("probabilities",), bits=bits)


def export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    bits: int = 8,
) -> None:
    """Write any module as ONNX.

    Args:
        module: to write.
        example: inputs; their first dimension becomes dynamic.
        path: file to write.
        inputs: names of the inputs.
        outputs: names of the outputs.
        bits: of large matrices and kernels, one of `WEIGHT_BITS`.
    """
    axes = {name: {0: "films"} for name in (*inputs, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            unfolded(copy.deepcopy(module)).eval().to(memory_format=torch.contiguous_format),
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    _keep_inputs(model, dict(zip(inputs, example, strict=True)))
    if bits in _INTEGERS:
        pack_weights(model, bits=bits)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _keep_inputs(model: onnx.ModelProto, examples: Mapping[str, Tensor]) -> None:
    """Give back inputs that a network does not use, such as the sex: whoever runs the file gives them all."""
    there = {one.name for one in model.graph.input}
    for name, example in examples.items():
        if name not in there:
            kind = helper.np_dtype_to_tensor_dtype(example.numpy().dtype)
            model.graph.input.append(helper.make_tensor_value_info(name, kind, ["films", *example.shape[1:]]))


def pack_weights(model: onnx.ModelProto, *, bits: int = 8) -> None:
    """Store large float weights as integers with a scale for each output channel, in place.

    Weights alone are rounded; arithmetic stays in 32-bit floats, because onnxruntime folds the cast and the product
    when it loads the file.

    Args:
        model: whose weights are packed.
        bits: of the integers, 8 or 16.
    """
    graph = model.graph
    nodes: list[onnx.NodeProto] = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST or values.ndim < 2:
            continue
        axis = _output_axis(graph, tensor.name)
        packed, scale = _rounded(values, axis, bits=bits)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(packed, f"{tensor.name}.packed"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
        wide = f"{tensor.name}.wide"
        nodes.append(helper.make_node("Cast", [f"{tensor.name}.packed"], [wide], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [wide, f"{tensor.name}.scale"], [tensor.name]))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def _output_axis(graph: onnx.GraphProto, name: str) -> int:
    """Find the output channel's axis: 0 of kernels and of transposed matrices, otherwise the last."""
    for node in graph.node:
        if name in node.input:
            if node.op_type == "Conv":
                return 0
            if node.op_type == "Gemm":
                return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return 0


def _rounded(
    values: NDArray[np.float32], axis: int, *, bits: int
) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.float32]]:
    """Round to integers, such as -127 ... 127, with one scale a channel."""
    others = tuple(k for k in range(values.ndim) if k != axis)
    scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / (2 ** (bits - 1) - 1)
    return np.rint(values / scale).astype(f"int{bits}"), scale.astype(np.float32)


def write_bundle(folder: Path, *, card: Mapping[str, Any], card_text: str, training_ids: Iterable[str] = ()) -> None:
    """Complete a bundle whose networks lie in `folder` already: card, text, ids, sums."""
    (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
    (folder / "card.md").write_text(card_text, encoding="utf8")
    ids = sorted(training_ids, key=lambda text: (len(text), text))
    if ids:
        (folder / "training-ids.txt").write_text("\n".join(ids) + "\n", encoding="utf8")
    write_sums(folder)
