"""The outline of the hand in a view."""

from __future__ import annotations

import numpy as np

from capitate.runtime.view_mask import otsu_threshold, view_mask


def hand() -> np.ndarray:
    view = np.full((160, 128), 10, dtype=np.uint8)
    view[30:160, 30:100] = 180
    return view


def test_otsu_separates_two_grey_levels():
    assert 10 <= otsu_threshold(hand()) < 180


def test_the_mask_is_the_hand_and_a_rim():
    mask = view_mask(hand())
    assert mask[28:, 28:102].all()
    assert not mask[:20].any()
    assert not mask[:, :20].any()


def test_holes_are_filled_and_letters_are_left_out():
    view = hand()
    view[80:90, 60:70] = 0
    view[5:12, 5:20] = 255
    mask = view_mask(view)
    assert mask[80:90, 60:70].all()
    assert not mask[5:12, 5:20].any()


def test_nothing_may_be_repainted_where_no_hand_is_found():
    assert view_mask(np.zeros((160, 128), dtype=np.uint8)).all()
    assert view_mask(np.eye(128, dtype=np.uint8)[np.arange(160) % 128] * 200).all()
