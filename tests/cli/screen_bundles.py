"""A screen whose answers are known: sigmoid(8 (b - 0.5)), b the mean brightness of the picture, 0 to 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from capitate.runtime.bundle import write_sums
from capitate.runtime.familiarity import Familiarity

SIDE = 64


def network(path: Path, *, steepness: float = 8.0) -> None:
    """Write the network: `probabilities` (n,), `pooled` (n, 1), the brightness."""
    scale = numpy_helper.from_array(np.array([1 / 255], np.float32), "scale")
    half = numpy_helper.from_array(np.array([0.5], np.float32), "half")
    steep = numpy_helper.from_array(np.array([steepness], np.float32), "steep")
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    nodes = [
        helper.make_node("Cast", ["picture"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["wide"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["pooled"]),
        helper.make_node("Sub", ["pooled", "half"], ["apart"]),
        helper.make_node("Mul", ["apart", "steep"], ["logit"]),
        helper.make_node("Reshape", ["logit", "flat"], ["row"]),
        helper.make_node("Sigmoid", ["row"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "screen",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["films", 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["films"]),
            helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["films", 1]),
        ],
        [scale, half, steep, flat],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))


def screen_bundle(
    folder: Path,
    *,
    regions: tuple[str, ...] = ("hand", "wrist"),
    steepness: tuple[float, ...] = (8.0,),
    bright: tuple[float, float] | None = (0.5, 0.4),
    learnt: dict[str, int | None] | None = None,
    **card: Any,
) -> Path:
    """Write a bundle.

    Args:
        folder: to make.
        regions: that it has learned.
        steepness: a network each.
        bright: mean brightness of its training, and how far from it a film is still familiar; None leaves it out.
        learnt: ids of its training with their folds; with folds, network k held out fold k.
        card: further keys of the card, or other values.
    """
    folder.mkdir(parents=True)
    names = [f"model-{k}.onnx" for k in range(len(steepness))]
    for name, one in zip(names, steepness, strict=True):
        network(folder / name, steepness=one)
    told: dict[str, Any] = {}
    if bright is not None:
        one = Familiarity(
            np.array([bright[0]], np.float32), np.eye(1, dtype=np.float32), bright[1], 0.99, np.ones(2, int)
        )
        one.save(folder / "familiarity.npz")
        told = {"familiarity": {"files": ["familiarity.npz"] * len(names), "share": 0.99}}
    learnt = learnt or {}
    folds = any(fold is not None for fold in learnt.values())
    values = {
        "name": "abnormality-screen",
        "version": "1",
        "task": "abnormality",
        "licence": "none",
        "networks": names,
        "picture": {"height": SIDE, "width": SIDE, "fit": "pad", "percentiles": [0, 100]},
        "threshold": {"value": 0.5, "choice": "youden"},
        "regions": list(regions),
        "training": {"a label of 1 says": "brighter than half"},
        **({"held_out": list(range(len(names)))} if folds else {"held_out": [None] * len(names)}),
        **told,
    } | card
    (folder / "card.json").write_text(json.dumps(values), encoding="utf-8")
    (folder / "card.md").write_text("# screen\n", encoding="utf-8")
    if learnt:
        (folder / "training-ids.txt").write_text("".join(f"{film}\n" for film in learnt), encoding="utf-8")
    if folds:
        lines = [f"{fold} {film}\n" for film, fold in learnt.items()]
        (folder / "training-folds.txt").write_text("".join(lines), encoding="utf-8")
    write_sums(folder)
    return folder


def film(path: Path, share: float, *, seed: int = 0) -> Path:
    """Write a film that the screen sees with a share of white pixels, the others black."""
    pixels = np.zeros(SIDE * SIDE, np.uint8)
    pixels[: round(share * pixels.size)] = 255
    np.random.default_rng(seed).shuffle(pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.reshape(SIDE, SIDE)).save(path)
    return path


def probability(*shares: float, steepness: float = 8.0) -> float:
    """What the screen says about a study of films with these shares."""
    return float(np.mean([1 / (1 + np.exp(-steepness * (round(s * SIDE**2) / SIDE**2 - 0.5))) for s in shares]))
