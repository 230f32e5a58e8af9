"""Single joints of known grade, and the demo film."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from capitate.phantom import JOINTS, RUS_JOINTS, FilmLook, Pose, demo_film, draw, draw_joint, grade_count
from capitate.types import Sex, Side

PLAIN = {"sex": Sex.FEMALE, "variation": 0.0, "look": FilmLook.clean()}


@pytest.mark.parametrize("joint", RUS_JOINTS)
def test_every_grade_is_drawn_and_looks_unlike_its_neighbour(joint):
    pictures = [draw_joint(joint, grade=g, size=64, fraction=0.5, **PLAIN) for g in range(grade_count(joint) + 1)]
    for grade, (picture, following) in enumerate(pairwise(pictures)):
        assert picture.grade == grade == int(picture.maturity)
        assert picture.pixels.shape == (64, 64)
        assert np.abs(picture.pixels - following.pixels).max() > 0.03


def test_same_seed_same_picture():
    first, again = (draw_joint("Radius", grade=7, sex=Sex.MALE, size=80, seed=3) for _ in range(2))
    assert first.pixels.tobytes() == again.pixels.tobytes()


@pytest.mark.parametrize(("joint", "beyond"), [("PIPThird", "MIPThird"), ("MIPThird", "DIPThird")])
def test_the_dark_plate_vanishes_as_it_fuses(joint, beyond):
    def depth_of_plate(age):
        film = draw(age_months=age, sex=Sex.FEMALE, height=900, variation=0, look=FilmLook.clean())
        base, tip = np.array(film.joint(joint).centre), np.array(film.joint(beyond).centre)
        points = base + np.linspace(0, 0.5, 300)[:, None] * (tip - base)
        line = film.radiograph.pixels[points[:, 1].astype(int), points[:, 0].astype(int)]
        before, after = np.maximum.accumulate(line), np.maximum.accumulate(line[::-1])[::-1]
        return float((np.minimum(before, after) - line).max())

    open_plate, narrow, closed = depth_of_plate(110), depth_of_plate(150), depth_of_plate(200)
    assert open_plate > 0.08
    assert open_plate > narrow > closed
    assert closed < 0.3 * open_plate


def test_gap_and_width_follow_the_grade():
    for joint in ("Radius", "Ulna", "MCPThird", "DIPFifth"):
        drawn = [draw_joint(joint, grade=g, size=24, fraction=0.2, **PLAIN) for g in range(grade_count(joint) + 1)]
        gaps = [d.gap for d in drawn]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] == 0
        assert drawn[0].width_ratio == 0 < drawn[1].width_ratio < 0.5
        assert drawn[-1].fused == 1


def test_grade_zero_shows_no_epiphysis():
    picture = draw_joint("Ulna", grade=0, size=64, fraction=0.5, **PLAIN)
    assert (picture.width_ratio, picture.fused) == (0, 0)


def test_joints_of_all_fingers_sides_and_turns():
    for joint in JOINTS:
        picture = draw_joint(
            joint, grade=4, sex=Sex.MALE, size=48, seed=1, side=Side.RIGHT, pose=Pose(rotation_degrees=40)
        )
        assert np.quantile(picture.pixels, 0.95) > 0.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"joint": "Elbow"}, "Elbow"),
        ({"grade": 15}, "15"),
        ({"grade": -1}, "-1"),
        ({"size": 4}, "4"),
        ({"fraction": 1.0}, "1.0"),
    ],
)
def test_wrong_values_are_named(wrong, message):
    given = {"joint": "Radius", "grade": 3, "sex": Sex.FEMALE, **wrong}
    with pytest.raises(ValueError, match=message):
        draw_joint(given.pop("joint"), **given)


def test_demo_film_is_written_the_same_every_time(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    phantom = demo_film(first)
    demo_film(second)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        assert (picture.size, picture.mode) == ((1200, 1500), "L")
    assert (phantom.age_months, phantom.sex, phantom.side) == (126, Sex.FEMALE, Side.LEFT)
