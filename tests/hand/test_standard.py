"""The standard view: back to the film without loss, upright, left, and refused in words where joints are too few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capitate.errors import NoHandError, UsageError
from capitate.hand import Detection, Fit, Joint, bone_class_of, name_joints, standard_hand
from capitate.hand.affine import Affine
from capitate.hand.plan import JOINTS, hand_plan
from capitate.phantom import Pose, draw
from capitate.types import Box, Sex, Side

PLACES = hand_plan().places


def film_of(matrix: np.ndarray, origin=(300.0, 400.0)) -> dict[Joint, tuple[float, float]]:
    """The mean hand on a film."""
    at = PLACES @ matrix.T + origin
    return {joint: (float(x), float(y)) for joint, (x, y) in zip(JOINTS, at, strict=True)}


def turn(degrees: float) -> np.ndarray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s], [s, c]])


def mean_view() -> np.ndarray:
    upright = standard_hand(film_of(np.eye(2) * 200))
    return upright.points_to_view(np.array(list(film_of(np.eye(2) * 200).values())))


@settings(max_examples=30, deadline=None)
@given(
    degrees=st.floats(-180, 180),
    size=st.floats(20, 2000),
    mirrored=st.booleans(),
    fit=st.sampled_from(Fit),
    x=st.floats(-50, 1000),
    y=st.floats(-50, 1000),
)
def test_there_and_back(degrees, size, mirrored, fit, x, y):
    flip = np.diag([-1.0 if mirrored else 1.0, 1.0])
    film = film_of(size * turn(degrees) @ flip)
    view = standard_hand(film, fit=fit)
    point = np.array([x, y])
    assert view.points_to_film(view.points_to_view(point)) == pytest.approx(point, abs=1e-6)
    assert view.points_to_view(view.points_to_film(point)) == pytest.approx(point, abs=1e-6)
    assert view.mirrored == mirrored
    assert view.error < 1e-9
    assert view.points_to_view(np.array(list(film.values()))) == pytest.approx(mean_view(), abs=1e-6)


def test_an_affine_fit_undoes_a_squashed_film_and_a_similarity_keeps_it():
    film = film_of(np.diag([250.0, 180.0]) @ turn(30))
    assert standard_hand(film, fit=Fit.AFFINE).error < 1e-9
    assert standard_hand(film, fit=Fit.SIMILARITY).error > 0.01
    assert standard_hand(film, fit=Fit.SIMILARITY).to_view.anisotropy == pytest.approx(1)


def test_the_view_shows_the_hand_upright_with_room_around():
    view = mean_view()
    wrist, knuckle, tip = (
        view[0:2].mean(axis=0),
        view[JOINTS.index(Joint.MCP_THIRD)],
        view[JOINTS.index(Joint.DIP_THIRD)],
    )
    assert wrist[1] > knuckle[1] > tip[1]
    assert abs(wrist[0] - tip[0]) < 5
    assert view[JOINTS.index(Joint.DIP_FIRST)][0] > wrist[0]
    assert (view > 10).all()
    assert (view < [384 - 10, 512 - 10]).all()


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_drawn_hands_look_alike_in_the_view(side):
    pose = Pose(rotation_degrees=70, scale=0.6)
    phantom = draw(age_months=126, sex=Sex.MALE, side=side, pose=pose, height=128, seed=4)
    boxes = [Detection(bone_class_of(Joint(one.name)), one.box) for one in phantom.joints]
    view = standard_hand(name_joints(boxes), height=128, width=96)
    assert view.mirrored == (side is Side.RIGHT)
    assert (view.joints, view.error < 0.04) == (21, True)
    cut = view.cut(phantom.radiograph.pixels)
    assert (cut.shape, cut.dtype) == ((128, 96), np.float32)
    joints = view.points_to_view(np.array([one.centre for one in phantom.joints])).astype(int)
    assert cut[joints[:, 1], joints[:, 0]].mean() > 1.5 * np.median(cut)


def test_what_the_view_shows_lies_where_it_says():
    film = np.zeros((200, 160), dtype=np.float32)
    film[100:103, 70:73] = 1
    view = standard_hand(film_of(np.eye(2) * 90 @ turn(15), origin=(80, 150)), height=200, width=150)
    rows, columns = np.indices((200, 150))
    cut = view.cut(film)
    middle = [float((cut * axis).sum() / cut.sum()) + 0.5 for axis in (columns, rows)]
    assert middle == pytest.approx(view.points_to_view(np.array([71.5, 101.5])), abs=0.1)


def test_too_few_joints_are_refused_in_words():
    three = dict(list(film_of(np.eye(2) * 100).items())[:3])
    with pytest.raises(NoHandError, match=r"needs 4 named joints, got 3 \(Radius, Ulna, MCPFirst\)"):
        standard_hand(three)
    with pytest.raises(NoHandError, match=r"got 0 \(none\)"):
        standard_hand(name_joints([]))
    with pytest.raises(NoHandError, match="settle no upright view"):
        standard_hand(dict.fromkeys(list(Joint)[:5], (3.0, 4.0)))


def test_a_view_without_pixels_is_refused():
    with pytest.raises(UsageError, match="got 0 x 10"):
        standard_hand(film_of(np.eye(2) * 100), height=0, width=10)


def test_uncertain_joints_count_only_where_found_ones_are_too_few():
    boxes = {
        joint: Detection(bone_class_of(joint), Box(x - 10, y - 10, 20, 20))
        for joint, (x, y) in film_of(np.eye(2) * 300).items()
    }
    swapped = boxes | {Joint.RADIUS: Detection("Ulna", boxes[Joint.RADIUS].box)}
    assert standard_hand(name_joints(list(swapped.values()))).joints == 20


def test_maps_that_cannot_be_inverted_are_refused():
    with pytest.raises(ValueError, match="inverse"):
        Affine(np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2))


def test_maps_in_closed_form():
    quarter = Affine(np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([1.0, 2.0]))  # anticlockwise, y down
    assert quarter.turn_degrees == pytest.approx(90)
    assert quarter(np.array([1.0, 0.0])) == pytest.approx([1.0, 1.0])
    assert quarter.then(quarter.inverse)(np.array([5.0, 7.0])) == pytest.approx([5.0, 7.0])
    mirror = Affine(np.diag([-1.0, 1.0]) @ quarter.matrix, np.zeros(2))
    assert (mirror.mirrored, mirror.turn_degrees) == (True, pytest.approx(90))
    assert Affine(np.diag([3.0, 1.5]), np.zeros(2)).anisotropy == pytest.approx(2)
