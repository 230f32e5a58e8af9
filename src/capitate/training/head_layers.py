"""The head of a network read out of its ONNX graph: which layers follow on the averaged features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.training.networks.bins import BINS

__all__ = ["HeadLayer", "NotReadableError", "read_head"]

_PASSED = {"Flatten", "Squeeze", "Cast", "Identity", "Dropout"}
_GRADES = MOST_GRADES + 1


class NotReadableError(Exception):
    """A head holds what maps cannot follow; the message says what, as the end of a sentence."""


@dataclass(frozen=True)
class HeadLayer:
    """One layer, by the names of its weights in the graph.

    Attributes:
        kind: as `capitate.explain.head.LayerKind` names it.
        inputs: width of what it takes; 0 for layers of any width.
        outputs: width of what it gives, or adds; 0 for layers of any width.
        weight: name of its weight's tensor, empty if it has none.
        bias: name of its bias' tensor.
        groups: of numbers by category.
        made: weights that the graph does not hold in this form, by the names that they get.
    """

    kind: str
    inputs: int = 0
    outputs: int = 0
    weight: str = ""
    bias: str = ""
    groups: int = 1
    made: dict[str, NDArray[np.float32]] = field(default_factory=dict, compare=False)

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Give names and shapes of its weights."""
        if self.kind == "embedding":
            yield self.weight, (self.inputs, self.outputs)
        elif self.weight:
            yield self.weight, (self.outputs, self.inputs) if self.kind == "linear" else (self.outputs,)
        if self.bias:
            yield self.bias, (self.outputs,)

    def told(self) -> dict[str, Any]:
        """Give the layer as a file's metadata name it."""
        values = {"kind": self.kind, "weight": self.weight, "bias": self.bias, "groups": self.groups}
        return {key: value for key, value in values.items() if value not in ("", 1)}


def read_head(graph: onnx.GraphProto, pooled: str) -> list[HeadLayer]:
    """Follow a graph from the averaged features to the numbers that answers are read from.

    Args:
        graph: of a bone-age network, grader or screen.
        pooled: name of the averaged features.

    Raises:
        NotReadableError: naming what is in the way.
    """
    return list(_Walk(graph).layers(pooled))


class _Walk:
    """A graph with what produces and what takes each tensor."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._weights = {one.name: one for one in graph.initializer}
        self._producer = {name: node for node in graph.node for name in node.output}
        self._takers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in dict.fromkeys(node.input):
                self._takers.setdefault(name, []).append(node)
        self._inputs = {one.name for one in graph.input}

    def layers(self, name: str) -> Iterator[HeadLayer]:
        """Give layer after layer."""
        width = 0
        while True:
            takers = self._takers.get(name, [])
            kinds = sorted(node.op_type for node in takers)
            if self._ends(kinds, width):
                return
            if self._by_category(kinds, width):
                yield HeadLayer("choose", groups=len(CATEGORIES))
                return
            if len(takers) == 1 and kinds[0] in _PASSED:
                name = takers[0].output[0]
                continue
            found, name = self._layer(name, takers, kinds)
            width = found.outputs if found.kind == "linear" else width
            yield found

    def _ends(self, kinds: list[str], width: int) -> bool:
        """Whether the numbers behind a layer are those that an answer is read from."""
        if "category" in self._inputs:
            return width == _GRADES and kinds in (["Where"], ["LogSoftmax"])
        if "sex" in self._inputs:
            return width == BINS and kinds == ["Softmax"]
        return width == 1 and bool(kinds) and set(kinds) <= {"Reshape", "Shape", "Sigmoid"}

    def _by_category(self, kinds: list[str], width: int) -> bool:
        """Whether numbers of all categories come, of which those of one are chosen."""
        return "category" in self._inputs and width == len(CATEGORIES) * _GRADES and "Reshape" in kinds

    def _layer(self, name: str, takers: list[onnx.NodeProto], kinds: list[str]) -> tuple[HeadLayer, str]:
        """Read one layer; returns it and the name of what it gives."""
        node = takers[0] if takers else None
        if node is not None and kinds == ["Gemm"] and node.input[0] == name:
            return self._linear(node), node.output[0]
        if node is not None and kinds == ["Concat"] and node.input[0] == name:
            return self._embedding(node), node.output[0]
        if node is not None and kinds == ["BatchNormalization"]:
            return self._scale(node), node.output[0]
        if node is not None and kinds == ["Relu"]:
            return HeadLayer("relu"), node.output[0]
        gated = self._gated(takers, kinds)
        if gated is None:
            raise NotReadableError(
                f"maps follow a head of linear layers, batch norms, ReLU, SiLU and Mish that ends in months, grades or "
                f"one logit, and its head has {' and '.join(kinds) or 'an end'} there"
            )
        return gated

    def _gated(self, takers: list[onnx.NodeProto], kinds: list[str]) -> tuple[HeadLayer, str] | None:
        """Read SiLU, x s(x), or Mish, x tanh(softplus(x))."""
        kind = {"Mul Sigmoid": "silu", "Mul Softplus": "mish"}.get(" ".join(kinds))
        if kind is None:
            return None
        product, gate = sorted(takers, key=lambda node: node.op_type)
        end = gate.output[0]
        if kind == "mish":
            (bend,) = self._takers.get(end, []) or [gate]
            end = bend.output[0] if bend.op_type == "Tanh" else ""
        return (HeadLayer(kind), product.output[0]) if end in product.input else None

    def _linear(self, node: onnx.NodeProto) -> HeadLayer:
        attributes = {one.name: (one.i or one.f) for one in node.attribute}
        weight, bias = node.input[1], node.input[2] if len(node.input) > 2 else ""
        shape = self._shape(weight)
        if attributes.get("transB") != 1 or attributes.get("transA") or not bias:
            raise NotReadableError("its head has a product of matrices in another form than a linear layer's")
        return HeadLayer("linear", inputs=shape[1], outputs=shape[0], weight=weight, bias=bias)

    def _embedding(self, node: onnx.NodeProto) -> HeadLayer:
        """Read what is put beside the features: rows of a table, chosen by sex or category."""
        source = self._producer.get(node.input[1]) if len(node.input) == 2 else None
        while source is not None and source.op_type in _PASSED:
            source = self._producer.get(source.input[0])
        if source is None or source.op_type != "Gather" or source.input[1] not in ("sex", "category"):
            raise NotReadableError("its head joins the features with something else than a row by sex or category")
        rows, columns = self._shape(source.input[0])
        return HeadLayer("embedding", inputs=rows, outputs=columns, weight=source.input[0])

    def _scale(self, node: onnx.NodeProto) -> HeadLayer:
        """Read a batch norm as it stands after training: a factor and a shift by number."""
        scale, shift, mean, variance = (numpy_helper.to_array(self._weights[name]) for name in node.input[1:5])
        epsilon = next((one.f for one in node.attribute if one.name == "epsilon"), 1e-5)
        factor = (scale / np.sqrt(variance + epsilon)).astype(np.float32)
        weight, bias = f"{node.output[0]}.factor", f"{node.output[0]}.shift"
        made = {weight: factor, bias: (shift - mean * factor).astype(np.float32)}
        return HeadLayer("scale", inputs=factor.size, outputs=factor.size, weight=weight, bias=bias, made=made)

    def _shape(self, name: str) -> tuple[int, ...]:
        """Give the shape of a weight, packed or not."""
        node = self._producer.get(name)
        while node is not None and name not in self._weights:
            name = node.input[0]
            node = self._producer.get(name)
        if name not in self._weights:
            raise NotReadableError("its head has a weight that is computed")
        return tuple(self._weights[name].dims)
