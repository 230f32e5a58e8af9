"""`capitate evaluate`, and which network an out-of-fold run takes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from capitate.evaluation.predictor import BoneAgePredictor
from capitate.runtime.bundle import load_bundle
from capitate.training.folds import fold_of
from capitate.training.layouts import read_any
from capitate.training.manifest import Study
from capitate.types import Sex

from .conftest import write_film


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Four films of known age, two of which bear names of training films."""
    folder = tmp_path_factory.mktemp("manifest")
    lines = ["path,sex,bone_age_months,kind"]
    for number, (name, sex) in enumerate((("1377", "F"), ("1378", "M"), ("new-a", "F"), ("new-b", "M"))):
        months = 60 + 40 * number
        write_film(folder / f"{name}.png", months=months, sex=Sex.FEMALE if sex == "F" else Sex.MALE, seed=number)
        lines.append(f"{name}.png,{sex},{months},{'old' if number < 2 else 'new'}")
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_films_seen_in_training_stand_apart(run, manifest, tmp_path):
    result = run("evaluate", manifest, "--task", "bone-age", "--out", tmp_path, "--group-by", "kind")
    assert result.code == 0
    figures = metrics(tmp_path)
    assert figures["n"]["value"] == 2
    assert figures["groups"]["in_training"]["n"]["value"] == 2
    assert figures["groups"]["kind=new"]["n"]["value"] == 2
    assert figures["groups"]["sex=hidden"]["n"]["value"] == 2
    assert figures["mae"]["low"] <= figures["mae"]["value"] <= figures["mae"]["high"]
    assert (tmp_path / "report.html").exists()
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["path"] for row in csv.DictReader(stream)] == ["new-a.png", "new-b.png", "1377.png", "1378.png"]


def test_out_of_fold_counts_every_film(run, manifest, tmp_path):
    result = run("evaluate", manifest, "--out-of-fold", "--no-hidden-sex", "--out", tmp_path)
    assert result.code == 0
    figures = metrics(tmp_path)
    assert figures["n"]["value"] == 4
    assert figures["run"]["out_of_fold"] is True
    assert {model["name"] for model in figures["run"]["models"]} == {"bone-age-ensemble", "hand-locator"}
    assert "sex=hidden" not in figures["groups"]


def test_out_of_fold_takes_the_network_that_never_saw_the_film(manifest):
    predictor = BoneAgePredictor(model="bone-age-ensemble", out_of_fold=True, threads=1)
    networks = load_bundle("bone-age-ensemble").networks
    for name in ("1377", "1378"):
        row = Study(path=manifest.parent / f"{name}.png", id=name, sex=Sex.FEMALE)
        predictor.predict(row)
        used = predictor._assessors[fold_of(name)].bone_age
        assert len(used._sessions) == 1
    row = Study(path=manifest.parent / "new-a.png", id="new-a", sex=Sex.FEMALE)
    predictor.predict(row)
    assert len(predictor._assessors[None].bone_age._sessions) == len(networks) == 5
    assert set(predictor._assessors) == {fold_of("1377"), fold_of("1378"), None}


def test_hidden_sex_does_not_depend_on_the_table(manifest):
    predictor = BoneAgePredictor(threads=1)
    path = manifest.parent / "new-a.png"
    ages = [predictor.predict_both(Study(path=path, id="x", sex=sex))[1].bone_age for sex in (Sex.FEMALE, Sex.MALE)]
    assert ages[0] is not None
    assert ages[1] is not None
    assert ages[0].months == ages[1].months


def same(one, other):
    """Equal to the bit in everything but the ages by sex, which evaluation does not ask for."""
    return replace(one.bone_age, by_sex=None) == replace(other.bone_age, by_sex=None) and one.models == other.models


@pytest.mark.parametrize("model", ["bone-age", "bone-age-ensemble"])
def test_one_pass_gives_what_two_give(manifest, model):
    predictor = BoneAgePredictor(model=model, threads=1)
    for row in read_any(manifest):
        given, hidden = predictor.predict_both(row)
        assert same(given, predictor.predict(row))
        assert same(hidden, predictor.predict(replace(row, sex=Sex.UNKNOWN)))


def test_one_pass_reads_and_locates_a_film_once_and_asks_for_two_sexes(manifest, monkeypatch):
    predictor = BoneAgePredictor(model="bone-age-small", threads=1)
    row = read_any(manifest)[2]
    assessor = predictor._assessor(row)
    asked: list[object] = []
    locate, answer = assessor.locator.locate, assessor.bone_age.answer
    monkeypatch.setattr(assessor.locator, "locate", lambda square: asked.append("locate") or locate(square))
    monkeypatch.setattr(assessor.bone_age, "answer", lambda v, sexes: asked.append(list(sexes)) or answer(v, sexes))
    predictor.predict_both(row)
    assert asked == ["locate", [Sex.FEMALE, Sex.UNKNOWN]]


def test_out_of_fold_needs_a_network_a_fold(run, manifest, tmp_path):
    result = run("evaluate", manifest, "--out-of-fold", "--model", "bone-age", "--out", tmp_path)
    assert result.code == 2
    assert "bone-age-ensemble" in result.err


def test_a_refused_film_is_counted(run, manifest, tmp_path):
    lines = manifest.read_text(encoding="utf-8").replace("new-b.png", "none.png")
    broken = manifest.with_name("broken.csv")
    broken.write_text(lines, encoding="utf-8")
    result = run("evaluate", broken, "--out", tmp_path, "--no-hidden-sex")
    assert result.code == 1
    assert metrics(tmp_path)["refused"]["value"] == 1


def test_storage_is_measured(run, manifest, tmp_path):
    result = run("evaluate", manifest, "--out", tmp_path, "--no-hidden-sex", "--storage", "--sample", "2")
    assert result.code == 0
    table = (tmp_path / "storage.md").read_text(encoding="utf-8")
    assert "| 16-bit PNG | 2 |" in table
    assert table in result.out


def test_sample_is_always_the_same(run, manifest, tmp_path):
    told = []
    for name in ("a", "b"):
        run("evaluate", manifest, "--out", tmp_path / name, "--out-of-fold", "--no-hidden-sex", "--sample", "3")
        told.append((tmp_path / name / "predictions.csv").read_text(encoding="utf-8"))
    assert told[0] == told[1]
    assert told[0].count("\n") == 4


def test_evaluation_without_references_is_wrong_usage(run, manifest, tmp_path):
    path = manifest.with_name("bare.csv")
    path.write_text("path,sex,bone_age_months\nnew-a.png,F,\n", encoding="utf-8")
    result = run("evaluate", path, "--out", tmp_path / "out")
    assert result.code == 2
    assert "reference bone age" in result.err


@pytest.mark.films
@pytest.mark.slow
def test_real_films_out_of_fold(run, films_root, tmp_path):
    table = films_root / "rsna-highres" / "index.csv"
    result = run("evaluate", table, "--out-of-fold", "--no-hidden-sex", "--sample", "40", "--out", tmp_path)
    figures = metrics(tmp_path)
    assert result.code == 0
    assert figures["n"]["value"] == 40
    assert np.isfinite(figures["mae"]["value"])
