"""From a run to an assessment by the command line alone, with nothing in between."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.cli import main  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.training import int8_measured  # noqa: E402
from capitate.types import Sex  # noqa: E402


@pytest.fixture
def call(capsys):
    """Call `capitate`; give what it printed."""

    def run(*words, code=0):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        told = capsys.readouterr()
        assert int(end.value.code or 0) == code, told.err
        return told.err if code else told.out

    return run


@pytest.fixture
def film(tmp_path):
    pixels = draw(age_months=120, sex=Sex.FEMALE, height=300, seed=3).radiograph.pixels
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(tmp_path / "film.png")
    return tmp_path / "film.png"


def test_an_exported_run_assesses_a_film_without_another_step(runs, saved, film, tmp_path, call, monkeypatch):
    monkeypatch.setattr(int8_measured, "_LEAST", 4)
    folder = tmp_path / "mine"
    told = call("export", runs[0], "--data", saved, "--int8", "--agreement-films", 4, "--out", folder, "--name", "mine")
    assert "agreement with torch on 4 films of the store" in told
    assert "int8: " in told
    ages = []
    for model in (folder, f"{folder}@int8"):
        found = json.loads(call("assess", film, "--sex", "female", "--format", "json", "--model", model))
        assert found["models"][0]["name"] == "mine"
        assert found["models"][0]["sha256"] == load_bundle(str(folder)).sha256
        ages.append((found["bone_age"]["months"], found["models"][0]["version"]))
    assert [version for _, version in ages] == ["1", "1+int8"]
    assert ages[0][0] != ages[1][0]
    assert "# mine 1" in call("models", "card", folder)
    assert "whole" in call("models", "verify", folder)
    (tmp_path / "films.csv").write_text("path,sex,bone_age_months\nfilm.png,F,120\n")
    call("evaluate", tmp_path / "films.csv", "--model", f"{folder}@int8", "--out", tmp_path / "figures", "--quiet")
    with (tmp_path / "figures" / "predictions.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert float(row["predicted_months"]) == pytest.approx(ages[1][0], abs=0.006)


def test_what_the_maker_says_and_a_copy_with_another_card(runs, saved, tmp_path, call):
    about = tmp_path / "about.toml"
    about.write_text('developer = "We"\n')
    call("export", runs[0], "--data", saved, "--agreement-films", 2, "--about", about, "--out", tmp_path / "one")
    about.write_text('developer = "They"\n')
    call("export", tmp_path / "one", "--about", about, "--out", tmp_path / "one")
    bundle = load_bundle(str(tmp_path / "one"))
    assert bundle.card["developer"]["name"] == "They"
    assert bundle.card["agreement"]["films"] == 2
    assert "need the runs" in call("export", tmp_path / "one", "--version", 2, "--out", tmp_path / "one", code=2)
    assert load_bundle(str(tmp_path / "one")).sha256 == bundle.sha256
    assert "--data" in call("export", runs[0], "--int8", "--out", tmp_path / "two", code=2)
    told = call("export", runs[0], "--agreement", tmp_path / "none.csv", "--out", tmp_path / "two", code=2)
    assert "none.csv" in told
    assert not (tmp_path / "two").exists()
