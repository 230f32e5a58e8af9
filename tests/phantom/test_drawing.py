"""The drawn film and what is said about it."""

import numpy as np
import pytest

from capitate.phantom import JOINTS, FilmLook, Pose, draw
from capitate.types import Sex, Side

GIRL = {"age_months": 126.0, "sex": Sex.FEMALE, "height": 240}


def crop(phantom, name):
    box = phantom.joint(name).box
    pixels = phantom.radiograph.pixels
    return pixels[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)]


def middle(box):
    return np.array([box.x + box.width / 2, box.y + box.height / 2])


def test_same_seed_same_film_other_seed_another():
    first, again, other = (draw(**GIRL, seed=s) for s in (5, 5, 6))
    assert first.radiograph.pixels.tobytes() == again.radiograph.pixels.tobytes()
    assert first.joints == again.joints
    assert first.radiograph.sha256 == again.radiograph.sha256 != other.radiograph.sha256


def test_a_generator_serves_as_seed():
    assert draw(**GIRL, seed=np.random.default_rng(5)).joints == draw(**GIRL, seed=5).joints


@pytest.mark.parametrize("sex", [Sex.FEMALE, Sex.MALE])
@pytest.mark.parametrize("age", [0, 24, 110, 228])
def test_any_age_gives_a_film_with_all_joints_inside(age, sex):
    phantom = draw(age_months=age, sex=sex, height=256, seed=age)
    pixels = phantom.radiograph.pixels
    assert pixels.shape == (256, 195)
    assert pixels.dtype == np.float32
    assert 0 <= pixels.min() < 0.1 < 0.5 < pixels.max() <= 1
    assert tuple(j.name for j in phantom.joints) == JOINTS
    for joint in phantom.joints:
        box = joint.box
        assert box.x >= 0 <= box.y
        assert box.x + box.width <= 195
        assert box.y + box.height <= 256
        assert min(box.width, box.height) > 5


@pytest.mark.parametrize("shape", [(64, None), (200, 300), (500, 400)])
def test_size_is_as_asked_and_anatomy_is_the_same(shape):
    height, width = shape
    phantom = draw(age_months=100, sex=Sex.MALE, height=height, width=width, seed=3)
    assert phantom.radiograph.pixels.shape == (height, width or round(0.76 * height))
    assert phantom.mask.shape == phantom.radiograph.pixels.shape
    large = draw(age_months=100, sex=Sex.MALE, height=2 * height, width=2 * phantom.radiograph.width, seed=3)
    for small_joint, large_joint in zip(phantom.joints, large.joints, strict=True):
        assert middle(large_joint.box) == pytest.approx(2 * middle(small_joint.box), abs=0.02 * height)
        assert small_joint.grade == large_joint.grade


def test_size_changes_sampling_only():
    small = draw(**GIRL, seed=2, look=FilmLook.clean()).radiograph.pixels
    large = draw(**{**GIRL, "height": 960}, width=4 * small.shape[1], seed=2, look=FilmLook.clean()).radiograph.pixels
    averaged = large.reshape(240, 4, small.shape[1], 4).mean(axis=(1, 3))
    assert np.abs(averaged - small).mean() < 0.01


def test_boxes_lie_on_bone():
    phantom = draw(**GIRL, seed=1, look=FilmLook.clean())
    flesh = np.median(phantom.radiograph.pixels[phantom.mask])
    for name in JOINTS:
        assert np.quantile(crop(phantom, name), 0.95) > 1.2 * flesh, name


def test_the_growth_plate_is_where_the_joint_says():
    phantom = draw(**{**GIRL, "height": 1000}, seed=4, look=FilmLook.clean())
    pixels = phantom.radiograph.pixels
    joint, tip = phantom.joint("PIPThird"), phantom.joint("MIPThird")
    axis = np.array(tip.centre) - np.array(joint.centre)
    reach = np.linspace(0, 0.35, 200)
    points = np.array(joint.centre) + reach[:, None] * axis
    line = pixels[points[:, 1].astype(int), points[:, 0].astype(int)]
    bone = line.max()
    epiphysis = np.flatnonzero(line > 0.8 * bone)[0]
    gap = epiphysis + np.argmin(line[epiphysis : epiphysis + 100])
    assert line[gap] < 0.75 * bone
    assert line[gap:].max() > 0.85 * bone


def test_a_right_hand_is_the_mirror_image():
    left = draw(**GIRL, seed=9, look=FilmLook.clean(), pose=Pose(rotation_degrees=10))
    right = draw(**GIRL, seed=9, look=FilmLook.clean(), pose=Pose(rotation_degrees=-10), side=Side.RIGHT)
    width = left.radiograph.width
    for a, b in zip(left.joints, right.joints, strict=True):
        assert b.box.x == pytest.approx(width - a.box.x - a.box.width, abs=1e-6)
        assert b.box.y == pytest.approx(a.box.y, abs=1e-6)
    assert np.abs(left.radiograph.pixels - right.radiograph.pixels[:, ::-1]).mean() < 0.01


def test_thumb_is_on_the_right_of_a_left_hand_and_fingers_point_up():
    phantom = draw(**GIRL)
    assert phantom.joint("DIPFirst").centre[0] > phantom.joint("DIPFifth").centre[0]
    assert phantom.joint("DIPThird").centre[1] < phantom.joint("MCPThird").centre[1] < phantom.joint("Radius").centre[1]
    assert phantom.joint("Radius").centre[0] > phantom.joint("Ulna").centre[0]


