"""Which network of a joint-detector bundle answers: the released one, or that which held out a fold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.bundle import load_bundle, write_sums
from capitate.runtime.joint_boxes import JointDetector

onnx = pytest.importorskip("onnx")


def constant_detector(path, *, score: float) -> None:
    """A network that finds one radius in the middle of its picture, 32 x 32, always with the same score."""
    from onnx import TensorProto, helper, numpy_helper

    heat, boxes = np.zeros((1, 1, 8, 8), dtype=np.float32), np.zeros((1, 4, 8, 8), dtype=np.float32)
    heat[0, 0, 4, 4], boxes[0] = score, np.reshape([16, 16, 6, 6], (4, 1, 1))
    answers = {"scores": heat, "boxes": boxes}
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"known_{name}"], [name]) for name in answers],
        "detector",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 1, 32, 32])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in answers.items()],
        [numpy_helper.from_array(value, f"known_{name}") for name, value in answers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))


@pytest.fixture
def bundle(tmp_path):
    scores = {"released.onnx": 0.9, "fold-0.onnx": 0.5, "fold-1.onnx": 0.6}
    for name, score in scores.items():
        constant_detector(tmp_path / name, score=score)
    card = {
        "name": "constant", "version": "1", "task": "joint-detector", "licence": "none", "networks": list(scores),
        "held_out": [None, 0, 1], "classes": ["Radius"], "detect": {"threshold": 0.3, "counts": [1]},
        "picture": {"height": 32, "width": 32, "fit": "stretch", "percentiles": [0.5, 99.5]},
    }  # fmt: skip
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    write_sums(tmp_path)
    return load_bundle(str(tmp_path))


@pytest.mark.parametrize(("member", "score"), [(None, 0.9), (0, 0.5), (1, 0.6)])
def test_the_network_that_held_out_a_fold_answers(bundle, member, score):
    film = np.linspace(0, 1, 64 * 128, dtype=np.float32).reshape(128, 64)
    (found,) = JointDetector(bundle, threads=1, member=member).detect(film)
    assert found.score == pytest.approx(score)
    assert (found.box.x, found.box.y) == (32 - 6, 64 - 12)


def test_another_task_is_refused():
    with pytest.raises(UsageError, match=r"bundle 'hand-locator' does .*, not joint-detector; choose another"):
        JointDetector(load_bundle("hand-locator"))
