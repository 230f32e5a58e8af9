"""Test-time views in out-of-fold prediction: averages and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.runtime import several_views  # noqa: E402
from capitate.training.config import load_config  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402

VIEWS = (
    several_views.TestView(-3, 2, True),
    several_views.TestView(0, 0, False, turned=8.0, scaled=1.1),
    *several_views.five_crops(0.9),
)


def test_a_network_that_ignores_its_input_answers_the_same_with_and_without(store, tiny, monkeypatch):
    """Films of odd numbers in batches of two: no film's answer may be shifted against another's."""
    network = BoneAgeNetwork(tiny.network)
    by_sex = torch.randn(3, 240, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(network, "forward", lambda _view, sex: by_sex[sex])
    rows = np.array([5, 3, 9, 1, 30])
    several = predict(network, store, rows, test_views=VIEWS, batch=2)
    assert several == pytest.approx(predict(network, store, rows), abs=1e-6)
    expected = by_sex[torch.from_numpy(store.sexes[rows])].softmax(1).numpy()
    assert several == pytest.approx(expected, abs=1e-6)


def test_views_do_reach_the_network(store, tiny):
    network = BoneAgeNetwork(tiny.network)
    rows = np.arange(6)
    each = [predict(network, store, rows, test_views=(view,)) for view in VIEWS]
    assert predict(network, store, rows, test_views=VIEWS) == pytest.approx(np.mean(each, axis=0), abs=1e-6)
    assert len({one.tobytes() for one in each}) == len(VIEWS)


def test_an_experiment_states_rotations_scales_and_crops_as_tables():
    text = 'test_views=[[0, 0, true], {turned = 5, scaled = 0.95}, {crop = 0.94, place = "upper-left"}]'
    views = load_config(overrides=[text]).test_views
    assert views == (
        several_views.TestView(0, 0, True),
        several_views.TestView(0, 0, False, turned=5.0, scaled=0.95),
        several_views.five_crops(0.94)[1],
    )
