"""Films turned, mirrored and tilted: pixels go where points go, and back."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.evaluation.joints import make_moves
from capitate.evaluation.joints.naming import NamingOutcome, naming_outcomes
from capitate.hand import Joint
from capitate.types import Side

SPOT = (61, 23)
"""Column and row of the one bright spot, 3 x 3 pixels around its middle."""


def spotted():
    film = np.zeros((80, 120), dtype=np.float32)
    film[SPOT[1] - 1 : SPOT[1] + 2, SPOT[0] - 1 : SPOT[0] + 2] = 1
    return film


@pytest.mark.parametrize("move", make_moves(turns=(90, 180, 270, 33), mirror=True, tilt=30), ids=lambda one: one.name)
def test_points_go_where_pixels_go(move):
    film = move.apply(spotted(), "film")
    rows, columns = np.nonzero(film.pixels > 0.4)
    seen = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    spot = np.array([SPOT[0] + 0.5, SPOT[1] + 0.5])
    assert film.moved(spot) == pytest.approx(seen, abs=0.35)
    assert film.moved.inverse(seen) == pytest.approx(spot, abs=0.35)
    assert film.moved.mirrored is move.mirrored
    corners = film.moved(np.array([[0, 0], [120, 0], [0, 80], [120, 80]], dtype=float))
    assert corners.min() > -1.01
    assert (corners.max(axis=0) < np.array(film.pixels.shape[::-1]) + 1.01).all()


def test_quarter_turns_lose_no_pixel_and_turn_anticlockwise():
    (move,) = make_moves(turns=(0, 90, 360))
    film = move.apply(spotted(), "film")
    assert film.pixels.shape == (120, 80)
    assert np.array_equal(np.rot90(spotted()), film.pixels)
    assert film.moved.turn_degrees == pytest.approx(90)


def test_a_tilt_is_drawn_by_the_film():
    (move,) = make_moves(tilt=30)
    turns = [move.apply(spotted(), name).moved.turn_degrees for name in ("a", "a", "b", "c", "d")]
    assert turns[0] == turns[1]
    assert len(set(turns)) == 4
    assert max(abs(one) for one in turns) <= 30


def test_what_goes_on_beyond_a_turned_film_is_its_rim():
    (move,) = make_moves(turns=(45,))
    film = move.apply(np.full((60, 60), 0.5, dtype=np.float32), "film")
    assert film.pixels == pytest.approx(np.full(film.pixels.shape, 0.5), abs=1e-6)


def test_a_mirror_changes_the_side():
    (move,) = make_moves(mirror=True)
    assert [move.side(one) for one in Side] == [Side.RIGHT, Side.LEFT, Side.UNKNOWN]


@pytest.mark.parametrize(
    ("options", "said"), [({"turns": [float("nan")]}, "degrees, got nan"), ({"tilt": 200}, "got 200")]
)
def test_angles_that_cannot_be_meant(options, said):
    with pytest.raises(UsageError, match=said):
        make_moves(**options)


def test_a_name_is_right_at_its_label_alone():
    truth = {Joint.RADIUS: (0.0, 100.0), Joint.ULNA: (20.0, 100.0), Joint.DIP_THIRD: (10.0, 0.0)}
    named = {Joint.RADIUS: (12.0, 100.0), Joint.ULNA: (21.0, 99.0)}
    assert naming_outcomes(truth, named) == {
        Joint.RADIUS: NamingOutcome.WRONG, Joint.ULNA: NamingOutcome.RIGHT, Joint.DIP_THIRD: NamingOutcome.MISSING,
    }  # fmt: skip
    far = naming_outcomes(truth, {Joint.DIP_THIRD: (10.0, 11.0), Joint.RADIUS: (-9.0, 100.0)})
    assert far[Joint.DIP_THIRD] is NamingOutcome.WRONG, "nearest, but more than a tenth of the hand away"
    assert far[Joint.RADIUS] is NamingOutcome.RIGHT
    assert naming_outcomes({}, named) == {}
