"""Shares of an answer: closed forms for one channel, sums for every layer and reading, gradients by small steps."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import BundleDamagedError, NoMapError
from capitate.explain.head import Head, Layer, LayerKind
from capitate.explain.integrated import Seen, contributions
from capitate.explain.readings import expected_grade, logit_of_mean, median_age

NOTHING = np.zeros(0, dtype=np.float32)


def linear(weight, bias=None):
    weight = np.asarray(weight, dtype=np.float32)
    bias = np.zeros(len(weight), np.float32) if bias is None else np.asarray(bias, dtype=np.float32)
    return Layer(LayerKind.LINEAR, weight, bias)


def plain(kind, groups=1):
    return Layer(kind, NOTHING, NOTHING, groups)


def random_head(random, *, channels, outputs, kind, size=0.4):
    layers = [
        Layer(LayerKind.EMBEDDING, random.normal(size=(3, 2)).astype(np.float32), NOTHING),
        linear(random.normal(0, size, (9, channels + 2)), random.normal(size=9)),
        plain(kind),
        Layer(LayerKind.SCALE, random.normal(1, 0.2, 9).astype(np.float32), random.normal(size=9).astype(np.float32)),
        linear(random.normal(0, size, (outputs, 9))),
    ]
    return Head(tuple(layers))


def seen_by(random, *, networks=2, views=3, outputs=1, kind=LayerKind.SILU):
    return [
        Seen(
            random_head(random, channels=5, outputs=outputs, kind=kind),
            random.gamma(1, 1, (views, 5, 4, 3)).astype(np.float32),
            random.gamma(1, 1, 5).astype(np.float32),
            code=1,
        )
        for _ in range(networks)
    ]


def test_a_head_that_reads_one_channel_gives_that_channel():
    """logit = 2 f1 + 0.5 of the averaged map: every cell holds its twelfth of twice its feature above the base."""
    features = np.random.default_rng(0).normal(size=(1, 3, 4, 3)).astype(np.float32)
    base = np.array([9.0, 0.25, -4.0], dtype=np.float32)
    found = contributions([Seen(Head((linear([[0, 2, 0]], [0.5]),)), features, base)], logit_of_mean, tolerance=1e-5)
    assert found.base == pytest.approx(1.0, abs=1e-5)
    assert found.pieces == 1
    np.testing.assert_allclose(found.cells[0][0], 2 * (features[0, 1] - 0.25) / 12, atol=1e-6)


@pytest.mark.parametrize("kind", [LayerKind.RELU, LayerKind.SILU, LayerKind.MISH])
@pytest.mark.parametrize(
    ("reading", "outputs", "tolerance"),
    [(median_age(smoothing_months=3.0), 240, 0.05), (logit_of_mean, 1, 0.005), (expected_grade(grades=8), 15, 0.005)],
    ids=["age", "logit", "grade"],
)
def test_parts_sum_to_the_answer_minus_the_base(kind, reading, outputs, tolerance):
    seen = seen_by(np.random.default_rng(3), outputs=outputs, kind=kind)
    found = contributions(seen, reading, tolerance=tolerance)
    ends = [one.head.forward(one.features.mean((2, 3)), np.ones(3, dtype=np.int64))[0] for one in seen]
    answer, _ = reading(np.concatenate(ends)[None])
    assert sum(float(one.sum()) for one in found.cells) == pytest.approx(answer[0] - found.base, abs=1.01 * tolerance)
    assert abs(answer[0] - found.base) > tolerance


@pytest.mark.parametrize(
    ("reading", "outputs"),
    [(median_age(smoothing_months=2.0), 60), (logit_of_mean, 1), (expected_grade(grades=4), 6)],
    ids=["age", "logit", "grade"],
)
def test_gradients_of_readings_are_those_of_small_steps(reading, outputs):
    random = np.random.default_rng(1)
    raw = random.normal(0, 1, (1, 2, outputs)).astype(np.float32)
    value, gradient = reading(raw)
    for member, output in [(0, 0), (1, outputs // 2), (1, outputs - 1)]:
        moved = raw.copy()
        moved[0, member, output] += 1e-2
        back = raw.copy()
        back[0, member, output] -= 1e-2
        slope = (reading(moved)[0][0] - reading(back)[0][0]) / 2e-2
        assert gradient[0, member, output] == pytest.approx(slope, abs=2e-3 * max(1, abs(value[0])))


def test_the_median_is_that_of_the_distribution():
    """All mass in months 9 and 12, two thirds in the latter: the median lies a quarter into its month."""
    raw = np.full((1, 1, 30), -100.0, dtype=np.float32)
    raw[0, 0, 9], raw[0, 0, 12] = np.log(1 / 3), np.log(2 / 3)
    assert median_age(smoothing_months=0)(raw)[0][0] == pytest.approx(11.75, abs=1e-5)


def test_one_category_is_chosen():
    head = Head((linear(np.eye(6)), plain(LayerKind.CHOOSE, groups=3)))
    value, back = head.forward(np.arange(6, dtype=np.float32)[None], np.array([2]))
    assert value.tolist() == [[4, 5]]
    assert back(np.array([[1.0, 7.0]], dtype=np.float32)).tolist() == [[0, 0, 0, 0, 1, 7]]


def test_a_sum_that_misses_is_no_map():
    seen = seen_by(np.random.default_rng(3), outputs=1)
    with pytest.raises(NoMapError, match="with 1 pieces"):
        contributions(seen, logit_of_mean, tolerance=1e-9, points=1, most_pieces=1)


def test_layers_that_do_not_fit_are_named():
    with pytest.raises(BundleDamagedError, match=r"layer 1 of a head \(linear\) does not take 2 numbers"):
        Head((linear(np.ones((2, 3))), linear(np.ones((1, 5))))).forward(np.ones((1, 3), np.float32), np.zeros(1, int))
