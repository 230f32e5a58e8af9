"""From film to view: closed forms of squash, frames, affine maps and contrast."""

from __future__ import annotations

import math

import numpy as np
import pytest

from capitate.runtime.views import (
    LOCATOR_SIZE,
    SQUASH_SIZE,
    HandFrame,
    ViewRule,
    frame_from_outputs,
    locator_input,
    normalised,
    squash,
)

WHOLE = HandFrame((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
TURNED = HandFrame((0.1, -0.05), (0.35, 0.12), (-0.15, 0.5))
POINTS = [(0.0, 0.0), (-1.0, -1.0), (1.0, -1.0), (0.3, 0.8)]


def at(frame: HandFrame, u: float, v: float) -> np.ndarray:
    """The point u half widths right and v half heights down of a frame's centre."""
    return np.array(frame.centre) + u * np.array(frame.right) + v * np.array(frame.down)


def ramp(height: int, width: int) -> np.ndarray:
    """A film whose pixels hold their own relative position from left to right."""
    return np.tile((np.arange(width, dtype=np.float32) + 0.5) / width, (height, 1))


@pytest.mark.parametrize(("height", "width"), [(598, 598), (400, 1196), (1640, 897)])
def test_squash_keeps_relative_positions(height, width):
    inner = slice(3, -3)
    expected = (np.arange(SQUASH_SIZE) + 0.5) / SQUASH_SIZE
    across, down = squash(ramp(height, width)), squash(ramp(width, height).T)
    assert across.shape == down.shape == (SQUASH_SIZE, SQUASH_SIZE)
    assert across.dtype == np.float32
    assert across[:, inner] == pytest.approx(np.tile(expected, (SQUASH_SIZE, 1))[:, inner], abs=3e-4)
    assert down[inner] == pytest.approx(np.tile(expected[:, None], SQUASH_SIZE)[inner], abs=3e-4)


def test_squash_averages_what_it_shrinks():
    board = np.indices((1196, 1196)).sum(0) % 2
    assert squash(board.astype(np.float32)) == pytest.approx(0.5, abs=0.01)


def test_squash_leaves_a_squashed_film_alone():
    film = np.random.default_rng(0).random((SQUASH_SIZE, SQUASH_SIZE), dtype=np.float32)
    assert squash(film) is film


def test_the_locator_sees_percentiles_stretched():
    seen = locator_input(0.2 + 0.1 * ramp(SQUASH_SIZE, SQUASH_SIZE))
    assert seen.shape == (1, 1, LOCATOR_SIZE, LOCATOR_SIZE)
    assert (seen.min(), seen.max()) == pytest.approx((-1, 1), abs=0.01)
    assert float(seen[0, 0, :, 55:57].mean()) == pytest.approx(0, abs=0.01)
    assert (normalised(np.full((LOCATOR_SIZE, LOCATOR_SIZE), 0.3, dtype=np.float32)) == -1).all()


def test_a_mirrored_frame_covers_the_mirrored_points():
    for u, v in POINTS:
        assert at(TURNED.mirrored, -u, v) == pytest.approx(at(TURNED, u, v) * [-1, 1])
    assert TURNED.mirrored.mirrored == TURNED
    assert TURNED.mirrored.rotation_degrees == pytest.approx(-TURNED.rotation_degrees)


def test_a_composed_frame_is_the_inner_one_seen_through_the_close_up():
    inner = HandFrame((0.2, -0.1), (0.6, 0.05), (-0.04, 0.7))
    for u, v in POINTS:
        across, along = at(inner, u, v)
        expected = at(TURNED, 1.5 * across, 1.5 * along)
        assert at(TURNED.compose(inner, margins=(0.25,) * 4), u, v) == pytest.approx(expected)
        uneven = at(TURNED, 1.6 * across + 0.2, 1.4 * along - 0.1)
        assert at(TURNED.compose(inner, margins=(0.2, 0.25, 0.4, 0.15)), u, v) == pytest.approx(uneven)
    same = TURNED.compose(HandFrame((0.0, 0.0), (1 / 1.5, 0.0), (0.0, 1 / 1.5)), margins=(0.25,) * 4)
    for u, v in POINTS:
        assert at(same, u, v) == pytest.approx(at(TURNED, u, v))


def test_the_mean_of_frames():
    other = HandFrame((0.3, 0.15), (0.25, -0.12), (0.15, 0.3))
    assert HandFrame.mean(TURNED, other).centre == pytest.approx((0.2, 0.05))
    assert HandFrame.mean(TURNED, other).right == pytest.approx((0.3, 0.0))
    assert HandFrame.mean(TURNED, other).down == pytest.approx((0.0, 0.4))
    assert HandFrame.mean(TURNED) == TURNED


@pytest.mark.parametrize(
    ("fingers", "right", "down", "rotation"),
    [((0, -2), (0.5, 0), (0, 0.7), 0), ((3, 0), (0, 0.5), (-0.7, 0), 90), ((0, 1), (-0.5, 0), (0, -0.7), 180)],
)
def test_frame_from_outputs(fingers, right, down, rotation):
    frame = frame_from_outputs(np.array([0.1, 0.2, 0.0, math.log(1.4), *fingers, 9.9], dtype=np.float32))
    assert frame.centre == pytest.approx((0.1, 0.2))
    assert frame.right == pytest.approx(right, abs=1e-6)
    assert frame.down == pytest.approx(down, abs=1e-6)
    assert abs(frame.rotation_degrees) == pytest.approx(rotation)


def test_a_gradient_is_stretched_from_the_lowest_to_the_centres_highest_value():
    """Column j of 80 holds j steps; the centre ends with column 59, of 100 rows with row 94."""
    rule = ViewRule(100, 80, (0, 0, 0, 0), (0, 100))
    frame = HandFrame((0.1, -0.2), (0.4, 0.0), (0.0, 0.5))
    film = ramp(SQUASH_SIZE, SQUASH_SIZE)
    across = np.clip(np.rint(np.arange(80) / 59 * 255), 0, 255)
    assert np.abs(rule.view(film, frame).astype(int) - across).max() <= 1
    down = np.clip(np.rint(np.arange(100) / 94 * 255), 0, 255)
    assert np.abs(rule.view(np.ascontiguousarray(film.T), frame).astype(int) - down[:, None]).max() <= 1


@pytest.mark.parametrize("frame", [WHOLE, TURNED, TURNED.mirrored, HandFrame((0, 0), (0, 0.5), (-0.6, 0))])
@pytest.mark.parametrize(("u", "v"), [(0.0, 0.0), (-0.8, -0.7), (0.6, 0.9)])
def test_a_spot_lands_where_the_frame_and_its_margins_say(frame, u, v):
    rule = ViewRule()
    x, y = (at(frame, u, v) + 1) * SQUASH_SIZE / 2
    rows, columns = np.indices((SQUASH_SIZE, SQUASH_SIZE)) + 0.5
    view = rule.view(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18).astype(np.float32), frame)
    weights = np.where(view > 60, view, 0).astype(float)
    found = [(weights * (grid + 0.5)).sum() / weights.sum() for grid in np.indices(view.shape)]
    left, top, right, bottom = rule.margins
    expected = (
        ((v + 1) / 2 + top) / (1 + top + bottom) * rule.height,
        ((u + 1) / 2 + left) / (1 + left + right) * rule.width,
    )
    assert found == pytest.approx(expected, abs=0.3)


def test_what_lies_outside_the_film_is_black_and_does_not_count():
    rule = ViewRule(100, 80, (0, 0, 0, 0), (0, 100))
    film = 0.5 + 0.5 * ramp(SQUASH_SIZE, SQUASH_SIZE)
    view = rule.view(film, HandFrame((-1.0, 0.0), (0.5, 0.0), (0.0, 0.5)))
    assert (view[:, :40] == 0).all()
    inside = np.clip(np.rint(np.arange(40) / 19 * 255), 0, 255)
    assert np.abs(view[:, 40:].astype(int) - inside).max() <= 1


def test_no_film_at_all_is_black():
    assert not ViewRule().view(ramp(SQUASH_SIZE, SQUASH_SIZE), HandFrame((9, 9), (0.1, 0), (0, 0.1))).any()


def stripes(rows, columns, *, period):
    """Light and dark lines down a film, `period` pixels apart, on one whose brightness falls from top to bottom."""
    lines = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(columns) / period)
    return np.repeat(lines[None].astype(np.float32), rows, axis=0)


