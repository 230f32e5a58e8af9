"""A localiser's marks come back to the film's own pixels, from the threshold of the network that answers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.bundle import load_bundle, write_sums
from capitate.runtime.fractures import FractureLocaliser, Mark
from capitate.types import Box

onnx = pytest.importorskip("onnx")


def constant_localiser(path, *, score: float) -> None:
    """A network that marks the middle of its picture, 32 x 32, and a weaker place to the upper left, always."""
    from onnx import TensorProto, helper, numpy_helper

    heat, boxes = np.zeros((1, 1, 8, 8), dtype=np.float32), np.zeros((1, 4, 8, 8), dtype=np.float32)
    heat[0, 0, 4, 4], heat[0, 0, 0, 0] = score, 0.2
    boxes[0] = np.reshape([16, 16, 6, 6], (4, 1, 1))
    boxes[0, :2, :2, :2] = 2
    answers = {"scores": heat, "boxes": boxes}
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"known_{name}"], [name]) for name in answers],
        "localiser",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 1, 32, 32])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in answers.items()],
        [numpy_helper.from_array(value, f"known_{name}") for name, value in answers.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))


@pytest.fixture
def bundle(tmp_path):
    for fold, score in enumerate((0.9, 0.5)):
        constant_localiser(tmp_path / f"fold-{fold}.onnx", score=score)
    card = {
        "name": "constant", "version": "1", "task": "fractures", "licence": "none",
        "networks": ["fold-0.onnx", "fold-1.onnx"], "held_out": [0, 1], "classes": ["fracture"],
        "threshold": {"of_networks": [0.3, 0.6], "choice": "0.5 false marks a film"},
        "picture": {"height": 32, "width": 32, "fit": "pad", "percentiles": [0.5, 99.5], "fill_drawn": True},
    }  # fmt: skip
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    write_sums(tmp_path)
    return load_bundle(str(tmp_path))


@pytest.mark.parametrize("scale", [1, 20])
def test_marks_in_pixels_of_the_film(bundle, scale):
    film = np.random.default_rng(0).random((64 * scale, 32 * scale), dtype=np.float32) * np.float32(0.5)
    (mark,) = FractureLocaliser(bundle, threads=1).marks(film)
    assert mark.score == pytest.approx(0.9)
    # 16 of 32 columns are film, from column 8 on; two film pixels of the smaller film are one of the picture
    found = (mark.box.x, mark.box.y, mark.box.width, mark.box.height)
    assert found == pytest.approx([10 * scale, 26 * scale, 12 * scale, 12 * scale])


def test_thresholds_belong_to_networks(bundle):
    film = np.full((64, 64), 0.4, dtype=np.float32)
    film[20:40] = 0.6
    assert FractureLocaliser(bundle, threads=1, member=1).marks(film) == ()
    both = FractureLocaliser(bundle, threads=1, member=1).marks(film, threshold=0.1)
    assert [round(one.score, 3) for one in both] == [0.5, 0.2]
    assert both[1] == Mark(Box(0.0, 0.0, 10.0, 10.0), both[1].score)


def test_another_task_is_refused():
    with pytest.raises(UsageError, match=r"bundle 'hand-locator' does .*, not fractures; choose another"):
        FractureLocaliser(load_bundle("hand-locator"))
