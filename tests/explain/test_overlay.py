import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.colours import DIVERGING, EDGE, SEQUENTIAL
from capitate.explain.overlay import OPACITY, colour_bar, laid_over, map_levels
from capitate.types import Box


def _map(values, box=None):
    return ActivationMap("m", "bone_age", "months", np.array(values, dtype=np.float32), 0.0, 1.0, box)


HALVES = _map([[3.0, 0.0, 0.0, -3.0]])
FILM = np.tile(np.arange(200, dtype=np.uint8), (120, 1))


def test_an_overlay_has_the_film_s_size_and_the_scale_s_colours():
    picture = np.asarray(laid_over(FILM, HALVES))
    assert picture.shape == (120, 200, 3)
    for column, end in ((10, DIVERGING.up[-1]), (190, DIVERGING.down[-1])):
        expected = OPACITY * np.array(end) + (1 - OPACITY) * FILM[60, column]
        assert np.abs(picture[60, column] - expected).max() <= 2


def test_the_film_is_untouched_where_the_map_is_zero_and_at_no_opacity():
    picture = np.asarray(laid_over(FILM, _map([[3.0, *[0.0] * 8, -3.0]])))
    assert np.array_equal(picture[:, 60:140, 0], FILM[:, 60:140])
    assert np.array_equal(np.asarray(laid_over(FILM, HALVES, opacity=0))[..., 1], FILM)
    assert np.array_equal(np.asarray(laid_over(FILM, _map(np.zeros((2, 2)))))[..., 2], FILM)


def test_a_map_of_a_box_lies_on_the_box_even_past_the_film():
    picture = np.asarray(laid_over(FILM, _map([[2.0]], Box(180.4, -10.2, 40.0, 30.0))))
    changed = (picture != FILM[..., None]).any(axis=2)
    assert changed[:20, 180:].all()
    assert not changed[20:].any()
    assert not changed[:, :180].any()


def test_levels_are_the_magnitude_and_their_opacity_is_in_proportion():
    levels = map_levels(_map([[4.0, 1.0, -1.0]]), height=3, width=60)[1, [10, 30, 50]]
    assert levels.tolist() == pytest.approx([255, 160, 96], abs=4), "between the middles of the cells"
    assert DIVERGING.table()[[255, 160, 96], 3].tolist() == pytest.approx([255, 64, 64], abs=1)


def test_lines_tell_the_sign_without_colour():
    levels = map_levels(HALVES, height=120, width=200)
    raised, lowered = levels[:, 45:51] == 255, levels[:, 149:155] == 1
    assert raised.any(axis=1).all(), "drawn through where the answer is raised"
    assert lowered.any(axis=1).mean() == pytest.approx(0.5, abs=0.15), "dashed where it is lowered"
    assert (levels[:, 48:54] == EDGE).any(axis=1).all(), "with a dark edge"
    assert (levels[:, 55:145] != EDGE).all(), "at half of the strongest value and nowhere else"


def test_a_dashed_line_has_gaps_on_every_side_of_an_area():
    rows, columns = np.mgrid[:25, :25] - 12
    levels = map_levels(_map(-np.exp(-np.hypot(rows, columns) / 6)), height=600, width=600)
    drawn = (levels == 1) & (np.hypot(*(np.mgrid[:600, :600] - 300)) > 40)
    down, right = np.nonzero(drawn)
    sides = np.histogram(np.arctan2(down - 300, right - 300), bins=180, range=(-np.pi, np.pi))[0] > 0
    assert 0.4 < sides.mean() < 0.75
    assert all(0 < sides[start : start + 45].sum() < 45 for start in range(0, 180, 45))


def test_a_bar_runs_over_the_whole_scale():
    assert colour_bar(DIVERGING, width=255, height=2)[1].tolist() == list(range(1, 256))
    assert colour_bar(SEQUENTIAL, width=128, height=1)[0].tolist() == list(range(128, 256))


@pytest.mark.parametrize("opacity", [-0.1, 1.5])
def test_an_opacity_that_is_none_is_told(opacity):
    with pytest.raises(UsageError, match=f"0 to 1, got {opacity:g}"):
        laid_over(FILM, HALVES, opacity=opacity)
