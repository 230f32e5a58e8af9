"""`assess --screen`: probability and marks with their notice, on request alone, in every form of a report."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("onnx")

from capitate import report
from capitate.assessor import Assessed, Assessor, ScreenReader
from capitate.runtime.abnormality import AbnormalityScreen
from capitate.runtime.bundle import load_bundle
from capitate.types import Box

from .screen_bundles import screen_bundle

ALARMS = {"value": 0.12, "low": 0.1, "high": 0.14, "on": "1410 studies of index.csv"}


@dataclass(frozen=True)
class Mark:
    box: Box
    score: float


class Localiser:
    """Marks the same two places on every film."""

    def __init__(self, bundle):
        self.bundle = bundle

    def marks(self, pixels):
        return (Mark(Box(20.04, 30, 40, 50), 0.8123456), Mark(Box(100, 120, 30, 30), 0.25))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return screen_bundle(tmp_path_factory.mktemp("bundles") / "screen", false_alarms=ALARMS, bright=(0.5, 1.0))


@pytest.fixture(scope="module")
def assessed(bundle, film) -> Assessed:
    screen = AbnormalityScreen(load_bundle(str(bundle)), threads=1)
    reader = ScreenReader(screen, localiser=Localiser(screen.bundle))
    return Assessor(joints=False, screen=reader, threads=1).assess(film)


def test_the_screen_runs_on_request_alone(run, bundle, film):
    words = ("assess", film, "--no-joints", "--format", "json")
    plain = json.loads(run(*words).out)
    assert plain["abnormality"] is None
    assert "abnormality_not_assessed" in {one["code"] for one in plain["quality"]["findings"]}
    found = json.loads(run(*words, "--screen", "--model", bundle).out)
    told = found["abnormality"]
    assert set(told) == {"probability", "threshold", "above", "regions", "region_known", "false_alarms"}
    assert told["above"] == (told["probability"] >= told["threshold"])
    assert (told["regions"], told["region_known"], told["false_alarms"]) == (["hand", "wrist"], None, ALARMS)
    assert {"abnormality-screen", "fracture-localiser"} <= {model["name"] for model in found["models"]}
    codes = {one["code"] for one in found["quality"]["findings"]}
    assert not {"abnormality_not_assessed", "marks_not_assessed"} & codes
    assert all(0 < mark["score"] < 1 for mark in found["marks"])
    assert plain["marks"] is None
    assert found["bone_age"] == plain["bone_age"]


def test_a_model_of_the_screen_without_the_request_is_refused(run, bundle, film):
    refused = run("assess", film, "--model", bundle)
    assert refused.code == 2
    assert "add --screen" in refused.err
    twice = run("assess", film, "--screen", "--model", bundle, "--model", bundle)
    assert "two bundles for the screen" in twice.err


def test_marks_in_every_form(assessed):
    one, radiograph = assessed.assessment, assessed.radiograph
    assert [mark["box"] for mark in one.marks] == [[20.0, 30, 40, 50], [100, 120, 30, 30]]
    jsonschema = pytest.importorskip("jsonschema")
    plain = report.to_json(one)
    jsonschema.validate(plain, report.schema())
    assert report.to_json(report.from_json(plain)) == plain
    text = report.to_text(one)
    assert "marks" in text
    assert "2 places to look at, no findings: 81.2 %, 25.0 %" in text
    assert "12.0 % (10.0 to 14.0 %) of 1410 studies of index.csv reach the threshold" in text
    assert "并非诊断所见" in report.to_text(one, lang="zh")
    page = report.to_html(one, radiograph=radiograph)
    assert '<rect class="place" x="20.0" y="30" width="40" height="50">' in page
    assert "show the marks" in page
    row = report.table_row(one)
    assert (row["marks"], row["abnormality_threshold"]) == ("2", "0.5000")
    assert float(row["abnormality"]) == pytest.approx(one.abnormality["probability"], abs=1e-4)


def test_a_region_that_was_not_learnt_has_no_answer(film, tmp_path):
    from dataclasses import replace

    from capitate import files
    from capitate.assessor.clock import Clock

    screen = AbnormalityScreen(load_bundle(str(screen_bundle(tmp_path / "b", bright=(0.0, 0.001)))), threads=1)
    radiograph = files.read(film)
    chest = ScreenReader(screen).read(replace(radiograph, body_part="chest"), clock=Clock())
    assert chest.abnormality is None
    assert [one.code for one in chest.findings] == ["region_not_learned"]
    assert set(chest.not_assessed) == {"abnormality", "marks"}
    hand = ScreenReader(screen).read(replace(radiograph, body_part="hand"), clock=Clock())
    assert hand.abnormality["region_known"] is True
    assert [one.code for one in hand.findings] == ["film_unfamiliar"]


def test_columns_of_the_table(run, bundle, film):
    out = run("assess", film, "--no-joints", "--format", "csv", "--screen", "--model", bundle).out
    (row,) = csv.DictReader(io.StringIO(out))
    assert 0 < float(row["abnormality"]) < 1
    assert row["marks"].isdecimal()
