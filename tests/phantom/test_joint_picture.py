"""Single joints of known grade: what is drawn is what is said, and the order of grades shows in the pixels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from capitate.errors import GradeError, UsageError
from capitate.phantom import JOINTS, RUS_JOINTS, FilmLook, JointVariation, demo_film, draw, draw_joint, grade_count
from capitate.types import Sex, Side


def plain(joint, grade, **more):
    return draw_joint(joint, grade, seed=None, **more)


@pytest.mark.parametrize("joint", RUS_JOINTS)
def test_every_grade_is_drawn_and_looks_unlike_its_neighbour(joint):
    pictures = [plain(joint, g) for g in range(grade_count(joint) + 1)]
    for grade, (picture, following) in enumerate(pairwise(pictures)):
        assert picture.grade == grade == int(picture.maturity)
        assert picture.pixels.shape == picture.epiphysis.shape == picture.shaft.shape == (128, 128)
        assert picture.pixels.dtype == np.float32
        assert 0 <= picture.pixels.min() < picture.pixels.max() <= 1
        assert np.abs(picture.pixels - following.pixels).max() > 0.03


def test_same_seed_same_picture():
    first, again, other = (draw_joint("Radius", 7, size=80, seed=s) for s in (3, 3, 4))
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert (first.epiphysis == again.epiphysis).all()
    assert first.pixels.tobytes() != other.pixels.tobytes()
    generators = [np.random.default_rng(3) for _ in range(2)]
    drawn = [draw_joint("Radius", 7, size=80, seed=g).pixels.tobytes() for g in generators]
    assert drawn[0] == drawn[1] == first.pixels.tobytes()


def test_plain_drawings_need_no_seed_and_are_all_the_same():
    assert plain("MIPThird", 6).pixels.tobytes() == plain("MIPThird", 6).pixels.tobytes()


def test_gap_and_width_follow_the_grade():
    for joint in ("Radius", "Ulna", "MCPThird", "DIPFifth"):
        drawn = [plain(joint, g, size=24, fraction=0.2) for g in range(grade_count(joint) + 1)]
        gaps = [d.gap for d in drawn[1:]]
        assert drawn[0].gap is None
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] == 0
        assert drawn[0].width_ratio == 0 < drawn[1].width_ratio < 0.5
        assert drawn[-1].fused == 1


@pytest.mark.parametrize("joint", RUS_JOINTS)
def test_grade_zero_shows_no_epiphysis(joint):
    picture = plain(joint, 0)
    assert (picture.width_ratio, picture.fused) == (0, 0)
    assert not picture.epiphysis.any()
    assert picture.shaft.any()


def test_small_pictures_keep_the_growth_plate():
    large, small = plain("Radius", 8, size=128), plain("Radius", 8, size=32)
    reduced = np.asarray(Image.fromarray(large.pixels).resize((32, 32), Image.Resampling.BOX))
    assert np.corrcoef(reduced.ravel(), small.pixels.ravel())[0, 1] > 0.99


def test_joints_of_all_fingers_with_the_widest_variation():
    for seed, joint in enumerate(JOINTS):
        picture = draw_joint(joint, 4, size=48, seed=seed, sex=Sex.MALE)
        assert np.isfinite(picture.pixels).all()
        assert np.ptp(picture.pixels) > 0.02


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"joint": "Elbow"}, GradeError, "Elbow"),
        ({"grade": 15}, GradeError, "0 to 14, got 15"),
        ({"grade": -1}, GradeError, "-1"),
        ({"size": 4}, UsageError, "4"),
        ({"fraction": 1.0}, UsageError, "1.0"),
        ({"seed": None, "variation": JointVariation()}, UsageError, "needs a seed"),
    ],
)
def test_wrong_values_are_named(wrong, error, message):
    given = {"joint": "Radius", "grade": 3, **wrong}
    with pytest.raises(error, match=message):
        draw_joint(given.pop("joint"), given.pop("grade"), **given)


@pytest.mark.parametrize(("name", "value"), [("width", -0.1), ("mirror", 1.5), ("blur", float("nan"))])
def test_a_variation_that_cannot_be_is_named(name, value):
    with pytest.raises(UsageError, match=f"{name} must be 0 or more.*{value}"):
        JointVariation(**{name: value})


@pytest.mark.parametrize(("joint", "beyond"), [("PIPThird", "MIPThird"), ("MIPThird", "DIPThird")])
def test_the_dark_plate_vanishes_as_it_fuses_on_a_whole_hand(joint, beyond):
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


def test_demo_film_is_written_the_same_every_time(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    phantom = demo_film(first)
    demo_film(second)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        assert (picture.size, picture.mode) == ((1200, 1500), "L")
    assert (phantom.age_months, phantom.sex, phantom.side) == (126, Sex.FEMALE, Side.LEFT)
