"""Both rounds on drawn rectangles: they run, are not trained twice, and hold hands out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.locator import HandLocator  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.joints_labels import BOXES_OF_A_HAND, HandLabel  # noqa: E402
from capitate.training.locator import train_locator  # noqa: E402
from capitate.training.locator_data import Hands, locator_batch  # noqa: E402
from capitate.training.locator_network import LocatorNetwork, locator_loss  # noqa: E402
from capitate.training.locator_run import run_locator  # noqa: E402
from capitate.training.settings.locator import LabelFiles, LocatorConfig, Round  # noqa: E402

POINTS = [f"{f}{k}" for f in ("forefinger", "middle_finger", "ring_finger", "pinky_finger") for k in (1, 2, 3)]
POINTS += ["thumb1", "thumb2", "thumb3", "wrist"]

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
    for column in (0, 1, 2, 3, 4, 6):
        wrong = right.clone()
        wrong[:, column] += 30.0 if column == 6 else 0.3
        assert locator_loss(wrong, target, negated) > 0.05


def test_the_network_has_the_released_size():
    assert sum(p.numel() for p in LocatorNetwork().parameters()) == 660663


def test_from_tables_to_a_bundle(films, tmp_path):
    """The whole way: films and tables on disk, both rounds, and a bundle that assessment loads."""
    pixels, ids, labels = films
    rows = []
    for film, name, label in zip(pixels, ids, labels, strict=True):
        Image.fromarray(film).save(tmp_path / f"{name}.png")
        rows += [(name, joint, *place, 0.05, 0.05) for joint, place in boxes_of(label)]
    lines = [f"{name}.png,F,100" for name in ids]
    (tmp_path / "films.csv").write_text("\n".join(["path,sex,bone_age_months", *lines]) + "\n", encoding="utf8")
    table = ["id,joint,x_center,y_center,width,height", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "boxes.csv").write_text("\n".join(table) + "\n", encoding="utf8")
    points = [f"{name}_{axis}" for name in POINTS for axis in "xy"]
    one = ",".join(str(0.3 + 0.01 * k) for k in range(len(points)))
    (tmp_path / "keypoints.csv").write_text(f"id,{','.join(points)}\n999,{one}\n", encoding="utf8")
    config = replace(SMALL, labels=LabelFiles("keypoints.csv", "boxes.csv"))

    figures = run_locator(config, tmp_path / "films.csv", tmp_path / "run")
    assert figures["round_2"]["hands"] == 4
    held_out = (tmp_path / "run" / "held-out.txt").read_text().split()
    bundle = bundle_runs([tmp_path / "run"], tmp_path / "bundle")
    assert bundle.training_ids == set(ids) - set(held_out)
    located = HandLocator(bundle, threads=1).locate(pixels[0].astype(np.float32) / 255)
    assert np.isfinite([*located.frame.centre, *located.frame.right, *located.frame.down]).all()
    with pytest.raises(UsageError, match="one run, got 2"):
        bundle_runs([tmp_path / "run"] * 2, tmp_path / "other")


def boxes_of(label):
    """Twenty-one boxes whose centres fill the label's rectangle, the wrist at its lower side."""
    (left, top), (right, bottom) = label.points[0], label.points[2]
    at = {"Radius": 1.0, "Ulna": 1.0, "MCP": 0.5}
    for joint, count in BOXES_OF_A_HAND.items():
        for share in np.linspace(0, 1, count):
            yield joint, (left + share * (right - left), top + at.get(joint, 0.0) * (bottom - top))
