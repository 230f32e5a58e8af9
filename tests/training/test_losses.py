"""Losses against closed forms."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from capitate.training import losses  # noqa: E402
from capitate.training.networks import BINS, bin_centres  # noqa: E402

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


def test_l1_and_squared():
    months = torch.tensor([90.0, 112.0])
    assert float(losses.l1(certain(100, 100), months)) == pytest.approx((10 + 12) / 2, abs=1e-3)
    assert float(losses.squared(certain(100, 100), months)) == pytest.approx((100 + 144) / 2 / 20, abs=1e-2)


def test_sums_of_losses_are_sums():
    logits, months = torch.randn(4, BINS, generator=torch.Generator().manual_seed(0)), torch.tensor([3.0, 80, 150, 230])
    ld = losses.label_distribution(logits, months)
    assert torch.allclose(losses.combined(logits, months), losses.crps(logits, months) + 0.5 * ld)
    assert torch.allclose(losses.label_and_l1(logits, months), ld + 0.2 * losses.l1(logits, months))


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
    logits = torch.zeros(1, BINS, requires_grad=True)
    losses.LOSSES[name](logits, torch.tensor([200.0])).backward()
    assert losses.expectation(-logits.grad * 100) > losses.expectation(torch.zeros(1, BINS))
