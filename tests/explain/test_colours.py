import numpy as np
import pytest

from capitate.explain import ActivationMap
from capitate.explain.colours import DIVERGING, SEQUENTIAL, levels_of, scale_of, strongest
from capitate.explain.overlay import OPACITY

from .seen import SIMULATED, apart, lab

EYES = pytest.mark.parametrize("eye", SIMULATED)
GREYS = np.repeat(np.arange(0, 256, 5.0)[:, None], 3, axis=1)
ARMS = {"raised": slice(129, 256), "lowered": slice(127, 0, -1)}


def _over(films, level):
    """The colour of a level over greys (n, 3), as an overlay shows it."""
    row = DIVERGING.table()[level].astype(np.float64)
    share = OPACITY * row[3] / 255
    return share * row[:3] + (1 - share) * films


def test_the_simulation_and_the_colour_space_have_known_values():
    assert lab([255, 255, 255]) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab([255, 0, 0]) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for eye in SIMULATED:
        assert lab([128, 128, 128], eye=eye) == pytest.approx(lab([128, 128, 128]), abs=0.1), "greys stay grey"
    assert apart([60, 140, 60], [170, 110, 60], eye="deuteranopia") < 0.5 * apart([60, 140, 60], [170, 110, 60])


@EYES
def test_ends_and_equal_magnitudes_of_both_signs_stay_apart(eye):
    colours = DIVERGING.table()[:, :3]
    assert apart(colours[255], colours[1], eye=eye) > 80
    assert min(apart(colours[128 + step], colours[128 - step], eye=eye) for step in range(1, 128)) > 80


@EYES
@pytest.mark.parametrize(("step", "signs", "film"), [(127, 60, 20), (64, 35, 12), (32, 15, 6)])
def test_over_film_of_any_grey_signs_differ_from_each_other_and_from_the_film(eye, step, signs, film):
    raised, lowered = _over(GREYS, 128 + step), _over(GREYS, 128 - step)
    assert apart(raised, lowered, eye=eye).min() > signs
    assert min(apart(raised, GREYS, eye=eye).min(), apart(lowered, GREYS, eye=eye).min()) > film


@EYES
@pytest.mark.parametrize("arm", ARMS)
def test_lightness_goes_one_way_with_the_magnitude(eye, arm):
    rows = DIVERGING.table()[ARMS[arm]].astype(np.float64)
    pure = np.diff(lab(rows[:, :3], eye=eye)[:, 0])
    assert pure.min() > -0.05, "whole numbers of colours leave a step of a hundredth"
    share = OPACITY * rows[:, 3:] / 255
    assert np.diff(lab(share * rows[:, :3], eye=eye)[:, 0]).min() > 0, "over black"
    assert np.diff(lab(share * rows[:, :3] + (1 - share) * 255, eye=eye)[:, 0]).max() < 0.1, "over white"


def test_film_stays_as_it_is_where_the_map_is_small():
    tenth = 128 + round(0.1 * 127)
    assert np.abs(_over(GREYS, tenth) - GREYS).max() < 0.075 * 255
    assert np.array_equal(_over(GREYS, 128), GREYS)


def test_levels_have_known_values():
    given = np.array([[-3, -2, -1, 0, 0.5, 2, 9]], dtype=np.float32)
    assert levels_of(given, limit=2).tolist() == [[1, 1, 64, 128, 160, 255, 255]]
    assert (levels_of(given, limit=0) == 128).all()


def _map(values, quantity="abnormality", unit="logit"):
    return ActivationMap("m", quantity, unit, np.array(values, dtype=np.float32), 0.0, 1.0)


def test_the_scale_follows_the_signs():
    assert scale_of(_map([[0.0, 1.0]])) is SEQUENTIAL
    assert scale_of(_map([[-0.1, 1.0]])) is DIVERGING
    assert scale_of(_map([[0.0, 1.0]], "bone_age", "months")) is DIVERGING, "ages go up and down"
    assert SEQUENTIAL.table()[1:128, 3].max() == 0
    assert strongest(_map([[-3.0, 1.0]])) == 3
