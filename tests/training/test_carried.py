"""Boxes move with the pixels: against drawn hands in two poses, and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.phantom import FilmLook, Pose, draw  # noqa: E402
from capitate.training import augment  # noqa: E402
from capitate.training.augment.carried import (  # noqa: E402
    Shares,
    carried_boxes,
    clipped_boxes,
    in_pixels,
    negated,
)
from capitate.training.augment.geometry import warp  # noqa: E402
from capitate.training.settings.augment import AugmentConfig  # noqa: E402
from capitate.types import Sex  # noqa: E402

SIZE = 160


def hand(degrees):
    pose = Pose(rotation_degrees=degrees, scale=0.75)
    return draw(age_months=100, sex=Sex.FEMALE, pose=pose, height=SIZE, width=SIZE, variation=0, look=FilmLook.clean())


def boxes_of(one):
    found = [(j.box.x + j.box.width / 2, j.box.y + j.box.height / 2, j.box.width, j.box.height) for j in one.joints]
    return torch.tensor([found], dtype=torch.float32)


def map_between(first, second):
    """The map from the second film to the first, in coordinates from -1 to 1, by the joints' middles."""
    p, q = (np.array([j.centre for j in one.joints]) * 2 / SIZE - 1 for one in (first, second))
    solved, *_ = np.linalg.lstsq(np.c_[q, np.ones(len(q))], p, rcond=None)
    return torch.tensor(solved.T[None], dtype=torch.float32)


@pytest.fixture(scope="module")
def upright():
    return hand(0)


@pytest.mark.parametrize("degrees", [35, 90, -140])
def test_a_turned_hand_has_the_boxes_of_the_turned_picture(upright, degrees):
    turned = hand(degrees)
    affine = map_between(upright, turned)
    carried = carried_boxes(boxes_of(upright), affine, height=SIZE, width=SIZE)
    assert (carried - boxes_of(turned)).abs().max() < 0.05
    film = torch.from_numpy(upright.radiograph.pixels)[None, None]
    moved = warp(film, affine)[0, 0].numpy()
    for joint in turned.joints:  # the forearm ends at the film's edge, wherever that is
        box = joint.box
        part = (slice(round(box.y), round(box.y + box.height)), slice(round(box.x), round(box.x + box.width)))
        assert np.corrcoef(moved[part].ravel(), turned.radiograph.pixels[part].ravel())[0, 1] > 0.97, joint.name


def test_closed_forms():
    box = torch.tensor([[[30.0, 20, 8, 4], [30, 20, math.nan, math.nan]]])
    mirror = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]])
    assert carried_boxes(box, mirror, height=40, width=100)[0, 0].tolist() == pytest.approx([70, 20, 8, 4])
    half = torch.tensor([[[2.0, 0, 0], [0, 2, 0]]])  # the picture shrinks to half around its middle
    assert carried_boxes(box, half, height=40, width=100)[0, 0].tolist() == pytest.approx([40, 20, 4, 2])
    point = carried_boxes(box, half, height=40, width=100)[0, 1]
    assert point[:2].tolist() == pytest.approx([40, 20])
    assert point[2:].isnan().all()


def test_a_turn_keeps_shapes_in_a_picture_that_is_no_square():
    generator = torch.Generator().manual_seed(0)
    drawn = augment.draw(
        1, AugmentConfig(rotation=90, scale=0, aspect=0, shear=0, shift=0, flip=0), generator=generator
    )
    affine = in_pixels(drawn, height=50, width=100).geometry.affine
    pixels = torch.diag(torch.tensor([50.0, 25.0])) @ affine[0, :, :2] @ torch.diag(torch.tensor([1 / 50, 1 / 25]))
    assert torch.allclose(pixels @ pixels.T, torch.eye(2), atol=1e-5)
    square = in_pixels(drawn, height=64, width=64).geometry.affine
    assert torch.equal(square, drawn.geometry.affine)


def test_what_leaves_the_picture_is_cut_off_or_left_out():
    boxes = torch.tensor([[[2.0, 10, 10, 4], [-3, 10, 10, 4], [19.9, 19.9, 30, 30], [5, 5, math.nan, math.nan]]])
    part, useful = clipped_boxes(boxes, height=20, width=20)
    assert useful.tolist() == [[True, False, False, True]]
    assert part[0, 0].tolist() == pytest.approx([3.5, 10, 7, 4])
    assert part[0, 3, :2].tolist() == [5, 5]


def test_a_negative_changes_the_film_alone():
    pictures = torch.full((2, 1, 4, 6), 100, dtype=torch.uint8)
    inside = torch.tensor([[0.0, 0, 6, 4], [1, 0, 5, 4]])
    found = negated(pictures, torch.tensor([False, True]), inside)
    assert (found[0] == 100).all()
    assert found[1, 0, 2].tolist() == [100, 155, 155, 155, 155, 100]


def test_a_share_hangs_on_the_seed_of_an_example():
    seeds = list(range(400))
    chosen = Shares(5).below(seeds, 0.3)
    assert chosen[7:9].tolist() == Shares(5).below([7, 8], 0.3).tolist()
    assert 0.2 < chosen.float().mean() < 0.4
    assert not torch.equal(chosen, Shares(6).below(seeds, 0.3))
