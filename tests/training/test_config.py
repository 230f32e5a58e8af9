"""Experiments: the file's keys, overrides, and errors that name the key."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from capitate.errors import UsageError
from capitate.runtime import bone_age
from capitate.training.config import SIX_VIEWS, BoneAgeConfig, experiment_of, load_config, load_experiment
from capitate.training.settings.locator import LocatorConfig
from capitate.training.settings.optimiser import Stage

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def test_no_file_gives_the_defaults():
    assert load_config() == BoneAgeConfig()


def test_file_and_overrides(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[network]\nwidths = [8, 16]\ndepths = [1, 1]\n[augment]\nrotation = 5\n')
    config = load_config(path, overrides=["optimiser.stages=[[2, 40, 32]]", "network.sex=both", "seed=3"])
    assert (config.name, config.network.widths, config.augment.rotation) == ("mine", (8, 16), 5.0)
    assert config.optimiser.stages == (Stage(2, 40, 32),)
    assert (config.network.sex, config.seed) == ("both", 3)
    views = load_config(overrides=["test_views=[[-3, 2, false], [0, 4, true]]"]).test_views
    assert views == (bone_age.TestView(-3, 2, False), bone_age.TestView(0, 4, True))


def test_two_answers_to_one_film_and_one_film_of_two_exclude_each_other():
    with pytest.raises(UsageError, match=r"it goes with neither augment\.mixup, got 0\.2, nor"):
        load_config(overrides=["optimiser.consistency=1", "augment.mixup=0.2"])


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("network.width=3", "network.width"),
        ("networks.widths=[3]", "networks"),
        ("optimiser.batch=large", "optimiser.batch must be int, got 'large'"),
        ("optimiser.batch=true", "optimiser.batch must be int, got True"),
        ("network=3", "network must be a table"),
        ("network.widths=[8, 16.5]", "network.widths must be a list of int"),
        ("network.widths=[8, 16]", "network.widths and network.depths"),
        ("network.sex=maybe", "network.sex must be one of none, shuffled, early, channel, mixconv, late, both, film, "),
        ("optimiser.stages=[]", "optimiser.stages is empty"),
        ("optimiser.stages=[[1, 2]]", "optimiser.stages must be a list"),
        ("optimiser.stages=[[0, 40, 32]]", "optimiser.stages must hold whole numbers above 0"),
        ("optimiser.stages=3", "optimiser.stages"),
        ("test_views=[]", "test_views is empty"),
        ("test_views=[[0, 0]]", "test_views must be a list of [right, down, mirrored], got [[0, 0]]"),
        ("test_views=3", "test_views must be a list"),
        ("test_views=[[0, 0, 1]]", "test_views must hold whole pixels right and down, and true or false"),
        ("test_views=[[0.5, 0, true]]", "test_views must hold whole pixels"),
        ("test_views=[[-128, 0, false]]", "test_views move a view of 160 x 128 out of itself"),
        ("name.first=x", "name must be str"),
        (
            "task=grading",
            "task must be one of bone-age, hand-locator, joint-detector, outlines, joint-grades, ",
        ),
        ("seed", "KEY=VALUE"),
        ("optimiser.name=lion", "optimiser.name must be one of adam, adamw, sgd, got 'lion'"),
        ("optimiser.nesterov=true", "optimiser.nesterov needs sgd with momentum, got adamw"),
        ("optimiser.learning_rate=0", "optimiser.learning_rate must be above 0, got 0"),
        ("optimiser.learning_rate=nan", "optimiser.learning_rate must be above 0, got nan"),
        ("optimiser.accumulate=0", "optimiser.accumulate must be at least 1, got 0"),
        (
            "optimiser.accumulate=65",
            "optimiser.batch 64 cannot be shared by devices.count 1 in optimiser.accumulate 65",
        ),
        ("optimiser.clip=-1", "optimiser.clip must be at least 0, got -1"),
        ("optimiser.stages=[[1, 200, 200, 1.5]]", "optimiser.stages[0].dropout must be 0 to 0.99, got 1.5"),
        (
            "optimiser.stages=[{epochs=1, height=8, weight=8}]",
            "optimiser.stages must be a list of [epochs, height, width]",
        ),
        ("optimiser.stages=[[1, 8, 8, 0.1, 1.0, 3]]", "optimiser.stages must be a list of [epochs, height, width]"),
        ("schedule.name=plateau", "schedule.name is plateau and validation.share is 0"),
        ("schedule.name=sawtooth", "schedule.name must be one of constant, one_cycle, cosine, step, plateau, cyclical"),
        ("schedule.name=cyclical", "schedule.lowest must lie between 0 and optimiser.learning_rate 0.002"),
        ("schedule.lowest=0.1", "schedule.lowest must be 0 to 0.002, got 0.1"),
        ("validation.patience=3", "validation.patience is 3 and validation.share is 0"),
        ("validation.share=1.0", "validation.share must be 0 to 0.9, got 1"),
        ("swa.epochs=2", "swa.epochs is 2 and optimiser.average is 0.998"),
        ("swa.learning_rate=0.1", "swa.learning_rate is 0.1 and swa.epochs is 0"),
        ("devices.accelerator=tpu", "devices.accelerator must be one of cpu, cuda, got 'tpu'"),
        ("devices.precision=fp16", "devices.precision must be one of bf16, fp32, got 'fp16'"),
        ("devices.count=0", "devices.count must be at least 1, got 0"),
        ("record.every=0", "record.every must be at least 1, got 0"),
    ],
)
def test_an_error_names_the_key(override, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        load_config(overrides=[override])


@pytest.mark.parametrize("text", [b"name = ", b"\xff\xfe"])
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "broken.toml"
    path.write_bytes(text)
    with pytest.raises(UsageError, match=r"broken\.toml"):
        load_config(path)


def test_a_resolved_configuration_gives_the_experiment_again():
    table = "{epochs = 2, height = 40, width = 32, dropout = 0.1, augment = 0.5}"
    staged = load_config(overrides=[f"optimiser.stages=[{table}, [1, 160, 128]]", "optimiser.name=sgd"])
    assert staged.optimiser.stages == (Stage(2, 40, 32, 0.1, 0.5), Stage(1, 160, 128))
    for config, task in ((staged, "bone-age"), (LocatorConfig(batch=8), "hand-locator")):
        stored = json.loads(json.dumps({"task": task, **config.to_dict()}))
        assert experiment_of(stored) == config


EXPERIMENTS = sorted(path for path in CONFIGS.glob("*.toml") if "\nbase = " not in path.read_text(encoding="utf8"))
"""All but the sweeps, which name an experiment as their base."""


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_recipes_are_read(path):
    assert load_experiment(path).name


def test_the_released_recipe():
    config = load_config(CONFIGS / "bone-age-299px.toml")
    expected = BoneAgeConfig()
    assert (config.network, config.augment) == (expected.network, expected.augment)
    assert config.optimiser.stages == (Stage(5, 112, 88), Stage(9, 160, 128))
    assert config.test_views == expected.test_views == SIX_VIEWS


def test_runs_that_go_on_have_the_network_that_they_start_from():
    names = ("299px", "continued", "consistent", "distilled")
    first, second, third, last = (load_config(CONFIGS / f"bone-age-{name}.toml") for name in names)
    assert (first.network, third.network) == (second.network, last.network)
    assert third.network == replace(first.network, smooth_strides=True)  # which adds no weight
    assert (first.folds, first.test_views) == (second.folds, second.test_views)
    assert (third.folds, third.test_views, third.augment) == (last.folds, last.test_views, last.augment)
    assert load_config(CONFIGS / "bone-age-small.toml").test_views == (bone_age.TestView(0, 0, False),)


def test_the_locator_recipe_states_the_defaults():
    assert load_experiment(CONFIGS / "hand-locator.toml") == LocatorConfig()


def test_a_locator_recipe_is_no_bone_age_experiment():
    with pytest.raises(UsageError, match="hand-locator"):
        load_config(CONFIGS / "hand-locator.toml")
