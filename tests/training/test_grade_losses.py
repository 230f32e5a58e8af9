"""Losses over grades and the network's two forms of answer against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.training.joint_grades.crops import ALLOWED  # noqa: E402
from capitate.training.joint_grades.network import JointGradesNetwork, between_thresholds  # noqa: E402
from capitate.training.losses.grades import cross_entropy, cumulative, grade_targets, ranked  # noqa: E402
from capitate.training.settings.joint_grades import GradeForm, GradeHead, GraderConfig  # noqa: E402

PROBABILITIES = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])
TARGETS = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])


def test_losses_are_their_closed_forms():
    log = PROBABILITIES.log()
    entropy = -(np.log(0.2) + 0.5 * np.log(0.5) + 0.5 * np.log(0.3)) / 2
    assert float(cross_entropy(log, TARGETS)) == pytest.approx(entropy)
    first = -np.log(0.9) - np.log(0.3)
    second = -0.5 * np.log(0.5) - 0.5 * np.log(0.5) - np.log(0.8)
    assert float(cumulative(log, TARGETS)) == pytest.approx((first + second) / 2)
    assert float(ranked(log, TARGETS)) == pytest.approx((0.1**2 + 0.7**2 + 0.0 + 0.2**2) / 2)


@pytest.mark.parametrize("loss", [cumulative, ranked])
def test_ordered_losses_know_how_far_off_a_grade_is(loss):
    near, far = torch.tensor([[0.01, 0.01, 0.97, 0.01]]), torch.tensor([[0.01, 0.97, 0.01, 0.01]])
    truth = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    assert float(cross_entropy(near.log(), truth)) == pytest.approx(float(cross_entropy(far.log(), truth)))
    assert loss(near.log(), truth) < loss(far.log(), truth) - 0.5


def test_targets_are_distributions_over_the_category_alone():
    allowed = torch.from_numpy(ALLOWED)[torch.tensor([3, 0])]
    plain = grade_targets(torch.tensor([10, 14]), allowed)
    assert (int(plain[0].argmax()), float(plain[0, 10])) == (10, 1.0)
    soft = grade_targets(torch.tensor([10, 7]), allowed, sigma=1.0)
    assert soft.sum(1).tolist() == pytest.approx([1, 1])
    assert not soft[0, 11:].any(), "metacarpals end at grade 10"
    assert float(soft[1, 6] / soft[1, 7]) == pytest.approx(np.exp(-0.5))


def test_cumulative_logits():
    """Differences of sigmoids, exact where both are near 1, and nothing beyond the last grade."""
    score = torch.tensor([[0.7], [30.0]])
    thresholds = torch.tensor([[-1.0, 0.5, 2.0]]).expand(2, -1)
    real = torch.tensor([[True, True, False], [True, True, True]])
    found = between_thresholds(score, thresholds, real)
    above = torch.sigmoid(score[0] - thresholds[0])
    expected = [1 - above[0], above[0] - above[1], above[1]]
    assert found[0].exp()[:3].tolist() == pytest.approx([float(p) for p in expected], rel=1e-5)
    assert float(found[0].exp()[3]) < 1e-20
    exact = np.exp(-30) * (np.exp(0.5) - np.exp(-1.0))
    assert float(found[1, 1].exp()) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("head", GradeHead)
@pytest.mark.parametrize("form", GradeForm)
def test_a_network_answers_grades_of_the_category_alone(head, form):
    torch.manual_seed(0)
    config = GraderConfig(backbone="resnet", widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), head=head, form=form, hidden=8)
    network = JointGradesNetwork(config).eval()
    picture = torch.randint(0, 256, (1, 1, 32, 32)).float().expand(9, -1, -1, -1)
    with torch.no_grad():
        found = network(picture, torch.arange(9)).exp()
    assert found.sum(1).tolist() == pytest.approx([1] * 9, abs=1e-5)
    assert float(found[~torch.from_numpy(ALLOWED)].max()) < 1e-9
    assert not torch.allclose(found[3], found[4], atol=1e-3), "categories are told apart"
    if form is GradeForm.THRESHOLDS:
        assert (network.thresholds().diff(dim=1) > 0).all()
