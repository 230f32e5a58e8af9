"""A scalar head from training to assessment: calibrated, exported and answered with as any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.runtime.bone_age import BoneAgeModel, smoothed  # noqa: E402
from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.training.bone_age_run import run_bone_age  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.related_runs import load_bone_age_run  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.types import Sex  # noqa: E402


@pytest.fixture
def scalar_runs(tiny, saved, tmp_path):
    """Two folds of a network with min-max targets and a spread of its own."""
    network = replace(tiny.network, head="scalar", target="min-max", spread="predicted")
    config = replace(tiny, folds=2, network=network, optimiser=replace(tiny.optimiser, loss="laplace"))
    folders = [tmp_path / f"fold-{fold}" for fold in (0, 1)]
    for fold, folder in enumerate(folders):
        run_bone_age(config, saved, folder, fold=fold)
    return folders


def test_a_scalar_head_goes_all_the_way(scalar_runs, store, tmp_path):
    bundle = bundle_runs(scalar_runs, tmp_path / "bundle")
    model = BoneAgeModel(bundle, threads=1)
    rows, views = np.arange(6), model.test_views
    members = [load_bone_age_run(Run.load(folder))[0] for folder in scalar_runs]
    expected = np.mean([predict(one, store, rows, sex=0, test_views=views) for one in members], axis=0)
    seen = np.stack([[view.of(one) for view in views] for one in store.views[:6]])
    found = model.predict(seen, [Sex.FEMALE] * 6)
    assert found.sum(1) == pytest.approx(np.ones(6), abs=1e-4)
    assert quantile(found, 0.5) == pytest.approx(quantile(smoothed(expected, 3.0), 0.5), abs=0.05)
    assert len(bundle.card["coverage"]) == 24
    answers = quantile(found, 0.5)
    assert (answers > store.months.min() - 5).all()
    assert (answers < store.months.max() + 5).all()
