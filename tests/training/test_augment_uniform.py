"""UniformAugment: even operations, probabilities and magnitudes, each operation with a known answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from capitate.training import augment  # noqa: E402
from capitate.training.augment.uniform import Operation, UniformAugment, change  # noqa: E402

from .no_augmentation import NOTHING  # noqa: E402


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


MIDDLE = torch.full((1, 2), 0.5)
BOTH_WAYS = [Operation(k) for k in range(5)] + [Operation.CONTRAST, Operation.BRIGHTNESS, Operation.SHARPNESS]


def picture() -> torch.Tensor:
    return torch.rand(1, 1, 40, 32, generator=generator())


def changed(x: torch.Tensor, operation: Operation, magnitude: float) -> torch.Tensor:
    return change(x, operation, magnitude=torch.tensor([magnitude]), place=MIDDLE)


def test_two_operations_a_view_each_carried_out_half_of_the_time():
    drawn = augment.draw(20000, replace(NOTHING, uniform_operations=2), generator=generator()).uniform
    assert drawn.operation.shape == (20000, 2)
    counts = torch.bincount((drawn.operation + 1).flatten(), minlength=13) / 40000
    assert counts[0] == pytest.approx(0.5, abs=0.01)
    assert counts[1:].tolist() == pytest.approx([0.5 / 12] * 12, abs=0.006)
    assert drawn.magnitude.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.magnitude.std() == pytest.approx((1 / 12) ** 0.5, abs=0.01)


@pytest.mark.parametrize("operation", BOTH_WAYS)
def test_the_middle_of_a_range_that_goes_both_ways_changes_nothing(operation):
    x = picture()
    assert torch.allclose(changed(x, operation, 0.5), x, atol=1e-4)
    for end in (0.0, 1.0):
        assert not torch.allclose(changed(x, operation, end), x, atol=0.02)


@pytest.mark.parametrize("operation", list(Operation))
def test_grey_levels_stay_within_black_and_white(operation):
    for magnitude in (0.0, 0.3, 0.999):
        out = changed(picture(), operation, magnitude)
        assert out.shape == (1, 1, 40, 32)
        assert -1e-5 <= float(out.min()) <= float(out.max()) <= 1 + 1e-5


def test_known_answers_of_grey_levels():
    x = torch.linspace(0.2, 0.6, 64).view(1, 1, 8, 8)
    stretched = changed(x, Operation.STRETCH, 0.3)
    assert (float(stretched.min()), float(stretched.max())) == pytest.approx((0, 1), abs=1e-4)
    assert len(changed(torch.linspace(0, 1, 256).view(1, 1, 16, 16), Operation.POSTERIZE, 0.0).unique()) == 16
    assert torch.allclose(changed(x, Operation.BRIGHTNESS, 0.0), x * 0.1)
    assert changed(x, Operation.CONTRAST, 0.0).std() == pytest.approx(float(x.std()) * 0.1, rel=1e-3)
    large = torch.linspace(0.2, 0.6, 1024).view(1, 1, 32, 32)
    assert changed(large, Operation.EQUALIZE, 0.3).std() > 2 * large.std()


def test_cut_out_is_a_black_square_of_the_stated_side():
    out = changed(torch.ones(1, 1, 40, 40), Operation.CUT_OUT, 1.0)
    assert int((out == 0).sum()) == 8 * 8
    assert (out[0, 0, 16:24, 16:24] == 0).all()


def test_operations_follow_one_another_in_their_order():
    x = picture()
    drawn = UniformAugment(torch.tensor([[4, 9]]), torch.tensor([[1.0, 0.0]]), MIDDLE[:, None].repeat(1, 2, 1))
    expected = changed(changed(x, Operation.TURN, 1.0), Operation.BRIGHTNESS, 0.0)
    assert torch.equal(drawn.apply(x), expected)
    nothing = UniformAugment(torch.tensor([[-1, -1]]), drawn.magnitude, drawn.place)
    assert torch.equal(nothing.apply(x), x)
