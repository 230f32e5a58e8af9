"""Outlines of drawn epiphyses and carpal bones: where they are, how large, and when there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from capitate.phantom import JOINTS, FilmLook, draw
from capitate.types import Sex, Side


def hand(months, **more):
    return draw(age_months=months, sex=Sex.FEMALE, height=240, variation=0, look=FilmLook.clean(), **more)


@pytest.fixture(scope="module")
def child():
    return hand(96)


def within(one, joint):
    box = one.joint(joint).box
    return one.outlines[round(box.y) : round(box.y + box.height), round(box.x) : round(box.x + box.width)]


def test_every_visible_epiphysis_lies_in_its_box(child):
    for joint in JOINTS:
        assert (within(child, joint) == 2).any() == (child.joint(joint).width_ratio > 0), joint


def test_carpal_bones_cover_their_circles(child):
    """One that no other touches has the area of its ellipse."""
    pieces, _ = ndimage.label(child.outlines == 2)
    alone = 0
    for carpal in child.carpals[:7]:
        x, y = carpal.centre
        piece = pieces[int(y), int(x)]
        assert piece, carpal.name
        area = (pieces == piece).sum()
        if sum(pieces[int(o.centre[1]), int(o.centre[0])] == piece for o in child.carpals[:7]) == 1:
            assert area == pytest.approx(math.pi * carpal.radius**2, rel=0.2), carpal.name
            alone += 1
    assert alone >= 3


def test_a_grown_hand_has_carpal_bones_alone():
    grown = hand(220)
    for joint in JOINTS:
        if joint not in ("Radius", "Ulna", "MCPFirst"):  # whose boxes reach into the carpus
            assert not (within(grown, joint) == 2).any(), joint
    assert (grown.outlines == 2).any()


def test_a_right_hand_is_the_mirror_image(child):
    other = hand(96, side=Side.RIGHT)
    assert (np.fliplr(other.outlines) != child.outlines).mean() < 0.01


def test_what_is_outlined_is_brighter_than_what_surrounds_it(child):
    pixels = child.radiograph.pixels
    assert pixels[child.outlines == 2].mean() > pixels[child.outlines == 1].mean()