def test_a_view_shows_what_its_source_holds():
    """Lines of six pixels on a film 1500 wide: three to a pixel of the usual square, wide apart on a larger one."""
    film = stripes(1500, 1500, period=6)
    coarse, fine = (ViewRule(512, 512, (0, 0, 0, 0), source=source) for source in (SQUASH_SIZE, 1500))
    third = HandFrame((0.0, 0.0), (0.3, 0.0), (0.0, 0.3))
    blurred = film.mean() - fine.picture(film)[700].min(), film.mean() - coarse.picture(film)[150].min()
    assert blurred[0] > 0.3
    assert blurred[1] < 0.05
    lines = np.abs(np.fft.rfft(fine.view(fine.picture(film), third)[256].astype(float)))[1:].argmax() + 1
    assert lines == 75, "0.3 of 1500 pixels in lines of 6"


def test_the_square_that_is_there_is_not_made_again():
    film = ramp(400, 300)
    square = squash(film)
    assert ViewRule().picture(film, square=square) is square
    assert ViewRule(source=500).picture(film, square=square).shape == (500, 500)
    whole = ViewRule(source=200, proportions=True)
    assert whole.picture(film, square=square).shape == (200, 150)
    assert ViewRule(source=900, proportions=True).picture(film).shape == (400, 300), "never enlarged"


