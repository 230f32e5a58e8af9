"""Maps by gradients of a network whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.explain.research.gradients import Differentiable, GradientMethod, gradient_cells  # noqa: E402

PICTURE = np.arange(64, dtype=np.uint8).reshape(8, 8)


def pooled(pictures: torch.Tensor) -> torch.Tensor:
    """Two channels: 2 x 2 means, and their negatives."""
    cells = torch.nn.functional.avg_pool2d(pictures, 2)
    return torch.cat([cells, -cells], dim=1)


def linear(weights: tuple[float, float]) -> Differentiable:
    return Differentiable(pooled, lambda cells: (cells.mean((2, 3)) * torch.tensor(weights)).sum(1))


@pytest.mark.parametrize("method", [GradientMethod.GRADIENT, GradientMethod.SMOOTHGRAD])
def test_gradient_times_input_of_a_linear_network_is_the_answer(method):
    cells, said = gradient_cells(linear((3, 1)), PICTURE, method=method, seed=1)
    assert said == pytest.approx(2 * PICTURE.mean(), rel=1e-6)
    np.testing.assert_allclose(cells, 2 * PICTURE / 64, rtol=1e-4)
    assert cells.sum() == pytest.approx(said, rel=1e-4)


def test_grad_cam_of_a_linear_head_is_the_class_activation_map():
    cells, said = gradient_cells(linear((3, 1)), PICTURE, method=GradientMethod.GRAD_CAM)
    assert cells.shape == (4, 4)
    means = PICTURE.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(cells, 2 * means / 16, rtol=1e-5)
    assert cells.sum() == pytest.approx(said, rel=1e-5)


def test_grad_cam_keeps_what_lowers_the_answer():
    cells, _ = gradient_cells(linear((1, 3)), PICTURE, method=GradientMethod.GRAD_CAM)
    assert cells.max() <= 0


def test_smoothgrad_smooths_a_kink_and_is_repeatable():
    """|x - 100|: the gradient jumps at 100, its average over noise does not."""
    kink = Differentiable(lambda p: p, lambda cells: (cells - 100).abs().mean((1, 2, 3)))
    near = np.full((4, 4), 104, dtype=np.uint8)
    plain, _ = gradient_cells(kink, near, method=GradientMethod.GRADIENT)
    smooth, _ = gradient_cells(kink, near, method=GradientMethod.SMOOTHGRAD, seed=5)
    again, _ = gradient_cells(kink, near, method=GradientMethod.SMOOTHGRAD, seed=5)
    np.testing.assert_array_equal(smooth, again)
    assert abs(smooth.mean()) < 0.4 * plain.mean()


def test_a_damaged_network_is_told():
    broken = Differentiable(lambda p: p, lambda cells: cells.mean((1, 2, 3)) * float("nan"))
    with pytest.raises(UsageError, match="not finite"):
        gradient_cells(broken, PICTURE, method=GradientMethod.GRADIENT)
