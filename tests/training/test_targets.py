"""Targets and networks of one sex: statistics from training films alone, and cards that say so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.training.targets import TargetStatistics, rows_learnt_from, trained_on_text


def test_statistics_are_those_of_the_films():
    found = TargetStatistics.of(np.array([100.0, 120.0, 140.0], dtype=np.float32))
    assert found == TargetStatistics(mean=120.0, sd=20.0, low=100.0, high=140.0)


@pytest.mark.parametrize(
    ("months", "says"),
    [([], "got 0 films"), ([90.0, 90.0], "got 2 films of 90 months"), ([90.0, float("nan")], "is no number, got nan")],
)
def test_films_that_make_no_scale_are_refused(months, says):
    with pytest.raises(UsageError, match=says):
        TargetStatistics.of(np.array(months))


def test_a_network_of_one_sex_learns_from_its_films_alone():
    rows, sexes = np.array([0, 1, 3, 4]), np.array([0, 1, 1, 2, 0])
    assert rows_learnt_from(rows, sexes, trained_on="both").tolist() == [0, 1, 3, 4]
    assert rows_learnt_from(rows, sexes, trained_on="female").tolist() == [0, 4]
    assert rows_learnt_from(rows, sexes, trained_on="male").tolist() == [1]
    with pytest.raises(UsageError, match="'male' leaves none of 2 films"):
        rows_learnt_from(np.array([0, 4]), sexes, trained_on="male")


def test_what_a_card_says_of_a_network_of_one_sex():
    assert trained_on_text("both") == ""
    assert "girls alone" in trained_on_text("female")
    assert "boys alone" in trained_on_text("male")


@pytest.fixture
def girls_run(saved, tiny, tmp_path):
    """A finished run on girls with a z-score head, published nowhere and frozen for an epoch."""
    pytest.importorskip("torch")
    from capitate.training.bone_age_run import run_bone_age
    from capitate.training.settings.freezing import FreezingConfig

    network = replace(tiny.network, sex="none", trained_on="female", head="scalar", target="z-score")
    config = replace(tiny, folds=2, network=network, freezing=FreezingConfig(epochs=1))
    config = replace(config, optimiser=replace(config.optimiser, loss="wing"))
    run_bone_age(config, saved, tmp_path / "girls", fold=0)
    return tmp_path / "girls"


def test_a_run_on_girls_keeps_to_girls_and_to_its_training_films_statistics(girls_run, store):
    from capitate.training.out_of_fold import OutOfFold
    from capitate.training.related_runs import load_bone_age_run
    from capitate.training.runs import Run

    run = Run.load(girls_run)
    sex, months = dict(zip(store.ids, store.sexes, strict=True)), dict(zip(store.ids, store.months, strict=True))
    assert {sex[name] for name in run.training_ids} == {0}
    part = OutOfFold.load([run.out_of_fold])
    assert set(part.sexes) == {0}
    assert not set(part.ids) & run.training_ids
    ages = np.array([months[name] for name in run.training_ids], dtype=np.float64)
    network, _ = load_bone_age_run(run)
    expected = [ages.mean(), ages.std(ddof=1), ages.min(), ages.max()]
    assert network.reading.statistics.tolist() == pytest.approx(expected, rel=1e-5)
    assert json.loads((girls_run / "config.json").read_text())["network"]["trained_on"] == "female"


def test_its_card_says_so(girls_run):
    from capitate.training.cards import compose_card

    config = json.loads((girls_run / "config.json").read_text())
    card = compose_card(name="a", version="1", task="bone-age", networks=["m"], training={"configuration": config})
    assert "girls alone" in card["limits"][0]