@pytest.mark.parametrize("degrees", [0, 25, 140])
def test_proportions_are_kept_on_a_film_that_is_not_square(degrees):
    """A disc stays a disc, as large as the hand's length says; cut from the squashed film it becomes an ellipse."""
    rows, columns, radius = 900, 600, 60
    y, x = np.indices((rows, columns)) + 0.5
    edge = np.clip((np.hypot(x - columns / 2, y - rows / 2) - radius) / 2, -30, 30)
    film = (0.1 + 0.8 / (1 + np.exp(edge))).astype(np.float32)
    angle = np.radians(degrees)
    down = np.array([-np.sin(angle), np.cos(angle)]) * 200  # pixels of the film
    frame = HandFrame((0.0, 0.0), (0.37, 0.0), (down[0] / (columns / 2), down[1] / (rows / 2)))
    rule = ViewRule(200, 160, (0.13, 0.17, 0.13, 0.17), (0, 100), source=2000, proportions=True)
    seen = rule.view(rule.picture(film), frame) > 127
    spread = [float(grid[seen].std()) for grid in np.indices(seen.shape)]
    assert spread[0] == pytest.approx(spread[1], rel=0.02)
    assert spread[0] == pytest.approx(radius / 2 * 200 / (400 * 1.34), rel=0.02)
    squashed = ViewRule(200, 160, (0.13, 0.17, 0.13, 0.17), (0, 100))
    flat = squashed.view(squashed.picture(film), HandFrame((0.0, 0.0), (0.37, 0.0), (0.0, 0.44))) > 127
    wide, tall = (float(np.indices(flat.shape)[axis][flat].std()) for axis in (1, 0))
    assert abs(wide / tall - 1) > 0.2


def test_rules_are_read_from_cards():
    rule = ViewRule(512, 416, source=1024, proportions=True, contrast_of_centre=True)
    assert ViewRule.read(rule.to_card() | {"whole_film": False}) == rule
    older = {"height": 160, "width": 128, "margins": [0.13, 0.17, 0.13, 0.25], "percentiles": [1, 99.5]}
    assert ViewRule.read(older) == ViewRule()
    with pytest.raises(KeyError):
        ViewRule.read({"height": 160})
