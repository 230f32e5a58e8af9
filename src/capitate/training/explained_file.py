"""A network's file made to explain itself: its last feature map, its head's weights and a base as further outputs.

Nothing of what the file computes is changed or moved: one tensor gets the name `features`, weights that are there
already become outputs, and the metadata say how they follow on each other. `capitate.runtime.explanation` reads it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from capitate.runtime.explanation import BASE, FEATURES
from capitate.runtime.session import EXPLANATION
from capitate.training.head_layers import HeadLayer, NotReadableError, read_head

__all__ = ["explain_file", "same_network", "set_base", "without_explanation"]

_ZERO = "no activation at all"


@dataclass(frozen=True)
class _Found:
    """What is explained of a graph.

    Attributes:
        features: name of the last feature map.
        channels: of it.
        layers: of the head.
    """

    features: str
    channels: int
    layers: tuple[HeadLayer, ...]


def explain_file(path: Path) -> str | None:
    """Add the outputs that explain a network's answers to its file; one that has them already is left alone.

    The base is zero until `set_base` puts a measured one in its place.

    Args:
        path: ONNX file of a network that averages its last feature map.

    Returns:
        None, or why the file's answers cannot be explained; that is written to it, too.
    """
    model = onnx.load(str(path))
    if any(one.key == EXPLANATION for one in model.metadata_props):
        return None
    reason: str | None = None
    try:
        _add(model, _found(model.graph))
    except NotReadableError as error:
        reason = str(error)
        _tell(model, {"unexplained": reason})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return reason


def set_base(path: Path, base: NDArray[np.float32], *, base_of: str) -> None:
    """Put measured features in the place of an explained file's base.

    Args:
        path: file that `explain_file` has explained.
        base: float32 (codes, channels), by sex or category; one row for all.
        base_of: in words, what it is the average of.
    """
    model = onnx.load(str(path))
    told = next(json.loads(one.value) for one in model.metadata_props if one.key == EXPLANATION)
    (old,) = (one for one in model.graph.initializer if one.name == BASE)
    model.graph.initializer.remove(old)
    model.graph.initializer.append(numpy_helper.from_array(base.astype(np.float32), BASE))
    for one in list(model.graph.output):
        if one.name == BASE:
            model.graph.output.remove(one)
    model.graph.output.append(helper.make_tensor_value_info(BASE, onnx.TensorProto.FLOAT, base.shape))
    _tell(model, {**told, "base_of": base_of})
    onnx.save(model, str(path))


def _found(graph: onnx.GraphProto) -> _Found:
    """Find the pooled map and read the head behind it.

    Raises:
        NotReadableError: saying what is in the way.
    """
    pools = [node for node in graph.node if _averages(node, graph)]
    if not pools:
        raise NotReadableError("its network does not average its last feature map over the whole picture")
    layers = tuple(read_head(graph, pools[-1].output[0]))
    first = next((one for one in layers if one.kind in ("linear", "scale")), None)
    if first is None:
        raise NotReadableError("its network has no layer behind the averaged features")
    inside = first.inputs - sum(one.outputs for one in layers[: layers.index(first)] if one.kind == "embedding")
    return _Found(pools[-1].input[0], inside, layers)


def _averages(node: onnx.NodeProto, graph: onnx.GraphProto) -> bool:
    """Whether a node averages maps over rows and columns."""
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type != "ReduceMean":
        return False
    axes = [list(one.ints) for one in node.attribute if one.name == "axes"]
    return bool(axes) and sorted(axis % 4 for axis in axes[0]) == [2, 3]


def _add(model: onnx.ModelProto, found: _Found) -> None:
    """Name the feature map, and make it, the head's weights and a base of zero outputs."""
    graph, kind = model.graph, onnx.TensorProto.FLOAT
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == found.features:
                    names[place] = FEATURES
    graph.output.append(
        helper.make_tensor_value_info(FEATURES, kind, ["films", found.channels, "feature_rows", "feature_columns"])
    )
    graph.initializer.append(numpy_helper.from_array(np.zeros((1, found.channels), np.float32), BASE))
    for layer in found.layers:
        for made, values in layer.made.items():
            graph.initializer.append(numpy_helper.from_array(values, made))
    shapes = {BASE: (1, found.channels), **{name: shape for one in found.layers for name, shape in one.tensors()}}
    for name, shape in shapes.items():
        graph.output.append(helper.make_tensor_value_info(name, kind, shape))
    layers = [one.told() for one in found.layers]
    _tell(model, {"outputs": [FEATURES, *shapes], "layers": layers, "base_of": _ZERO})


def _tell(model: onnx.ModelProto, values: dict[str, Any]) -> None:
    """Write what the file says about itself, in place of what it said."""
    others = [one for one in model.metadata_props if one.key != EXPLANATION]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key=EXPLANATION, value=json.dumps(values, sort_keys=True))


def without_explanation(path: Path, out: Path) -> None:
    """Copy a file with its answers alone, for what rewrites graphs and would take weights for answers.

    Args:
        path: ONNX file, explained or not.
        out: file to write.
    """
    model = onnx.load(str(path))
    told = next((json.loads(one.value) for one in model.metadata_props if one.key == EXPLANATION), {})
    others = [one for one in model.metadata_props if one.key != EXPLANATION]
    answers = [one for one in model.graph.output if one.name not in told.get("outputs", ())]
    weights = [one for one in model.graph.initializer if one.name != BASE]
    for kept, field in (
        (others, model.metadata_props),
        (answers, model.graph.output),
        (weights, model.graph.initializer),
    ):
        del field[:]
        field.extend(kept)
    onnx.save(model, str(out))


def same_network(one: Path, other: Path) -> bool:
    """Say whether two files compute the same, node by node and weight by weight, whatever else they tell."""
    return _computed(one) == _computed(other)


def _computed(path: Path) -> tuple[bytes, ...]:
    """Give a file's nodes and weights, with the names that an explained file has."""
    model = onnx.load(str(path))
    if not any(one.key == EXPLANATION for one in model.metadata_props):
        with suppress(NotReadableError):
            _add(model, _found(model.graph))
    weights = sorted((one for one in model.graph.initializer if one.name != BASE), key=lambda one: str(one.name))
    return tuple(one.SerializeToString(deterministic=True) for one in (*model.graph.node, *weights))
