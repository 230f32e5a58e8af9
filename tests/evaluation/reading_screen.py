"""A screen that is known through and through: it reads the mean brightness, or its negative, of 8 x 8 blocks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from capitate.runtime.bundle import write_sums

SIDE = 64


def screen_bundle(
    folder: Path, *, explained: bool = True, weights: tuple[float, float, float] = (9.0, 0.0, 0.5)
) -> Path:
    """Write a bundle of the task abnormality.

    Its feature maps have three channels: brightness, darkness and a quarter of the brightness, in 8 x 8 blocks; its
    logit is their mean times 9, 0 and 1/2, less 1.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.zeros((3, 1, 8, 8), dtype=np.float32)
    kernel[0], kernel[1], kernel[2] = 1 / 64 / 255, -1 / 64 / 255, 1 / 256 / 255
    stored = {
        "kernel": kernel,
        "shift": np.array([0, 1, 0], dtype=np.float32),
        "head.weight": np.array([[9.0, 0.0, 0.5]], dtype=np.float32),
        "head.bias": np.array([-1], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["picture"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["grey", "kernel", "shift"], ["blocks"], strides=[8, 8]),
        helper.make_node("Relu", ["blocks"], ["cells"]),
        helper.make_node("GlobalAveragePool", ["cells"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "head.weight", "head.bias"], ["logit"], transB=1),
        helper.make_node("Sigmoid", ["logit"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "screen",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(values, name) for name, values in stored.items()],
    )
    folder.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    if explained:
        from capitate.training.explained_file import explain_file

        assert explain_file(folder / "model.onnx") is None
    card = {
        "name": "reading-screen", "version": "1", "task": "abnormality", "licence": "none", "networks": ["model.onnx"],
        "picture": {"height": SIDE, "width": SIDE, "fit": "pad", "percentiles": [0.0, 100.0]},
        "threshold": {"value": 0.5}, "regions": [],
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "training-ids.txt").write_text("seen\n", encoding="utf-8")
    write_sums(folder)
    return folder


def spot_film(path: Path, *, across: int, down: int, side: int = 128) -> tuple[float, float, float, float]:
    """Write a dark film with a bright square of 16 pixels, and give the square's centre and size as fractions.

    Four bright dots keep the contrast as it is when the square is hidden.
    """
    film = np.full((side, side), 30, dtype=np.uint8)
    for y in (4, side - 6):
        for x in (4, side - 6):
            film[y : y + 2, x : x + 2] = 250
    film[down : down + 16, across : across + 16] = 250
    Image.fromarray(film).save(path)
    return (across + 8) / side, (down + 8) / side, 16 / side, 16 / side
