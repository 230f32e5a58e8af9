"""Measures of joints and carpal bones on drawn hands and drawn rectangles, whose sizes are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from capitate.errors import NoHandError
from capitate.hand import Detection, Joint, bone_class_of, name_joints
from capitate.hand.measures import (
    CarpalMeasures,
    EpiphysisMeasures,
    OutlinePicture,
    bone_axis,
    carpal_box,
    hand_length,
    measure_carpals,
    measure_joint,
    outline_windows,
    without_early_unions,
)
from capitate.phantom import Pose, draw
from capitate.types import Box, Sex, Side

FINGERS = [joint for joint in Joint if joint.value[:3] in ("PIP", "MIP", "DIP")]


@cache
def drawn(months: float, *, side: Side = Side.LEFT, degrees: float = 0.0, height: int = 900):
    pose = Pose(rotation_degrees=degrees)
    film = draw(age_months=months, sex=Sex.FEMALE, side=side, pose=pose, height=height, seed=1)
    boxes = [Detection(bone_class_of(Joint(one.name)), one.box) for one in film.joints]
    return film, name_joints(boxes, film=film.radiograph.pixels.shape)


@cache
def measured(months: float, **how):
    film, hand = drawn(months, **how)
    outlined = OutlinePicture.of_mask(film.outlines == 2)
    pixels = film.radiograph.pixels
    return {joint: measure_joint(pixels, outlined, joint=joint, hand=hand) for joint in Joint}


@pytest.mark.parametrize("months", [30, 84, 132])
def test_widths_follow_the_drawn_ones(months):
    film, _ = drawn(months)
    ratios = [
        (one.width_ratio, film.joint(joint.value).width_ratio)
        for joint, one in measured(months).items()
        if one.width_ratio is not None
    ]
    assert len(ratios) >= 17
    found, true = np.array(ratios).T
    assert np.median(found / true) == pytest.approx(1.1, abs=0.06)
    assert ((found / true > 0.9) & (found / true < 1.4)).all()


def test_widths_and_plates_tell_a_small_child_from_a_large_one():
    for joint in FINGERS:
        young, old = measured(30)[joint], measured(132)[joint]
        if young.present and young.width_ratio and old.width_ratio:
            assert young.width_ratio < 0.6 * old.width_ratio
            assert young.gap > 1.4 * old.gap


@pytest.mark.parametrize("months", [30, 84, 132])
def test_open_plates_are_open_and_as_wide_as_drawn(months):
    film, _ = drawn(months)
    gaps = [
        (one.gap, film.joint(joint.value).gap) for joint, one in measured(months).items() if one.gap_depth is not None
    ]
    assert len(gaps) >= 16
    assert not any(one.fused for one in measured(months).values())
    found, true = np.array([pair for pair in gaps if pair[0] is not None]).T
    assert np.median(found - true) == pytest.approx(0.03, abs=0.03)
    assert np.abs(found - true).max() < 0.14


def test_united_joints_are_told_without_an_outline():
    film, _ = drawn(210)
    assert min(one.fused for one in film.joints) == 1
    got = measured(210)
    fused = [joint for joint, one in got.items() if one.fused]
    assert len(fused) >= 17
    assert all(got[joint].present and got[joint].gap == 0 for joint in fused)
    assert all(one.fused is None for joint, one in got.items() if joint not in fused)


def test_an_epiphysis_that_has_not_appeared_is_absent():
    film, _ = drawn(30)
    assert film.joint("Ulna").grade == 0
    got = measured(30)[Joint.ULNA]
    assert got.present is False
    assert got.fused is False
    assert got.outline == ()


def test_outlines_lie_on_the_epiphysis():
    film, _ = drawn(84)
    for joint in (Joint.RADIUS, Joint.MIP_THIRD, Joint.DIP_FIFTH):
        got = measured(84)[joint]
        (polygon,) = got.outline
        assert 5 <= len(polygon) <= 60
        middle = np.mean(polygon, axis=0).astype(int)
        assert film.outlines[middle[1], middle[0]] == 2
        left, right = np.array(got.metaphysis)
        box = film.joint(joint.value).box
        assert 0.15 * box.width < np.hypot(*(right - left)) < box.width


@pytest.mark.parametrize("how", [{"side": Side.RIGHT}, {"degrees": -150.0}])
def test_side_and_turn_of_the_hand_change_little(how):
    upright, moved = measured(84), measured(84, **how)
    both = [(upright[j].width_ratio, moved[j].width_ratio) for j in Joint]
    pairs = np.array([pair for pair in both if None not in pair])
    assert len(pairs) >= 17
    assert np.median(np.abs(pairs[:, 1] / pairs[:, 0] - 1)) < 0.05


def test_films_too_coarse_for_a_plate_say_nothing_of_it():
    got = measured(132, height=240)
    assert all(one.fused is None and one.gap is None for one in got.values() if one.present)
    assert sum(one.width_ratio is not None for one in got.values()) >= 12


def test_an_outline_at_another_joint_is_not_taken():
    film, hand = drawn(84)
    mask = np.zeros(film.outlines.shape, dtype=bool)
    x, y = np.rint(bone_axis(Joint.MIP_THIRD, hand=hand).centre).astype(int)
    mask[y - 5 : y + 5, x - 12 : x + 12] = True
    outlined = OutlinePicture.of_mask(mask)
    assert measure_joint(film.radiograph.pixels, outlined, joint=Joint.MIP_THIRD, hand=hand).outline
    assert not measure_joint(film.radiograph.pixels, outlined, joint=Joint.MIP_FIFTH, hand=hand).outline


def test_a_film_without_contrast_gives_no_widths():
    film, hand = drawn(84)
    flat = np.full_like(film.radiograph.pixels, 0.4)
    outlined = OutlinePicture.of_mask(film.outlines == 2)
    for joint in (Joint.RADIUS, Joint.PIP_THIRD):
        got = measure_joint(flat, outlined, joint=joint, hand=hand)
        assert (got.present, got.width_ratio, got.gap, got.metaphysis) == (True, None, None, None)


def test_a_picture_of_a_joint_gives_what_the_whole_film_gives():
    film, hand = drawn(84)
    box = film.joint("PIPThird").box
    left, top, side = int(box.x - box.width / 2), int(box.y - box.height / 2), int(2 * box.width)
    part = np.kron(film.outlines[top : top + side, left : left + side] == 2, np.ones((2, 2))).astype(np.float32)
    placed = OutlinePicture.placed(part, scale=(2.0, 2.0), origin=(-2.0 * left, -2.0 * top))
    got = measure_joint(film.radiograph.pixels, placed, joint=Joint.PIP_THIRD, hand=hand)
    assert got.width_ratio == pytest.approx(measured(84)[Joint.PIP_THIRD].width_ratio, rel=0.03)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_carpal_bones_are_counted_and_two_are_named(side):
    film, hand = drawn(30, side=side)
    got = measure_carpals(film.radiograph.pixels, OutlinePicture.of_mask(film.outlines == 2), hand=hand)
    shown = {one.name: one for one in film.carpals if one.visible and one.name != "sesamoid"}
    assert got.count == len(shown) == 3
    area = sum(np.pi * one.radius**2 for one in shown.values()) / hand_length(hand) ** 2
    assert got.area_of_hand == pytest.approx(area, rel=0.1)
    named = {bone.name: bone.centre for bone in got.bones if bone.name}
    assert set(named) == {"capitate", "hamate"}
    for name, centre in named.items():
        assert np.hypot(*np.subtract(centre, shown[name].centre)) < shown[name].radius


def test_carpal_bones_of_a_film_without_any():
    film, hand = drawn(84)
    nothing = OutlinePicture.of_mask(np.zeros(film.outlines.shape, dtype=bool))
    got = measure_carpals(film.radiograph.pixels, nothing, hand=hand)
    assert (got.count, got.area_of_hand, got.bones) == (0, 0.0, ())


def test_the_carpal_box_holds_the_carpal_bones():
    film, hand = drawn(132, degrees=-150.0)
    box = carpal_box(hand)
    for one in film.carpals:
        if one.name != "sesamoid":
            assert box.x < one.centre[0] < box.x + box.width
            assert box.y < one.centre[1] < box.y + box.height


def test_windows_hold_the_epiphyses_and_nothing_beyond_them_is_believed():
    film, hand = drawn(84)
    windows = outline_windows(hand)
    assert sorted(joint for window in windows for joint in window.joints) == sorted(Joint)
    assert (len(windows), sum(window.carpus for window in windows)) == (18, 1)
    for window in windows:
        for joint in window.joints:
            (polygon, *_) = measured(84)[joint].outline
            x, y = np.mean(polygon, axis=0)
            assert window.box.x < x < window.box.x + window.box.width
            assert window.box.y < y < window.box.y + window.box.height
    box = next(window for window in windows if window.joints == (Joint.DIP_THIRD,)).box
    whole = np.ones(film.outlines.shape, dtype=np.float32)
    window = next(window for window in windows if window.joints == (Joint.DIP_THIRD,))
    kept = window.picture(whole, scale=(1.0, 1.0), origin=(0.0, 0.0)).bone
    assert kept.sum() == pytest.approx((1.15 * box.width) ** 2, rel=0.1)


def test_bones_that_touch_are_parted_along_the_dark_line():
    film, hand = drawn(84)
    pixels = np.full(film.outlines.shape, 0.3, dtype=np.float32)
    mask = np.zeros(film.outlines.shape, dtype=bool)
    box = carpal_box(hand)
    x, y = round(box.x + 0.45 * box.width), round(box.y + 0.55 * box.height)
    size = round(0.045 * hand_length(hand))
    for shift in (-size, size):
        mask[y - size : y + size, x + shift - size : x + shift + size] = True
    pixels[mask] = 0.7
    pixels[y - size : y + size, x - 2 : x + 3] = 0.45
    both = measure_carpals(pixels, OutlinePicture.of_mask(mask), hand=hand)
    assert both.count == 2
    pixels[mask] = 0.7
    assert measure_carpals(pixels, OutlinePicture.of_mask(mask), hand=hand).count == 1


def test_boxes_that_are_no_hand():
    nothing = name_joints([Detection("MCP", Box(10 * k, 10, 8, 8)) for k in range(9)])
    pixels = np.zeros((200, 200), dtype=np.float32)
    outlined = OutlinePicture.of_mask(np.zeros((200, 200), dtype=bool))
    for call in (
        lambda: measure_joint(pixels, outlined, joint=Joint.RADIUS, hand=nothing),
        lambda: measure_carpals(pixels, outlined, hand=nothing),
        lambda: carpal_box(nothing),
    ):
        with pytest.raises(NoHandError, match="measuring needs a named hand"):
            call()


def test_axes_point_from_the_epiphysis_to_the_shaft():
    film, hand = drawn(84)
    smooth = ndimage.gaussian_filter(film.radiograph.pixels, 3)
    for joint in Joint:
        axis = bone_axis(joint, hand=hand)
        assert np.hypot(*axis.along) == pytest.approx(1)
        (x, y), *beside = axis.to_film(np.array([[0.0, 0.4], [-0.5, 0.4], [0.5, 0.4]])).astype(int)
        assert smooth[y, x] > min(smooth[b, a] for a, b in beside)
        assert axis.from_film(axis.to_film(np.array([0.2, -0.4]))) == pytest.approx(np.array([0.2, -0.4]))


@pytest.mark.parametrize(("area", "believed"), [(0.019, False), (0.021, True)])
def test_no_plate_closes_while_the_carpal_bones_are_small(area, believed):
    line = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    told = {
        Joint.ULNA: EpiphysisMeasures(present=True, gap=0.0, gap_depth=0.1, fused=True),
        Joint.RADIUS: EpiphysisMeasures(present=True, width_ratio=1.0, gap=0.0, fused=True, outline=(line,)),
        Joint.MIP_THIRD: EpiphysisMeasures(present=True, gap=0.1, gap_depth=0.3, fused=False),
    }
    found = without_early_unions(told, CarpalMeasures((), area))
    if believed:
        assert found == told
        return
    assert found[Joint.ULNA] == EpiphysisMeasures(present=None)
    assert found[Joint.RADIUS] == EpiphysisMeasures(present=True, width_ratio=1.0, outline=(line,))
    assert found[Joint.MIP_THIRD] == told[Joint.MIP_THIRD]


def test_without_a_carpus_nothing_is_taken_back():
    told = {Joint.ULNA: EpiphysisMeasures(present=True, fused=True)}
    assert without_early_unions(told, None) == told
