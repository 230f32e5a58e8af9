"""What the locator is asked to answer, against known geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.runtime.views import frame_from_outputs, locator_input  # noqa: E402
from capitate.training.joints_labels import BOX_RIM, HandLabel  # noqa: E402
from capitate.training.locator_data import (  # noqa: E402
    Hands,
    draw_films,
    frame_target,
    locator_batch,
    resample,
    stretch,
    unmoved,
)
from capitate.training.pseudo_labels import PseudoLabels, pseudo_label  # noqa: E402

CORNERS = np.array([(0.3, 0.2), (0.7, 0.2), (0.7, 0.8), (0.3, 0.8)])
UP = np.array([0.0, -0.5])


def hands(points=CORNERS, up=UP, *, boxes=False, n=1) -> Hands:
    films = np.random.default_rng(0).integers(0, 256, (n, 299, 299), dtype=np.uint8)
    return Hands.of(films, [HandLabel(str(k), points, up, boxes) for k in range(n)])


def target(some: Hands, matrix=None, shift=None) -> list[float]:
    identity, nothing = unmoved(1)
    found = frame_target(
        some.points,
        some.up,
        some.boxes,
        matrix=identity if matrix is None else torch.tensor([matrix]),
        shift=nothing if shift is None else torch.tensor([shift]),
    )
    return found[0].tolist()


def test_an_upright_hand():
    assert target(hands()) == pytest.approx([0, 0, math.log(0.8), math.log(1.2), 0, -1], abs=1e-6)


def test_a_turn_of_the_film_turns_the_answer():
    """The map leads from the moved film back to the stored one: a quarter turn brings the fingers to the left."""
    found = target(hands(), matrix=[[0.0, -1.0], [1.0, 0.0]])
    assert found == pytest.approx([0, 0, math.log(0.8), math.log(1.2), -1, 0], abs=1e-6)


def test_shift_and_scale():
    found = target(hands(), matrix=[[2.0, 0.0], [0.0, 2.0]], shift=[0.4, -0.2])
    assert found == pytest.approx([-0.2, 0.1, math.log(0.4), math.log(0.6), 0, -1], abs=1e-6)


def test_a_mirror_image_keeps_size_and_direction():
    off = hands(CORNERS + np.array([0.1, 0.0]))
    found = target(off, matrix=[[-1.0, 0.0], [0.0, 1.0]])
    assert found == pytest.approx([-0.2, 0, math.log(0.8), math.log(1.2), 0, -1], abs=1e-6)


def test_box_centres_are_brought_to_the_hull_of_key_points():
    left, top, right, bottom = BOX_RIM
    low, high = np.array([0.3, 0.2]), np.array([0.7, 0.8])
    size = high - low
    outer = np.array([low + size * (left, top), high + size * (right, bottom)])
    assert target(hands(outer, boxes=True)) == pytest.approx(target(hands()), abs=1e-5)


def test_the_target_is_what_assessment_reads_as_a_frame():
    frame = frame_from_outputs(np.array([*target(hands()), 0.0], dtype=np.float32))
    assert frame.centre == pytest.approx((0, 0), abs=1e-6)
    assert frame.right == pytest.approx((0.4, 0), abs=1e-6)
    assert frame.down == pytest.approx((0, 0.6), abs=1e-6)
    assert frame.rotation_degrees == pytest.approx(0, abs=1e-5)


def test_pixels_move_with_their_points():
    """A bright spot at a known point is found where the moved point says."""
    film = torch.zeros(1, 1, 150, 150)
    film[0, 0, 90:93, 60:63] = 1.0
    spot = torch.tensor([(61.5 / 150) * 2 - 1, (91.5 / 150) * 2 - 1])
    matrix, shift = torch.tensor([[[0.8, -0.3], [0.3, 0.9]]]), torch.tensor([[0.1, -0.05]])
    moved = resample(film, matrix, shift, padding="zeros")[0]
    rows, columns = torch.meshgrid(torch.arange(112.0), torch.arange(112.0), indexing="ij")
    found = torch.stack([(moved * columns).sum(), (moved * rows).sum()]) / moved.sum()
    expected = torch.linalg.inv(matrix[0]) @ (spot - shift[0])
    assert ((found + 0.5) / 112 * 2 - 1).tolist() == pytest.approx(expected.tolist(), abs=0.01)


def test_a_film_as_stored_is_nearly_what_assessment_gives_to_the_network():
    smooth = np.add.outer(np.arange(299), np.arange(299)) * 255 // 596
    some = Hands.of(smooth.astype(np.uint8)[None], [HandLabel("1", CORNERS, UP, boxes=False)])
    films, _, negated = locator_batch(some, torch.arange(1))
    expected = locator_input(smooth.astype(np.uint8).astype(np.float32) / 255)
    assert np.abs(films.numpy() - expected).max() < 0.05
    assert negated.tolist() == [0]


def test_drawing_repeats_with_its_generator_and_negates_half():
    some = hands(n=64)
    first, second = (
        locator_batch(some, torch.arange(64), draw_films(some.points, generator=torch.Generator().manual_seed(1)))
        for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    films, targets, negated = first
    assert films.shape == (64, 1, 112, 112)
    assert films.abs().max() <= 1
    assert torch.allclose(targets[:, 4:].norm(dim=1), torch.ones(64))
    assert 16 < negated.sum() < 48


def test_stretch_ignores_brightness_and_contrast():
    film = torch.rand(2, 112, 112, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(stretch(film * 0.5 + 0.2), stretch(film), atol=1e-3)


class Exact(torch.nn.Module):
    """A locator that reads the position of the brightest pixel, however the film is turned."""

    def forward(self, film):
        outputs = torch.zeros(len(film), 7)
        place = film.flatten(1).argmax(1)
        outputs[:, 0], outputs[:, 1] = ((place % 112) + 0.5) / 56 - 1, ((place // 112) + 0.5) / 56 - 1
        outputs[:, 2:4] = math.log(0.5)
        outputs[:, 5] = -1.0
        return outputs


def test_pseudo_labels_bring_all_views_back_to_the_film():
    films = np.zeros((1, 299, 299), dtype=np.uint8)
    films[0, 100:112, 180:192] = 255
    films[0, 104:108, 184:188] = 255
    found = pseudo_label(Exact(), films)
    assert found.points[0, :2].mean(0) == pytest.approx([186 / 149.5 - 1, 106 / 149.5 - 1], abs=0.06)
    assert found.points.shape == (1, 4, 2)
    left, right, top, bottom = found.points[0]
    assert left[0] < right[0]
    assert top[1] < bottom[1]


def test_a_pseudo_label_gives_its_own_frame_back():
    points = np.array([[[-0.4, 0], [0.4, 0], [0, -0.6], [0, 0.6]]], dtype=np.float32)
    label = PseudoLabels(points, np.zeros(1, np.float32), np.zeros(1, np.float32)).label(0, "1")
    assert target(hands(label.points, label.up)) == pytest.approx(target(hands()), abs=1e-6)
