from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from capitate.hand.mask import hand_mask
from capitate.types import Box

BOX = Box(60, 40, 180, 240)
Floats = NDArray[np.float32]


def hand_film(
    *, frame: bool = False, marker: bool = False, offset: float = 0.05, gain: float = 1.0
) -> tuple[Floats, Floats]:
    """A palm with five fingers and a forearm that leaves the film at the bottom; returns the film and the truth."""
    hand = np.zeros((400, 300), dtype=np.float32)
    hand[150:260, 90:210] = 1
    for column in (66, 98, 130, 162, 194):
        hand[46 + abs(column - 130) // 2 : 160, column : column + 22] = 1
    hand[140:170, 66:120] = 1
    hand[250:400, 115:185] = 1
    film = offset + gain * 0.3 * ndimage.gaussian_filter(hand, 1.5)
    film += gain * 0.25 * ndimage.binary_erosion(hand > 0, iterations=7)
    if frame:
        film[:, :8], film[:, -8:], film[:8], film[-8:] = 0.95, 0.95, 0.95, 0.95
    if marker:
        film[60:110, 262:290] = 0.9
    noise = np.random.default_rng(0).normal(0, 0.005 * gain, film.shape)
    return np.clip(film + noise, 0, 1).astype(np.float32), hand


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize(("offset", "gain"), [(0.05, 1.0), (0.4, 0.15)])
def test_the_whole_hand_is_inside_and_little_else(*, frame: bool, offset: float, gain: float) -> None:
    film, hand = hand_film(frame=frame, marker=True, offset=offset, gain=gain)
    mask = hand_mask(film, box=BOX)
    inner = hand > 0
    inner[-12:] = False
    assert mask.shape == film.shape
    assert mask[inner].mean() > 0.995
    allowed = ndimage.binary_dilation(hand > 0, iterations=26)
    assert mask[~allowed].mean() < 0.02
    assert not mask[60:110, 262:290].any()


def test_dilation_is_a_share_of_the_long_side() -> None:
    film, _ = hand_film()
    tight, wide = (hand_mask(film, box=BOX, dilation=share) for share in (0.0, 0.05))
    assert wide[tight].all()
    far = ndimage.distance_transform_edt(~tight)[wide].max()
    assert far == pytest.approx(0.05 * 400, abs=3)


def test_shrinking_the_film_hardly_changes_the_mask() -> None:
    film, _ = hand_film()
    large = np.kron(film, np.ones((3, 3), dtype=np.float32))
    box = Box(*(3 * v for v in (BOX.x, BOX.y, BOX.width, BOX.height)))
    assert np.mean(hand_mask(large, box=box)[1::3, 1::3] == hand_mask(film, box=BOX)) > 0.98


def test_no_contrast_gives_an_empty_mask() -> None:
    assert not hand_mask(np.full((50, 40), 0.3, dtype=np.float32), box=Box(5, 5, 20, 30)).any()


def test_a_box_beside_the_film_gives_an_empty_mask() -> None:
    film, _ = hand_film()
    assert not hand_mask(film, box=Box(900, 900, 50, 50)).any()
