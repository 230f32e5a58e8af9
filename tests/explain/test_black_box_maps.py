"""Occlusion and LIME of models whose answers are known, and the superpixels of a drawn film."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.explain.black_box import LONG_SIDE, Meaning, answers, shrunk, softened
from capitate.explain.lime import lime_map, surrogate
from capitate.explain.occlusion import occlusion_map
from capitate.explain.superpixels import superpixels

MEANING = Meaning("drawn", "bone_age")


def film_with_squares(rows: int = 96, columns: int = 64) -> np.ndarray:
    """Bright squares in the upper left and the lower right quarter of a grey film."""
    film = np.full((rows, columns), 0.3, dtype=np.float32)
    film[12:20, 12:20] = 1
    film[76:84, 44:52] = 1
    return film


def corner_reader(films: np.ndarray) -> np.ndarray:
    """A model that reads the upper left quarter alone, and brightness there raises its answer."""
    part = films[:, : films.shape[1] // 2, : films.shape[2] // 2]
    return 100 * np.square(part.astype(np.float64) - 0.3).mean(axis=(1, 2))


@pytest.mark.parametrize("cells", [8, 12])
def test_occlusion_shows_the_corner_that_is_read(cells):
    found = occlusion_map(film_with_squares(), corner_reader, meaning=MEANING, cells=cells)
    x, y = found.peak()
    assert x == pytest.approx(16 / 64, abs=1 / cells)
    assert y == pytest.approx(16 / 96, abs=1 / cells)
    rows, columns = found.values.shape
    assert (rows, columns) == (cells, round(cells * 64 / 96))
    assert np.abs(found.values[rows // 2 + 1 :]).max() == 0, "the square that is not read has no value"
    assert found.answer == pytest.approx(float(corner_reader(film_with_squares()[None])[0]))
    assert found.gap == pytest.approx(0, abs=1e-4)


def test_occlusion_tells_what_lowers_the_answer():
    found = occlusion_map(film_with_squares(), lambda films: -corner_reader(films), meaning=MEANING, cells=8)
    assert found.values.min() < 0
    assert found.values.max() <= 0.02 * -found.values.min()


@pytest.mark.parametrize("cells", [3, 129])
def test_occlusion_says_how_many_cells_there_may_be(cells):
    with pytest.raises(UsageError, match=f"4 to 128 cells .* got {cells}"):
        occlusion_map(film_with_squares(), corner_reader, meaning=MEANING, cells=cells)


def test_large_films_are_shrunk_and_small_ones_are_not():
    assert shrunk(np.zeros((LONG_SIDE * 2, LONG_SIDE), dtype=np.float32)).shape == (LONG_SIDE, LONG_SIDE // 2)
    small = film_with_squares()
    assert shrunk(small) is small


def test_what_is_hidden_keeps_its_grey():
    film = film_with_squares()
    assert softened(film, width=8).mean() == pytest.approx(film.mean(), rel=0.02)
    assert softened(film, width=8).max() < 0.5


def test_films_are_asked_for_a_few_at_once():
    asked = []

    def ask(films):
        asked.append(len(films))
        return films.mean(axis=(1, 2)).astype(np.float64)

    found = answers((np.full((2, 2), k, dtype=np.float32) for k in range(40)), ask)
    np.testing.assert_array_equal(found, np.arange(40))
    assert max(asked) < 40
    assert sum(asked) == 40


def test_superpixels_do_not_cross_a_strong_edge():
    film = np.zeros((40, 60), dtype=np.float32)
    film[:, 27:] = 1
    patches = superpixels(film, count=24)
    assert set(np.unique(patches)) == set(range(patches.max() + 1))
    assert 16 <= patches.max() + 1 <= 32
    assert not set(patches[:, :27].ravel()) & set(patches[:, 27:].ravel())


def test_superpixels_of_an_even_film_are_the_grid():
    patches = superpixels(np.zeros((30, 30), dtype=np.float32), count=9)
    assert sorted(np.bincount(patches.ravel())) == [100] * 9


@pytest.mark.parametrize("count", [1, 226])
def test_superpixels_refuse_other_counts(count):
    with pytest.raises(UsageError, match=f"2 to 225 superpixels, got {count}"):
        superpixels(np.zeros((30, 30), dtype=np.float32), count=count)


def test_the_surrogate_of_a_linear_model_is_that_model():
    weights = np.array([3.0, -2.0, 0.0, 1.0])
    shown = np.random.default_rng(0).random((4000, 4)) < 0.5
    shown[0] = True
    np.testing.assert_allclose(surrogate(shown, 5 + shown @ weights), weights, atol=0.02)


def test_lime_finds_the_square_that_is_read():
    found = lime_map(film_with_squares(), corner_reader, meaning=MEANING, seed=0, count=24, samples=200)
    x, y = found.peak()
    assert 10 / 64 <= x <= 22 / 64
    assert 10 / 96 <= y <= 22 / 96
    other = np.abs(found.values[60:]).max()
    assert other < 0.1 * found.values.max()
    assert found.gap == pytest.approx(0, abs=1e-4)
    again = lime_map(film_with_squares(), corner_reader, meaning=MEANING, seed=0, count=24, samples=200)
    np.testing.assert_array_equal(found.values, again.values)


def test_lime_needs_more_samples_than_superpixels():
    with pytest.raises(UsageError, match=r"superpixels need more than .* samples, got 10"):
        lime_map(film_with_squares(), corner_reader, meaning=MEANING, seed=0, count=24, samples=10)
