"""OpenVINO in the precision that was asked for: fp32 answers as onnxruntime does, bf16 does not."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from capitate.errors import BundleDamagedError, MissingExtraError, UsageError
from capitate.phantom import draw
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.bundle import load_bundle
from capitate.runtime.locator import HandLocator
from capitate.runtime.precision import InferencePrecision
from capitate.runtime.session import Session
from capitate.runtime.views import squash
from capitate.types import Sex

MONTHS = np.arange(240)


@pytest.fixture(scope="module")
def openvino():
    return pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def inputs():
    """Two drawn hands as the released network sees them."""
    model, locator = BoneAgeModel(threads=1), HandLocator(threads=1)
    squares = [squash(draw(age_months=age, sex=Sex.MALE, height=320, seed=1).radiograph.pixels) for age in (60, 150)]
    views = [model.views(square, locator.locate(square).frame)[:1] for square in squares]
    return {"view": np.stack(views), "sex": np.ones(2, dtype=np.int64)}


@pytest.fixture(scope="module")
def path():
    return load_bundle("bone-age").networks[0]


@pytest.fixture(scope="module")
def reference(path, inputs):
    return Session(path, threads=1).run(inputs)[0]


def answers(path, inputs, precision):
    from capitate.runtime.openvino_session import OpenVinoSession

    return OpenVinoSession(path, threads=1, precision=precision).run(inputs)[0]


def test_fp32_gives_the_answer_of_onnxruntime(openvino, path, inputs, reference):
    found = answers(path, inputs, InferencePrecision.FP32)
    assert np.abs(found - reference).max() < 1e-5
    assert np.abs((found - reference) @ MONTHS).max() < 1e-3


def test_left_to_itself_openvino_would_not(openvino, path, inputs, reference):
    """Without our settings it uses bfloat16 where there is any, and 8-bit activations with packed weights anyway."""
    network = openvino.Core().compile_model(str(path), "CPU")
    found = network(inputs)[network.output(0)]
    assert np.abs((found - reference) @ MONTHS).max() > 1e-3


def test_bf16_is_computed_where_the_processor_has_it(openvino, path, inputs, reference):
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UsageError, match="no bf16"):
            answers(path, inputs, InferencePrecision.BF16)
        return
    change = np.abs((answers(path, inputs, InferencePrecision.BF16) - reference) @ MONTHS).max()
    assert 1e-3 < change < 3


def test_outputs_are_copies_that_a_later_run_leaves_alone(openvino, path, inputs):
    from capitate.runtime.openvino_session import OpenVinoSession

    session = OpenVinoSession(path, threads=1)
    first = session.run(inputs)[0]
    kept = first.copy()
    session.run({**inputs, "view": 255 - inputs["view"]})
    np.testing.assert_array_equal(first, kept)


def test_a_damaged_file_is_named(openvino, tmp_path):
    from capitate.runtime.openvino_session import OpenVinoSession

    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no network")
    with pytest.raises(BundleDamagedError, match=r"damaged\.onnx"):
        OpenVinoSession(damaged)


def test_the_extra_is_named_where_openvino_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "capitate.runtime.openvino_session", raising=False)
    with pytest.raises(MissingExtraError, match=r"capitate\[fast\]"):
        import capitate.runtime.openvino_session  # noqa: F401
