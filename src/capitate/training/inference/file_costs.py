"""What an ONNX file costs, read from its graph: numbers that it holds, and multiply-adds of one row."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import onnxruntime

__all__ = ["count_multiply_adds", "count_parameters"]

Shapes = Mapping[str, tuple[int, ...]]
_PACKED, _SCALE = ".packed", ".scale"
"""Ends of the names that `capitate.training.export.pack_weights` gives."""


def count_parameters(path: Path) -> int:
    """Count the weights that a file holds, norms folded into kernels, packed ones once and without their scales."""
    held = onnx.load(str(path)).graph.initializer
    kept = [
        one
        for one in held
        if (one.data_type == onnx.TensorProto.FLOAT and not one.name.endswith(_SCALE)) or one.name.endswith(_PACKED)
    ]
    return sum(math.prod(one.dims) for one in kept)


def count_multiply_adds(path: Path) -> int:
    """Count the multiply-adds of convolutions and matrix products for one row of input.

    As `capitate.training.sweeping.costs.multiply_adds` counts in torch: elementwise operations, norms and poolings are
    left out.

    Raises:
        ValueError: if the graph does not tell the shape of a product.
    """
    graph = onnx.shape_inference.infer_shapes(_of_one_row(path)).graph
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    for known in (*graph.input, *graph.value_info, *graph.output):
        shapes[known.name] = tuple(side.dim_value for side in known.type.tensor_type.shape.dim)
    return sum(_COUNTED[node.op_type](node, shapes) for node in graph.node if node.op_type in _COUNTED)


def _of_one_row(path: Path) -> onnx.ModelProto:
    """Set the first dimension to 1 and let onnxruntime work out all that is constant then, such as shapes."""
    model = onnx.load(str(path))
    for one in model.graph.input:
        one.type.tensor_type.shape.dim[0].dim_value = 1
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _shape(name: str, shapes: Shapes) -> tuple[int, ...]:
    """Look a shape up.

    Raises:
        ValueError: if it is not known in full.
    """
    sides = shapes.get(name, ())
    if not sides or not all(sides):
        raise ValueError(f"the shape of {name!r} does not follow from the file")
    return sides


def _convolution(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Count a convolution: each output is a sum over one kernel."""
    return math.prod(_shape(node.output[0], shapes)) * math.prod(_shape(node.input[1], shapes)[1:])


def _transposed(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Count a transposed convolution: each input is spread over one kernel."""
    return math.prod(_shape(node.input[0], shapes)) * math.prod(_shape(node.input[1], shapes)[1:])


def _product(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Count a matrix product: each output is a sum along the side that the factors share."""
    first = _shape(node.input[0], shapes)
    turned = any(one.name == "transA" and one.i for one in node.attribute)
    return math.prod(_shape(node.output[0], shapes)) * first[0 if turned else -1]


_COUNTED: Mapping[str, Callable[[onnx.NodeProto, Shapes], int]] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Gemm": _product,
    "MatMul": _product,
}
