"""Weights back from a released bundle."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.training.beginning import begin  # noqa: E402
from capitate.training.bone_age_run import run_bone_age  # noqa: E402
from capitate.training.bundle_folder import BundleOptions  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.calibrate import calibrate  # noqa: E402
from capitate.training.export import export_network  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.out_of_fold import OutOfFold  # noqa: E402
from capitate.training.released import released_network  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402


@pytest.fixture(params=[False, True], ids=["plain", "smooth"])
def network(request, tiny):
    """A network whose norms have seen pictures, so that folding them changes every kernel."""
    torch.manual_seed(3)
    network = BoneAgeNetwork(replace(tiny.network, smooth_strides=request.param))
    for _ in range(3):
        network(torch.rand(16, 1, 64, 48) * 255, torch.arange(16) % 3)
    return network.eval()


def test_a_network_comes_back_from_its_file(network, tmp_path):
    export_network(network, tmp_path / "model.onnx", height=64, width=48)
    generator = torch.Generator().manual_seed(0)
    views, sexes = torch.rand(32, 1, 64, 48, generator=generator) * 255, torch.arange(32) % 3
    back = released_network(tmp_path / "model.onnx", network.config, views=views, sexes=sexes)
    with torch.no_grad():
        assert back(views, sexes).softmax(1).numpy() == pytest.approx(
            network(views, sexes).softmax(1).numpy(), abs=1e-4
        )
    back.train()(views, sexes)  # its norms are live: in training they take the batch's own statistics
    assert all(isinstance(m, torch.nn.BatchNorm2d) for n, m in back.named_modules() if n.endswith("bn1"))


def test_another_network_is_named(network, tmp_path):
    export_network(network, tmp_path / "model.onnx", height=64, width=48)
    wider = replace(network.config, widths=(8, 8, 16, 24))
    with pytest.raises(UsageError, match="holds another network than the configuration describes"):
        released_network(tmp_path / "model.onnx", wider, views=torch.zeros(2, 1, 64, 48), sexes=torch.tensor([0, 1]))


def test_training_goes_on_from_a_bundle(runs, two, saved, tmp_path):
    folder, calibration = tmp_path / "released", tmp_path / "calibration.json"
    report = calibrate(OutOfFold.load([run / "out-of-fold.npz" for run in runs])).to_json()
    calibration.write_text(json.dumps({"of": ["fold-0", "fold-1"], **report}), encoding="utf8")
    bundle_runs([runs[1]], folder, options=BundleOptions(name="released", calibration=calibration))
    with pytest.raises(UsageError, match=r"has seen \d+ of the \d+ films held out here; start from bone-age-ensemble"):
        run_bone_age(two, saved, tmp_path / "on", fold=0, start=folder)
    run_bone_age(two, saved, tmp_path / "on", start=folder)
    split = Run.load(tmp_path / "on").split
    assert split["start"]["bundle"] == "released"
    again = bundle_runs([tmp_path / "on"], tmp_path / "again", options=BundleOptions(calibration=calibration))
    assert again.card["training"]["started from"] == [f"released/model.onnx ({load_bundle(str(folder)).sha256[:8]})"]
    store = ViewStore.load(saved)
    given = begin(folder, two, fold=None, store=store, rows=np.arange(len(store.ids)), held_out=frozenset())
    assert given.training_ids == Run.load(runs[1]).training_ids
