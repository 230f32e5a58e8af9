"""Losses against closed forms."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training import losses  # noqa: E402
from capitate.training.networks import BINS, Answer, bin_centres  # noqa: E402
from capitate.training.networks.heads import OneNumber  # noqa: E402
from capitate.training.settings.loss import LossConfig, LossName, check_loss  # noqa: E402
from capitate.training.settings.network import NetworkConfig, SpreadShape, Target  # noqa: E402

CERTAIN = 60.0


def certain(*months: int) -> torch.Tensor:
    """Logits of distributions that are practically sure of a month."""
    logits = torch.zeros(len(months), BINS)
    logits[range(len(months)), list(months)] = CERTAIN
    return logits


def test_expectation_of_certainty_and_of_nothing():
    assert losses.expectation(certain(0, 17, 239)).tolist() == pytest.approx([0, 17, 239], abs=1e-4)
    assert float(losses.expectation(torch.zeros(1, BINS))) == pytest.approx((BINS - 1) / 2, rel=1e-5)


def test_crps_of_certainty_is_the_absolute_error():
    months = torch.tensor([100.0, 40.0])
    assert float(losses.crps(certain(100, 52), months)) == pytest.approx(12 / 2, abs=1e-4)


def test_crps_of_two_equal_months():
    logits = torch.full((1, BINS), -CERTAIN)
    logits[0, [100, 110]] = 0.0
    # F is 1/2 between the two months: ten steps of (1/2)^2.
    assert float(losses.crps(logits, torch.tensor([110.0]))) == pytest.approx(10 * 0.25, abs=1e-4)


def test_crps_of_a_uniform_distribution():
    below = torch.arange(1, BINS + 1) / BINS
    expected = float((below - (torch.arange(BINS) >= 120).float()).square().sum())
    assert float(losses.crps(torch.zeros(1, BINS), torch.tensor([120.0]))) == pytest.approx(expected, rel=1e-5)


def test_label_distribution_is_least_at_its_own_target_where_it_is_the_entropy():
    target = (-0.5 * ((bin_centres() - 100.0) / 5.0) ** 2)[None]
    entropy = 0.5 * math.log(2 * math.pi * math.e * 25)
    at_target = float(losses.label_distribution(target, torch.tensor([100.0])))
    assert at_target == pytest.approx(entropy, abs=1e-4)
    assert float(losses.label_distribution(target.roll(3, 1), torch.tensor([100.0]))) > at_target


def test_sums_of_losses_are_sums():
    logits, months = torch.randn(4, BINS, generator=torch.Generator().manual_seed(0)), torch.tensor([3.0, 80, 150, 230])
    ld = losses.label_distribution(logits, months)
    assert torch.allclose(losses.combined(logits, months), losses.crps(logits, months) + 0.5 * ld)
    l1 = losses.l1(losses.expectation(logits), months)
    assert torch.allclose(losses.label_and_l1(logits, months), ld + 0.2 * l1)


ERRORS = torch.tensor([0.0, -2.0, 6.0, 30.0])
"""Months. Every number below is worked out by hand from the formulas."""


@pytest.mark.parametrize(
    ("name", "numbers", "each"),
    [
        ("l1", {}, [0, 2, 6, 30]),
        ("mse", {}, [0, 4, 36, 900]),
        ("squared", {}, [0, 0.2, 1.8, 45]),
        ("huber", {}, [0, 2, 18, 6 * (30 - 3)]),  # 4 / 2, 36 / 2 at the bend
        ("huber", {"huber_delta": 1.0}, [0, 1.5, 5.5, 29.5]),
        ("smooth_l1", {}, [0, 4 / 12, 3, 27]),
        ("smooth_l1", {"smooth_l1_beta": 1.0}, [0, 1.5, 5.5, 29.5]),
        # 10 ln 2 = 6.931472, 10 ln 4 = 13.862944, 30 - (10 - 10 ln 6) = 37.917595
        ("wing", {}, [0, 6.931472, 13.862944, 37.917595]),
        # 5 ln 3 = 5.493061; beyond 5: |e| - (5 - 5 ln 6) = |e| + 3.958797
        ("wing", {"wing_width": 5.0, "wing_curvature": 1.0}, [0, 5.493061, 9.958797, 33.958797]),
        ("l1_l2", {}, [0, 3, 21, 465]),
        ("l1_l2", {"l1_share": 0.9}, [0, 2.2, 9, 117]),
        # ages 100, 6 (counts as 12), 12, 150
        ("l1_relative", {}, [0, 1.4 + 0.3 * 2 / 12, 4.2 + 0.3 * 6 / 12, 21 + 0.3 * 30 / 150]),
        ("l1_relative", {"relative_share": 0.5, "relative_floor": 24.0}, [0, 1 + 2 / 48, 3 + 6 / 48, 15.1]),
    ],
)
def test_losses_of_a_number_are_their_closed_forms(name, numbers, each):
    months = torch.tensor([100.0, 6.0, 12.0, 150.0])
    loss = losses.make_loss(name, LossConfig(**numbers))
    for film, expected in enumerate(each):
        answer = Answer(torch.zeros(1, BINS), (months + ERRORS)[film : film + 1])
        assert float(loss(answer, months[film : film + 1])) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    whole = loss(Answer(torch.zeros(4, BINS), months + ERRORS), months)
    assert float(whole) == pytest.approx(sum(each) / 4, rel=1e-5)


def test_a_relative_error_has_a_bound_near_birth():
    newborn = Answer(torch.zeros(1, BINS), torch.tensor([12.0]))
    # 0.7 x 12 + 0.3 x 12 / 12; without the guard the second part would have no bound
    assert float(losses.make_loss("l1_relative")(newborn, torch.tensor([0.0]))) == pytest.approx(8.7)


def test_likelihoods_are_logarithms_of_densities():
    answer = Answer(torch.zeros(2, BINS), torch.tensor([106.0, 90.0]), torch.tensor([3.0, 10.0]))
    months = torch.tensor([100.0, 100.0])
    # ln(3 sqrt(2 pi)) + 36 / 18 = 4.017551, ln(10 sqrt(2 pi)) + 100 / 200 = 3.721524
    assert float(losses.make_loss("gaussian")(answer, months)) == pytest.approx((4.017551 + 3.721524) / 2, rel=1e-5)
    # ln 6 + 2 = 3.791759, ln 20 + 1 = 3.995732
    assert float(losses.make_loss("laplace")(answer, months)) == pytest.approx((3.791759 + 3.995732) / 2, rel=1e-5)


def test_a_likelihood_needs_a_scale():
    with pytest.raises(UsageError, match="spread = 'predicted'"):
        losses.LOSSES["laplace"](torch.zeros(1, BINS), torch.tensor([100.0]))


def test_ordinal_loss_of_two_equal_months():
    logits = torch.full((1, BINS), -CERTAIN)
    logits[0, [100, 110]] = 0.0
    # "no older than k" has the probability 1/2 for the ten k from 100 to 109 and is certain elsewhere.
    assert float(losses.ordinal(logits, torch.tensor([105.0]))) == pytest.approx(10 * math.log(2), abs=1e-3)


def test_ordinal_loss_of_a_uniform_distribution():
    # P(no older than k) = (k + 1) / 240; at 120 months k = 0 ... 119 are not reached, 120 ... 238 are.
    expected = -sum(math.log(1 - (k + 1) / 240) for k in range(120)) - sum(
        math.log((k + 1) / 240) for k in range(120, 239)
    )
    assert float(losses.ordinal(torch.zeros(1, BINS), torch.tensor([120.0]))) == pytest.approx(expected, rel=1e-5)


def test_weighted_cross_entropy_weighs_positives():
    labels = torch.tensor([1.0, 0.0, 0.0, 0.0])
    logits = torch.tensor([0.8, 0.25, 0.5, 0.2]).logit()
    assert losses.positive_weight(labels) == 3.0
    # -(3 ln 0.8 + ln 0.75 + ln 0.5 + ln 0.8) / 4 = (0.669431 + 0.287682 + 0.693147 + 0.223144) / 4
    found = losses.weighted_bce(logits, labels, weight=3.0)
    assert float(found) == pytest.approx(0.468351, rel=1e-5)
    # a constant factor on both classes, as the published system had it, would give 3 (0.223144 + 1.203973) / 4
    assert float(found) != pytest.approx(1.070338, rel=0.1)


@pytest.mark.parametrize("labels", [[1.0, 1.0], [0.0], []])
def test_a_weight_needs_labels_of_both_kinds(labels):
    with pytest.raises(UsageError, match="labels of both kinds"):
        losses.positive_weight(torch.tensor(labels))


def test_focal_loss():
    logits, labels = torch.tensor([0.9, 0.6]).logit(), torch.tensor([1.0, 0.0])
    # 0.25 x 0.1^2 x 0.105361 and 0.75 x 0.6^2 x 0.916291
    assert float(losses.focal(logits, labels)) == pytest.approx((0.000263401 + 0.247398512) / 2, rel=1e-4)
    # gamma 0 and no weight: the cross-entropy
    assert float(losses.focal(logits, labels, gamma=0.0, alpha=None)) == pytest.approx(
        (0.105361 + 0.916291) / 2, rel=1e-4
    )


def test_logits_alone_are_an_answer():
    months = torch.tensor([90.0, 112.0])
    assert float(losses.LOSSES["l1"](certain(100, 100), months)) == pytest.approx((10 + 12) / 2, abs=1e-3)
    assert float(losses.LOSSES["squared"](certain(100, 100), months)) == pytest.approx((100 + 144) / 2 / 20, abs=1e-2)
    assert set(losses.LOSSES) == {str(name) for name in LossName}


def test_distillation_is_least_at_the_teacher():
    teacher = torch.randn(2, BINS, generator=torch.Generator().manual_seed(0))
    probabilities = teacher.softmax(1)
    entropy = -(probabilities * probabilities.log()).sum(1).mean()
    assert torch.allclose(losses.distillation(teacher, probabilities), 0.5 * entropy)
    assert losses.distillation(torch.zeros(2, BINS), probabilities) > 0.5 * entropy


def test_inconsistency_is_the_distance_of_two_answers_in_months():
    """Two certain answers three months apart, and a film that is answered alike: (3 + 0) / 2."""
    assert float(losses.inconsistency(certain(100, 40, 103, 40))) == pytest.approx(1.5, abs=1e-4)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_every_loss_pulls_towards_the_label(name):
    """Of a distribution the mean, of a number with a scale the number, wherever it stands."""
    if name in ("gaussian", "laplace"):
        months = torch.tensor([120.0], requires_grad=True)
        losses.LOSSES[name](Answer(torch.zeros(1, BINS), months, torch.tensor([8.0])), torch.tensor([200.0])).backward()
        assert float(months.grad) < 0
        return
    logits = torch.zeros(1, BINS, requires_grad=True)
    losses.LOSSES[name](logits, torch.tensor([200.0])).backward()
    assert losses.expectation(-logits.grad * 100) > losses.expectation(torch.zeros(1, BINS))


@pytest.mark.parametrize("name", losses.LOSSES)
def test_every_loss_brings_a_scalar_head_nearer(name):
    """From far outside the 240 months as well, for losses of the number itself."""
    shape = "normal" if name == "gaussian" else "laplace"
    predicted = name in ("gaussian", "laplace", "crps", "combined", "ordinal", "label_distribution", "label_and_l1")
    head = OneNumber(Target.MONTHS, shape=SpreadShape(shape), predicted=predicted)
    raw = torch.tensor([[-30.0, 0.0], [70.0, 0.0]])[:, : 2 if predicted else 1].requires_grad_()
    losses.make_loss(name)(head(raw), torch.tensor([120.0, 120.0])).backward()
    assert raw.grad[0, 0] < 0 < raw.grad[1, 0]


@pytest.mark.parametrize(
    ("name", "network", "says"),
    [
        ("mae", {}, "optimiser.loss must be one of combined"),
        ("gaussian", {}, "needs network.head = 'scalar'"),
        ("gaussian", {"head": "scalar", "spread": "predicted"}, "network.spread_shape = 'normal'"),
        ("wing", {"head": "scalar", "spread": "predicted"}, "never be taught"),
    ],
)
def test_a_loss_that_does_not_fit_the_network_is_named(name, network, says):
    with pytest.raises(UsageError, match=says):
        check_loss(name, NetworkConfig(**network))


@pytest.mark.parametrize(("key", "value"), [("huber_delta", 0.0), ("wing_curvature", -1.0), ("l1_share", 1.5)])
def test_numbers_that_make_no_loss_are_named(key, value):
    with pytest.raises(UsageError, match=f"loss.{key}"):
        LossConfig(**{key: value})
