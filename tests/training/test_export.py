"""ONNX files: the same answers as torch, and what packing does."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.runtime.session import Session  # noqa: E402
from capitate.training.export import export, export_network, pack_weights  # noqa: E402
from capitate.training.locator_network import LocatorNetwork  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402


@pytest.mark.parametrize("entrance", ["none", "late", "both"])
def test_onnx_agrees_with_torch(tmp_path, entrance):
    torch.manual_seed(0)
    network = BoneAgeNetwork(NetworkConfig(widths=(8, 8, 16, 16), depths=(1, 1, 1, 1), hidden=16, sex=entrance)).eval()
    export_network(network, tmp_path / "model.onnx", height=40, width=32)
    session = Session(tmp_path / "model.onnx", threads=1)
    views = np.random.default_rng(0).integers(0, 256, (32, 1, 40, 32), dtype=np.uint8)
    sexes = np.arange(32, dtype=np.int64) % 3
    with torch.no_grad():
        expected = network(torch.from_numpy(views).float(), torch.from_numpy(sexes)).softmax(1).numpy()
    inputs = {"view": views, "sex": sexes}
    found = session.run(inputs)[0]
    assert np.abs(quantile(found, 0.5) - quantile(expected, 0.5)).max() < 0.05
    one = session.run({name: value[:1] for name, value in inputs.items()})[0]
    assert one == pytest.approx(found[:1], abs=1e-6)


def test_the_locators_file(tmp_path):
    torch.manual_seed(0)
    network = LocatorNetwork().eval()
    path = tmp_path / "locator.onnx"
    export(network, (torch.zeros(2, 1, 112, 112),), path, inputs=("film",), outputs=("outputs",))
    films = np.random.default_rng(0).uniform(-1, 1, (3, 1, 112, 112)).astype(np.float32)
    found = Session(path, threads=1).run({"film": films})[0]
    with torch.no_grad():
        expected = network(torch.from_numpy(films)).numpy()
    assert found.shape == (3, 7)
    assert found == pytest.approx(expected, abs=0.01)
    assert path.stat().st_size < 800_000


@pytest.mark.parametrize("bits", [8, 16])
def test_packing_rounds_large_weights_by_less_than_half_a_step(bits):
    values = np.random.default_rng(0).normal(size=(200, 100)).astype(np.float32)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)],
        "one",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 100])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 200])],
        [onnx.numpy_helper.from_array(values, "w")],
    )
    model = onnx.helper.make_model(graph)
    pack_weights(model, bits=bits)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert stored["w.packed"].dtype == f"int{bits}"
    assert np.abs(stored["w.packed"] * stored["w.scale"] - values).max() <= stored["w.scale"].max() / 2 + 1e-7
