"""The released locator on drawn films: what it finds does not depend on what else is on the film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capitate.phantom import Pose, draw
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import HandFrame, squash
from capitate.types import Sex


@pytest.fixture(scope="module")
def locator() -> HandLocator:
    return HandLocator(threads=1)


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """A boy's hand, a little turned."""
    pose = Pose(rotation_degrees=5.0)
    return draw(age_months=126, sex=Sex.MALE, height=800, seed=3, pose=pose).radiograph.pixels


def corners(frame: HandFrame, height: int, width: int) -> np.ndarray:
    """The frame's corners in film pixels, (4, 2)."""
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    return (np.array([c - r - d, c + r - d, c + r + d, c - r + d]) + 1) / 2 * [width, height]


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_padding_a_tenth_on_one_side_leaves_the_hand_where_it_is(locator, film, side):
    height, width = film.shape
    tenth = {
        "top": ((80, 0), (0, 0)),
        "bottom": ((0, 80), (0, 0)),
        "left": ((0, 0), (61, 0)),
        "right": ((0, 0), (0, 61)),
    }
    padded = np.pad(film, tenth[side])
    there = corners(locator.locate(squash(film)).frame, height, width)
    here = corners(locator.locate(squash(padded)).frame, *padded.shape)
    here -= [tenth[side][1][0], tenth[side][0][0]]
    length = np.hypot(*(there[3] - there[0]))
    assert np.hypot(*(here - there).T).max() < 0.03 * length


def test_a_film_and_its_negative_show_the_same_hand(locator, film):
    square = squash(film)
    plain, negative = locator.locate(square), locator.locate(np.float32(1) - square)
    assert (plain.negated, negative.negated) == (False, True)
    for name in ("centre", "right", "down"):
        assert getattr(plain.frame, name) == pytest.approx(getattr(negative.frame, name), abs=1e-3)


def test_a_mirror_image_shows_the_mirrored_frame(locator, film):
    square = squash(film)
    plain, mirrored = (locator.locate(one) for one in (square, np.ascontiguousarray(square[:, ::-1])))
    assert mirrored.disagreement == pytest.approx(plain.disagreement, rel=0.1)
    for name in ("centre", "right", "down"):
        assert getattr(mirrored.frame.mirrored, name) == pytest.approx(getattr(plain.frame, name), abs=0.03)


def test_one_hand_agrees_with_its_mirror_image(locator, film):
    assert locator.locate(squash(film)).disagreement < 0.15


def test_a_look_that_loses_the_hand_is_not_followed(locator, film, monkeypatch):
    square = squash(film)
    kept, look = [], locator._look

    def into_a_bone(picture, frame, rules):
        kept.append(frame)
        if len(kept) < 3:
            return look(picture, frame, rules)
        return replace(
            frame, right=(frame.right[0] / 3, frame.right[1] / 3), down=(frame.down[0] / 3, frame.down[1] / 3)
        )

    assert not locator.locate(square).strayed
    monkeypatch.setattr(locator, "_look", into_a_bone)
    located = locator.locate(square)
    assert located.strayed
    assert located.frame == kept[2]
