"""Both rounds on drawn rectangles: they run, are not trained twice, and hold hands out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.training.config import LocatorConfig, Round  # noqa: E402
from capitate.training.joints_labels import HandLabel  # noqa: E402
from capitate.training.locator import train_locator  # noqa: E402
from capitate.training.locator_data import Hands, locator_batch  # noqa: E402
from capitate.training.locator_network import LocatorNetwork, locator_loss  # noqa: E402

SMALL = LocatorConfig(
    held_out=4, batch=8, disagreement=9.0, repeat=2, first=Round(2, 1e-3, 0.3, 0.0), second=Round(1, 1e-3, 0.1, 0.9)
)


@pytest.fixture
def films():
    random = np.random.default_rng(0)
    films = random.integers(0, 30, (24, 299, 299), dtype=np.uint8)
    labels = []
    for k in range(24):
        x, y = random.uniform(0.3, 0.5, 2)
        points = np.array([(x, y), (x + 0.3, y), (x + 0.3, y + 0.4), (x, y + 0.4)])
        rows, columns = (slice(int(v[0] * 299), int(v[2] * 299)) for v in (points[:, 1], points[:, 0]))
        films[k, rows, columns] += 150
        labels.append(HandLabel(str(k), points, np.array([0.0, -1.0]), boxes=False))
    return films, [str(k) for k in range(24)], labels


def test_two_rounds_and_no_third(films, tmp_path):
    pixels, ids, labels = films
    torch.set_num_threads(1)
    result = train_locator(pixels, ids, labels[:16], SMALL, folder=tmp_path)
    assert len(result.held_out) == 4
    assert result.second.hands == 4
    assert result.pseudo.points.shape == (24, 4, 2)
    again = train_locator(pixels, ids, labels[:16], SMALL, folder=tmp_path)
    assert again.second == result.second
    assert again.held_out == result.held_out


def test_rounds_repeat_to_the_byte_and_leave_the_global_state_alone(films, tmp_path):
    pixels, ids, labels = films
    torch.set_num_threads(1)
    config = replace(SMALL, first=Round(1, 1e-3, 0.3, 0.0))
    before = torch.get_rng_state()
    for name in ("a", "b"):
        train_locator(pixels, ids, labels[:12], config, folder=tmp_path / name)
    first, second = ((tmp_path / name / "round-2.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second
    assert torch.equal(before, torch.get_rng_state())


def test_labels_of_unknown_films_are_left_out(films, tmp_path):
    pixels, ids, labels = films
    strange = HandLabel("999", labels[0].points, labels[0].up, boxes=False)
    result = train_locator(pixels, ids, [strange, *labels[:12]], SMALL, folder=tmp_path)
    assert "999" not in result.held_out


def test_the_loss_is_least_for_the_right_answer(films):
    pixels, _, labels = films
    _, target, negated = locator_batch(Hands.of(pixels, labels), torch.arange(24))
    right = torch.cat([target, torch.full((24, 1), -20.0)], 1)
    assert float(locator_loss(right, target, negated)) == pytest.approx(0, abs=1e-4)
    for column in range(7):
        wrong = right.clone()
        wrong[:, column] += 30.0 if column == 6 else 0.3
        assert locator_loss(wrong, target, negated) > 0.05


def test_the_network_has_the_released_size():
    assert sum(p.numel() for p in LocatorNetwork().parameters()) == 660663
