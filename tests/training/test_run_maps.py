"""Gradient maps of runs: the way from the picture back to the film, and which runs there are maps of."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.explain.research.gradients import GradientMethod  # noqa: E402
from capitate.radiograph import Radiograph  # noqa: E402
from capitate.runtime.views import HandFrame  # noqa: E402
from capitate.training.abnormality.network import AbnormalityNetwork  # noqa: E402
from capitate.training.config import BoneAgeConfig, load_config, load_experiment  # noqa: E402
from capitate.training.networks.bone_age import BoneAgeNetwork  # noqa: E402
from capitate.training.run_maps import run_map  # noqa: E402
from capitate.training.runs import claim  # noqa: E402
from capitate.training.weights import save_weights  # noqa: E402
from capitate.types import Sex  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NETWORK = ("network.widths=[8, 8, 16, 16]", "network.depths=[1, 1, 1, 1]")
SCREEN = (
    *NETWORK,
    "network.backbone=resnet",
    "network.pretrained=false",
    "network.layers=",
    "optimiser.stages=[[1, 64, 64]]",
)
VIEW = {"height": 64, "width": 48, "margins": [0.13, 0.17, 0.13, 0.25], "percentiles": [1.0, 99.5]}
HAND = SimpleNamespace(located=SimpleNamespace(frame=HandFrame((0.0, 0.2), (0.4, 0.0), (0.0, 0.5))), certain=True)


def finished(folder: Path, task: str, config, network: torch.nn.Module) -> Path:
    """A run's folder as training leaves it, with the weights of a network."""
    claim(folder, {"task": task, **config.to_dict()}, split={"fold": 0, "folds": 2})
    save_weights(network, folder / "weights.safetensors")
    return folder


@pytest.fixture(scope="module")
def screen(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    config = load_experiment(CONFIGS / "abnormality.toml", overrides=SCREEN)
    return finished(
        tmp_path_factory.mktemp("runs") / "screen", "abnormality", config, AbnormalityNetwork(config.network)
    )


@pytest.fixture(scope="module")
def ages(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    changes = (*NETWORK, "network.hidden=16", "network.sex_width=8", "optimiser.stages=[[1, 64, 48]]")
    config: BoneAgeConfig = load_config(overrides=changes)
    folder = finished(tmp_path_factory.mktemp("runs") / "ages", "bone-age", config, BoneAgeNetwork(config.network))
    (folder / "view.json").write_text(json.dumps(VIEW), encoding="utf-8")
    return folder


def film(rows: int = 120, columns: int = 80) -> Radiograph:
    """Grey noise in the lower half, black above."""
    pixels = np.zeros((rows, columns), dtype=np.float32)
    pixels[rows // 2 :] = np.random.default_rng(0).uniform(0.2, 1, (rows - rows // 2, columns))
    return Radiograph(pixels, "film.png", "0" * 64)


@pytest.mark.parametrize("method", GradientMethod)
def test_a_screens_map_lies_on_the_film(screen, method):
    found = run_map(screen, film(), HAND, method=method, sex=Sex.UNKNOWN)
    assert (found.model, found.quantity, found.unit) == ("screen", "abnormality", "logit")
    rows, columns = found.values.shape
    assert rows / columns == pytest.approx(120 / 80, rel=0.05)
    assert found.gap == pytest.approx(0, abs=1e-3)
    if method is not GradientMethod.GRAD_CAM:
        assert np.abs(found.values[: rows // 3]).max() == pytest.approx(0, abs=1e-6), "black adds nothing"
        assert np.abs(found.values[2 * rows // 3 :]).max() > 0


def test_grad_cam_of_a_linear_head_sums_to_the_logit_less_its_bias(screen):
    from safetensors.numpy import load_file

    found = run_map(screen, film(), HAND, method=GradientMethod.GRAD_CAM, sex=Sex.UNKNOWN)
    weights = load_file(str(screen / "weights.safetensors"))
    (bias,) = [value for name, value in weights.items() if name.startswith("head.") and name.endswith("bias")]
    assert found.base == pytest.approx(float(bias[0]), abs=1e-3)


@pytest.mark.parametrize("method", [GradientMethod.GRADIENT, GradientMethod.GRAD_CAM])
def test_a_bone_age_map_lies_where_the_view_was_cut(ages, method):
    found = run_map(ages, film(), HAND, method=method, sex=Sex.FEMALE)
    assert (found.quantity, found.unit) == ("bone_age", "months")
    assert 0 < found.answer < 240
    rows, columns = found.values.shape
    assert np.abs(found.values[:, : columns // 8]).max() == 0, "the view does not reach the film's left edge"
    assert np.abs(found.values[rows // 2 :, columns // 4 : -columns // 4]).max() > 0


def test_other_runs_are_told(screen, tmp_path):
    told = json.loads((screen / "config.json").read_text()) | {"task": "hand-locator"}
    (tmp_path / "config.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(UsageError, match="no final weights"):
        run_map(tmp_path, film(), HAND, method=GradientMethod.GRADIENT, sex=Sex.UNKNOWN)
    (tmp_path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match="bone-age and abnormality"):
        run_map(tmp_path, film(), HAND, method=GradientMethod.GRADIENT, sex=Sex.UNKNOWN)
