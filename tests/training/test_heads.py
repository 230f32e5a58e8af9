"""Heads: every one answers in months, with a distribution that says the same."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.calibration import cumulative, quantile  # noqa: E402
from capitate.training.networks import BINS, BoneAgeNetwork, expectation, fit_spread  # noqa: E402
from capitate.training.networks.answer import log_probabilities  # noqa: E402
from capitate.training.networks.heads import ExactLinear, OneNumber, OrderedThresholds, make_head  # noqa: E402
from capitate.training.settings.network import NetworkConfig, SpreadShape, Target  # noqa: E402
from capitate.training.targets import TargetStatistics  # noqa: E402

CURVES = {"laplace": stats.laplace, "normal": stats.norm}
FILMS = TargetStatistics(mean=127.0, sd=41.0, low=1.0, high=228.0)


@pytest.mark.parametrize("shape", CURVES)
@pytest.mark.parametrize(("months", "scale"), [(126.5, 8.0), (3.2, 10.0), (239.0, 5.0), (60.0, 0.5), (-4.0, 6.0)])
def test_a_number_becomes_its_curve_with_the_tails_in_the_end_months(shape, months, scale):
    found = log_probabilities(torch.tensor([months]), torch.tensor([scale]), shape=shape).exp()[0].numpy()
    edges = np.concatenate([[-np.inf], np.arange(BINS - 1) + 0.5, [np.inf]])
    expected = np.diff(CURVES[shape](months, scale).cdf(edges))
    assert found == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("shape", CURVES)
def test_the_median_is_the_number_and_tails_do_not_vanish(shape):
    months = torch.tensor([0.4, 17.0, 126.5, 238.9])
    found = log_probabilities(months, torch.full((4,), 9.0), shape=shape).softmax(1).numpy()
    assert quantile(found, 0.5) == pytest.approx(months.numpy(), abs=0.5)  # an end month is one bin
    far = cumulative(found, np.array([120.0, 160.0, 20.0, 100.0]))  # up to sixteen scales away
    assert (np.abs(far - 0.5) < 0.5).all()


@pytest.mark.parametrize("shape", CURVES)
def test_numbers_far_out_have_gradients(shape):
    months = torch.tensor([-900.0, 1200.0, 126.0], requires_grad=True)
    log_probabilities(months, torch.tensor([10.0, 10.0, 0.5]), shape=shape).log_softmax(1)[:, 100].sum().backward()
    assert months.grad.isfinite().all()


@pytest.mark.parametrize(
    ("target", "value", "months"),
    [
        ("months", 0.0, 127.0),
        ("months", -20.0, 107.0),
        ("z-score", 1.5, 127.0 + 1.5 * 41.0),
        ("min-max", 0.0, 114.5),
        ("min-max", 100.0, 228.0),
        ("share-of-240", 0.0, 120.0),
        ("share-of-240", np.log(3.0), 180.0),
    ],
)
def test_targets_turn_into_months(target, value, months):
    head = OneNumber(Target(target), shape=SpreadShape.LAPLACE, predicted=False)
    head.use(FILMS)
    answer = head(torch.tensor([[value]]).float())
    assert answer.months.tolist() == pytest.approx([months], abs=1e-3)
    assert answer.scale.tolist() == [10.0]


def test_statistics_and_spread_are_stored_with_the_weights():
    config = NetworkConfig(widths=(8, 8, 8, 8), head="scalar", target="z-score")
    network, again = BoneAgeNetwork(config), BoneAgeNetwork(config)
    network.reading.use(FILMS)
    fit_spread(network, torch.tensor([-3.0, 5.0, 4.0]))
    again.load_state_dict(network.state_dict())
    assert again.reading.statistics.tolist() == pytest.approx([127.0, 41.0, 1.0, 228.0])
    assert again.reading.scale_months.tolist() == [4.0]


def test_a_fitted_spread_is_the_likeliest():
    errors = torch.tensor([-3.0, 5.0, 4.0, 0.0])
    for shape, expected in ((SpreadShape.LAPLACE, 3.0), (SpreadShape.NORMAL, (50 / 4) ** 0.5)):
        head = OneNumber(Target.MONTHS, shape=shape, predicted=False)
        head.fit_spread(errors)
        assert float(head.scale_months) == pytest.approx(expected)
        curve = CURVES[str(shape)]
        likelihood = [curve(0, scale).logpdf(errors).sum() for scale in (expected, 0.9 * expected, 1.1 * expected)]
        assert likelihood[0] > max(likelihood[1:])
    for wrong in (torch.zeros(0), torch.tensor([1.0, float("nan")])):
        with pytest.raises(UsageError, match="the spread needs errors"):
            head.fit_spread(wrong)


def test_a_predicted_spread_is_the_films_own():
    head = OneNumber(Target.MONTHS, shape=SpreadShape.LAPLACE, predicted=True)
    scale = head(torch.tensor([[0.0, 0.0], [0.0, 0.7], [0.0, -99.0]])).scale
    assert scale[0] == 10.0
    assert scale[1] > 18.0
    assert 0.4 < scale[2] < 0.6


def test_thresholds_in_order_give_the_probabilities_by_definition():
    head = OrderedThresholds()
    with torch.no_grad():
        head.gaps.add_(0.5 * torch.randn(BINS - 2, generator=torch.Generator().manual_seed(0)))
    gaps = np.log1p(np.exp(head.gaps.detach().double().numpy()))
    thresholds = np.concatenate([[float(head.first.detach())], float(head.first.detach()) + gaps.cumsum()])
    for score in (-15.0, 0.3, 12.0):
        reached = np.concatenate([[1.0], 1 / (1 + np.exp(thresholds - score)), [0.0]])
        found = head(torch.tensor([[score]])).logits.softmax(1).detach().numpy()[0]
        assert found == pytest.approx(reached[:-1] - reached[1:], abs=1e-5)


def test_thresholds_begin_evenly_and_a_greater_score_is_an_older_hand():
    months = OrderedThresholds()(torch.tensor([[-2.0], [0.0], [2.0]])).months
    assert months.tolist() == pytest.approx([119.5 - 24, 119.5, 119.5 + 24], abs=1.0)


@pytest.mark.parametrize(
    ("layers", "kinds", "widths"),
    [
        ("1000-1000", "Linear Mish Linear Mish ExactLinear", [1000, 1000, 1]),
        (
            "512-64",
            "BatchNorm1d Dropout Linear Mish BatchNorm1d Dropout Linear Mish ExactLinear",
            [512, 64, 1],
        ),
        (
            "1024-512",
            "Linear BatchNorm1d Dropout ReLU Linear BatchNorm1d Dropout ReLU ExactLinear",
            [1024, 512, 1],
        ),
    ],
)
def test_published_heads(layers, kinds, widths):
    config = NetworkConfig(head="scalar", layers=layers)
    head = make_head(config, 40)
    names = [{"MishMe": "Mish"}.get(type(one).__name__, type(one).__name__) for one in head]
    assert names == kinds.split()
    assert [one.out_features for one in head if isinstance(one, nn.Linear)] == widths
    numbers = sum(one.numel() for one in head.parameters() if one.ndim > 1)
    shape = [40, *widths]
    assert numbers == sum(a * b for a, b in itertools.pairwise(shape))
    assert make_head(replace(config, head="distribution"), 40)(torch.zeros(2, 40)).shape == (2, BINS)


def test_a_number_is_computed_in_32_bits_under_mixed_precision():
    """bfloat16 has steps of a month at 200 months."""
    layer = ExactLinear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[200.0, 0.25]]))
        layer.bias.zero_()
        with torch.autocast("cpu", torch.bfloat16):
            assert float(layer(torch.ones(1, 2))) == 200.25


def test_expectation_is_the_mean():
    logits = torch.full((1, BINS), -60.0)
    logits[0, [100, 111]] = torch.tensor([0.0, np.log(3.0)]).float()
    assert expectation(logits).tolist() == pytest.approx([0.25 * 100 + 0.75 * 111], abs=1e-3)
