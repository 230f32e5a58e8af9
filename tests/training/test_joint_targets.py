"""Marks of centres and the losses on them, against closed forms."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from capitate.training.detector.losses import box_terms, generalised_iou, heat_loss  # noqa: E402
from capitate.training.detector.targets import make_targets, mark_radius  # noqa: E402
from capitate.training.settings.detector import BoxLoss, DetectorLossConfig  # noqa: E402

USUAL = torch.full((2, 2), 0.1)


def targets(boxes, classes, *, size=(64, 96)):
    made = torch.tensor([boxes], dtype=torch.float32)
    return make_targets(torch.tensor([classes]), made, count=2, size=size, overlap=0.7, usual=USUAL)


def overlap(first, second):
    return float(generalised_iou(torch.tensor(first, dtype=torch.float32), torch.tensor(second, dtype=torch.float32)))


@pytest.mark.parametrize("least", [0.3, 0.5, 0.7])
def test_within_the_radius_boxes_overlap_enough(least):
    sides = torch.tensor([12.0, 7.0])
    r = float(mark_radius(sides, overlap=least))
    w, h = sides.tolist()
    cases = ((w - 2 * r) * (h - 2 * r) / (w * h), w * h / ((w + 2 * r) * (h + 2 * r)))
    one_way = (w - r) * (h - r) / (2 * w * h - (w - r) * (h - r))
    assert min(*cases, one_way) == pytest.approx(least, abs=1e-5)


def test_marks_stand_in_their_class_and_cell():
    found = targets([[41, 30, 20, 20], [70, 10, math.nan, math.nan], [5, 5, 8, 8]], [1, 0, -1])
    assert found.heat.shape == (1, 2, 16, 24)
    assert (found.heat == 1).nonzero().tolist() == [[0, 0, 2, 17], [0, 1, 7, 10]]
    assert 0 < found.heat[0, 1, 7, 11] < 1
    assert found.heat[0, 1, 15, 23] < 1e-6
    assert found.used.tolist() == [[True, True, False]]


def test_heat_loss_of_two_cells():
    heat = torch.tensor([[[[1.0, 0.5]]]])
    logits = torch.tensor([[[[0.0, math.log(0.25 / 0.75)]]]])  # p = 0.5 and 0.25
    expected = -(0.5**2) * math.log(0.5) - 0.5**4 * 0.25**2 * math.log(0.75)
    assert heat_loss(logits, heat, focus=2, near=4).item() == pytest.approx(expected, rel=1e-5)


def test_heat_loss_without_a_joint():
    logits = torch.zeros(1, 1, 1, 2)
    assert heat_loss(logits, torch.zeros(1, 1, 1, 2), focus=2, near=4).item() == pytest.approx(2 * 0.25 * math.log(2))


def test_generalised_iou():
    assert overlap([0, 0, 2, 2], [0, 0, 2, 2]) == pytest.approx(1)
    assert overlap([0, 0, 2, 2], [1, 0, 2, 2]) == pytest.approx(1 / 3)
    assert overlap([0, 0, 2, 2], [4, 0, 2, 2]) == pytest.approx(-2 / 6)


@pytest.mark.parametrize("kind", list(BoxLoss))
def test_boxes_are_right_or_as_wrong_as_they_are(kind):
    made = targets([[40, 32, 16, 24], [90, 2, math.nan, math.nan]], [1, 0])
    stated = torch.tensor([10.0, 8, 4, 6])[None, :, None, None].expand(1, 4, 16, 24).clone()
    at_point = made.cells[0, 1]
    around = stated[:, :, max(0, at_point[1] - 1) : at_point[1] + 2, at_point[0] - 1 : at_point[0] + 2]
    around[:, :2] = torch.tensor([22.5, 0.5])[None, :, None, None]
    offset, box = box_terms(stated, made, DetectorLossConfig(box=kind))
    assert (offset.item(), box.item()) == pytest.approx((0, 0), abs=1e-6)
    wider = stated.clone()
    wider[:, 2] *= 2
    _, wrong = box_terms(wider, made, DetectorLossConfig(box=kind))
    assert wrong.item() == pytest.approx(0.5 if kind is BoxLoss.GIOU else math.log(2), abs=1e-5)
    shifted = stated.clone()
    shifted[:, 0] += 3
    moved, _ = box_terms(shifted, made, DetectorLossConfig(box=kind))
    assert moved.item() == pytest.approx(3)