@pytest.mark.parametrize("degrees", [-90, 20, 90, 180, 270])
def test_rotation_turns_the_centres(degrees):
    turned = draw(**GIRL, width=240, pose=Pose(rotation_degrees=degrees, scale=0.7))
    upright = draw(**GIRL, width=240, pose=Pose(scale=0.7))
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    names = ("Radius", "MCPThird", "DIPThird", "DIPFirst")
    before = np.array([upright.joint(n).centre for n in names])
    after = np.array([turned.joint(n).centre for n in names])
    expected = (before - before[0]) @ matrix.T
    found = after - after[0]
    ratio = np.linalg.norm(found[1:]) / np.linalg.norm(expected[1:])
    assert found == pytest.approx(expected * ratio, abs=1e-6)
    assert turned.rotation_degrees == degrees


def test_shift_and_scale_move_boxes_as_they_say():
    plain = draw(**GIRL, pose=Pose(scale=0.6))
    moved = draw(**GIRL, pose=Pose(scale=0.6, shift=(0.1, -0.05)))
    step = np.array([0.1 * plain.radiograph.width, -0.05 * 240])
    for a, b in zip(plain.joints, moved.joints, strict=True):
        assert middle(b.box) == pytest.approx(middle(a.box) + step, abs=1e-6)


def test_spread_thumb_and_flexion_change_the_hand():
    def fan(pose):
        phantom = draw(**GIRL, pose=pose)
        points = {
            n: np.array(phantom.joint(n).centre) for n in ("DIPSecond", "DIPFifth", "DIPThird", "MCPThird", "Radius")
        }
        palm = np.linalg.norm(points["MCPThird"] - points["Radius"])
        return (
            np.linalg.norm(points["DIPSecond"] - points["DIPFifth"]) / palm,
            np.linalg.norm(points["DIPThird"] - points["MCPThird"]) / palm,
        )

    plain, spread, bent = fan(Pose()), fan(Pose(spread_degrees=20)), fan(Pose(flexion=0.8))
    assert spread[0] > 1.15 * plain[0]
    assert bent[1] < 0.85 * plain[1]


def test_mask_covers_the_bones_and_only_the_hand():
    phantom = draw(**GIRL, seed=8, look=FilmLook.clean())
    pixels = phantom.radiograph.pixels
    assert phantom.mask.dtype == bool
    assert phantom.mask[pixels > 0.35].mean() > 0.999
    assert pixels[~phantom.mask].max() < 0.2
    assert 0.2 < phantom.mask.mean() < 0.8


def test_hand_box_holds_the_joints():
    phantom = draw(**GIRL, pose=Pose(rotation_degrees=30))
    box = phantom.hand_box
    for joint in phantom.joints:
        assert box.x <= joint.centre[0] <= box.x + box.width
        assert box.y <= joint.centre[1] <= box.y + box.height


def test_carpals_on_the_film_follow_the_table():
    newborn, grown = draw(age_months=0, sex=Sex.FEMALE, height=200), draw(age_months=200, sex=Sex.FEMALE, height=200)
    assert not any(c.visible for c in newborn.carpals)
    assert all(c.visible and c.radius > 1 for c in grown.carpals)
    toddler = draw(age_months=24, sex=Sex.FEMALE, height=200)
    assert [c.name for c in toddler.carpals if c.visible] == ["capitate", "hamate", "triquetrum"]


def test_every_film_effect_changes_the_film_and_can_be_off():
    clean = draw(**GIRL, look=FilmLook.clean())
    for effect in (
        {"blur": 0.003},
        {"quantum_noise": 0.02},
        {"grain": 0.02},
        {"scatter": 0.2},
        {"gradient": 0.1},
        {"marker": True},
        {"collimation": True},
        {"texture": 0.4},
    ):
        look = FilmLook(**{**FilmLook.clean().__dict__, **effect})
        changed = draw(**GIRL, look=look)
        assert np.abs(changed.radiograph.pixels - clean.radiograph.pixels).max() > 0.02, effect
        assert changed.joints == clean.joints


def test_varied_looks_give_valid_films():
    rng = np.random.default_rng(0)
    for _ in range(5):
        pixels = draw(**GIRL, look=FilmLook().varied(rng)).radiograph.pixels
        assert np.isfinite(pixels).all()
        assert pixels.std() > 0.03


def test_scatter_of_maturity_moves_single_joints():
    even, uneven = draw(**GIRL), draw(**GIRL, maturity_scatter_months=12)
    assert [j.grade for j in even.joints] != [j.grade for j in uneven.joints]
    assert middle(even.joint("Radius").box) == pytest.approx(middle(uneven.joint("Radius").box))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"age_months": -1.0}, "-1"),
        ({"age_months": 229.0}, "229"),
        ({"age_months": float("nan")}, "nan"),
        ({"sex": Sex.UNKNOWN}, "unknown"),
        ({"side": Side.UNKNOWN}, "unknown"),
        ({"height": 10}, "10"),
        ({"height": 10_000}, "10000"),
        ({"width": 3}, "3"),
        ({"variation": -0.5}, "-0.5"),
        ({"pose": Pose(shift=(0.9, 0.0))}, "off the film"),
    ],
)
def test_wrong_values_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        draw(**{**GIRL, **wrong})


@pytest.mark.parametrize(
    "wrong", [{"scale": 0.0}, {"flexion": 2.0}, {"thumb_degrees": 90.0}, {"rotation_degrees": np.inf}]
)
def test_impossible_poses_are_refused(wrong):
    with pytest.raises(ValueError, match="pose"):
        Pose(**wrong)


def test_unknown_joint_name_lists_the_names():
    with pytest.raises(KeyError, match="Radius"):
        draw(**GIRL).joint("Elbow")
