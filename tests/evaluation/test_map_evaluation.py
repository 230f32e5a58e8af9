"""Maps of models whose answers are known: a corner reader, and a small screen with its weights randomised."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading_screen import screen_bundle, spot_film

from capitate.errors import NoMapError, UsageError
from capitate.evaluation.maps import MapChecks, MapRow, evaluate_maps, measure_maps, subject_of, write_maps
from capitate.evaluation.maps.hands import FoundHand
from capitate.evaluation.maps.looks import Look
from capitate.evaluation.maps.randomised import PARTS, randomised_bundle
from capitate.evaluation.page import RunDetails
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Meaning
from capitate.runtime.bundle import load_bundle
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study
from capitate.types import Box, Sex

HAND = Box(40, 30, 50, 80)


class CornerReader:
    """Says the brightness of the upper left corner, where no hand is; its map says so."""

    meaning, threshold, judged_in = Meaning("corner", "abnormality"), 0.5, "probability"

    def knows(self, film):
        return film == "seen"

    def see(self, film, on_film, *, sex):
        return _Seen(film)


class _Seen:
    def __init__(self, film) -> None:
        self.film = film

    def look(self) -> Look:
        values = np.zeros((8, 8), dtype=np.float32)
        values[0, 0], values[4, 4] = 3, -1
        return Look.of(ActivationMap("corner", "abnormality", "logit", values, 0.0, 2.0))

    def judged(self, pixels) -> float:
        return float(pixels[:10, :10].mean())


class _Certain:
    certain = True


class GivenHand:
    """Stands for a finder: every film has its hand in one place."""

    def find(self, film):
        return film, _Certain()

    def measured(self, film, on_film):
        mask = np.zeros(film.pixels.shape, dtype=bool)
        mask[64:, :] = True
        joints = np.zeros_like(mask)
        joints[64:80, 64:80] = True
        return FoundHand(HAND, mask, joints, on_film)


def hand_film(path: Path, *, corner: int) -> Study:
    """A film with a bright hand-like block and a letter of some grey in its corner."""
    film = np.full((128, 128), 20, dtype=np.uint8)
    film[30:110, 48:82] = 120
    film[34:100, 58:72] = 210
    film[:10, :10] = corner
    Image.fromarray(film).save(path)
    return Study(path=path, id=path.stem, sex=Sex.FEMALE)


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[MapRow]:
    folder = tmp_path_factory.mktemp("films")
    studies = [
        hand_film(folder / f"{name}.png", corner=grey) for name, grey in (("bright", 250), ("dark", 20), ("seen", 250))
    ]
    (folder / "broken.png").write_bytes(b"no film")
    studies.append(Study(path=folder / "broken.png", id="broken"))
    box = LabelledBox("bright", "fracture", 0.05, 0.05, 0.1, 0.1)
    other = LabelledBox("dark", "fracture", 0.75, 0.5, 0.5, 0.5)
    checks = MapChecks({"bright": [box], "dark": [other], "seen": [box]})
    return measure_maps(studies, CornerReader(), GivenHand(), checks)


def test_a_model_that_reads_the_corner_is_found_out(rows):
    bright, dark, _, broken = rows
    assert (bright.peak, bright.answer) == ((1 / 16, 1 / 16), 2.0)
    assert bright.before == pytest.approx(250 / 255)
    assert bright.after < 0.5
    assert bright.same_side is False
    assert dark.same_side is True
    assert bright.hand_energy == pytest.approx(1 / 4)
    assert bright.hand_area == pytest.approx(1 / 2)
    assert bright.joints_energy == pytest.approx(1 / 4)
    assert bright.joints_area == pytest.approx(1 / 64)
    assert bright.area == pytest.approx(0.01, rel=0.05)
    assert broken.refusal is not None
    assert np.isnan(broken.answer)


def test_figures_are_over_films_that_the_model_has_not_seen(rows):
    found = evaluate_maps(rows)
    assert (found.overall.n, found.overall.refused) == (2, 1)
    assert found.groups["in_training"].n == 1
    figures = {name: one.value for name, one in found.overall.figures.items()}
    assert figures["pointing"] == 0.5
    assert figures["by_area"] == pytest.approx((0.01 + 0.25) / 2, rel=0.02)
    assert figures["over_area"] == pytest.approx(figures["pointing"] - figures["by_area"])
    assert figures["same_side"] == 0.5
    assert figures["change_largest"] == pytest.approx(rows[0].before - rows[0].after)
    assert found.overall.moved_most == "bright"
    assert figures["hand_over_area"] == pytest.approx(-0.25)


def test_pairs_of_films_make_the_interval():
    """The map hits where a box covers a quarter; on every film it is better than chance by the same."""
    boxes = ((0.0, 0.0, 0.5, 0.5),)
    many = [
        MapRow(
            str(k), str(k), answer=1.0, peak=(0.2, 0.2) if k % 2 else (0.9, 0.9), boxes=boxes, area=0.25, tissue=0.25
        )
        for k in range(200)
    ]
    figures = evaluate_maps(many).overall.figures
    assert figures["over_area"].value == pytest.approx(0.25)
    assert 0.15 < figures["over_area"].low < 0.25 < figures["over_area"].high < 0.35
    assert figures["by_best_point"].value == 1
    assert figures["over_best_point"].high < 0


def test_what_is_written(rows, tmp_path):
    details = RunDetails("capitate evaluate", "films.csv", "0")
    write_maps(evaluate_maps(rows), tmp_path, details=details, models=[], unit="probability")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["pointing"]["value"] == 0.5
    assert set(metrics["over_area"]) == {"value", "low", "high"}
    assert metrics["refused"]["value"] == 1
    assert metrics["n_pointing"]["value"] == 2
    assert metrics["groups"]["in_training"]["n"]["value"] == 1
    assert metrics["run"]["changed_most"] == "bright"
    lines = (tmp_path / "predictions.csv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[4].startswith("broken,")
    write_maps(evaluate_maps([rows[2]]), tmp_path / "known", details=details, models=[], unit="probability")
    known = (tmp_path / "known" / "report.html").read_text()
    assert "There is no headline" in known
    assert "Energy on the hand" in known, "films seen in training keep their figures"
    page = (tmp_path / "report.html").read_text()
    assert "50.0 %" in page
    assert "broken" in page


@pytest.fixture
def screen(tmp_path):
    pytest.importorskip("onnx")
    return load_bundle(str(screen_bundle(tmp_path / "screen")))


def weights_of(bundle) -> dict[str, np.ndarray]:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(bundle.networks[0]))
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


def test_weights_are_permuted_from_the_answer_backwards(screen, tmp_path):
    before = weights_of(screen)
    for part in PARTS:
        after = weights_of(randomised_bundle(screen, tmp_path / part, part=part, seed=0))
        for name in before:
            np.testing.assert_array_equal(np.sort(after[name].ravel()), np.sort(before[name].ravel()))
        assert (after["head.weight"] != before["head.weight"]).any()
        assert (after["kernel"] != before["kernel"]).any() == (round(PARTS[part]) == 1)
    with pytest.raises(UsageError, match=r"one of head, .*, got .tail."):
        randomised_bundle(screen, tmp_path / "tail", part="tail", seed=1)


def test_the_map_of_a_randomised_network_is_another(screen, tmp_path):
    spot_film(tmp_path / "film.png", across=80, down=32)
    study = Study(path=tmp_path / "film.png", id="film")
    models = {"head": [subject_of(randomised_bundle(screen, tmp_path / "head", part="head", seed=0))]}
    models["none"] = [subject_of(screen)]
    checks = MapChecks(surroundings=False, randomised=models, randomised_films=frozenset({"film"}))
    (row,) = measure_maps([study], subject_of(screen), GivenHand(), checks)
    assert row.alike["none"] == pytest.approx((1, 1, 1))
    assert row.alike["head"][0] < 0
    assert row.alike["head"][2] < 0.9


def test_the_screens_map_points_at_the_spot(screen, tmp_path):
    x, y, _, _ = spot_film(tmp_path / "film.png", across=80, down=32)
    study = Study(path=tmp_path / "film.png", id="film")
    (row,) = measure_maps([study], subject_of(screen), GivenHand(), MapChecks(surroundings=False))
    assert row.peak == pytest.approx((x, y), abs=0.04)


def test_a_bundle_without_feature_maps_stops_the_measurement(tmp_path):
    pytest.importorskip("onnx")
    bundle = load_bundle(str(screen_bundle(tmp_path / "plain", explained=False)))
    spot_film(tmp_path / "film.png", across=80, down=32)
    study = Study(path=tmp_path / "film.png", id="film")
    with pytest.raises(NoMapError, match="carry no feature maps"):
        measure_maps([study], subject_of(bundle), GivenHand(), MapChecks())
