"""Cards: every field of the published forms has a value, the page lists them, and nothing is claimed that is not so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.bundle import bundle_names, load_bundle
from capitate.training.card_about import About, read_about
from capitate.training.card_standards import CHAI, HL7, at
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card, described
from capitate.training.demographics import counted, counted_from_coverage, demographics
from capitate.training.key_metrics import key_metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "model-cards.md"
ABOUT = ROOT / "configs" / "about" / "released.toml"


def card(**values):
    needed = {"name": "mine", "version": "1", "task": "bone-age", "networks": ["model.onnx"], "training": {}}
    return compose_card(**{**needed, **values})


@pytest.mark.parametrize("name", bundle_names())
def test_every_field_of_the_published_forms_has_a_value(name):
    bundle = load_bundle(name)
    made = described({**bundle.card, "demographics": {"training": "x"}}, training_ids=bundle.training_ids)
    for path in (*CHAI.values(), *HL7.values()):
        if path == "key_metrics.*.results":
            continue
        assert all(value not in ("", [], {}, None) for value in at(made, path)), path
    assert made["key_metrics"]["usefulness"]["results"]


def test_the_page_lists_the_fields_as_the_code_has_them():
    rows = re.findall(r"^\| `([A-Za-z0-9/.*]+)` \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    found = {element: ", ".join(re.findall(r"`([^`]+)`", keys)) for element, keys in rows if not element.islower()}
    assert found == {**CHAI, **HL7}


def test_the_page_lists_what_a_maker_can_say():
    told = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert told == set(About.__dataclass_fields__)


def test_described_anew_a_card_keeps_what_runs_it_and_what_was_measured():
    before = load_bundle("bone-age").card
    after = described(before, training_ids=load_bundle("bone-age").training_ids, about=About(date="2026-11-21"))
    said_anew = {"about", "developer", "release", "transparency"}
    assert {key for key in before if after[key] != before[key]} == said_anew
    assert after["licence"] == before["licence"]
    assert described(after, training_ids=load_bundle("bone-age").training_ids) == after


def test_sentences_follow_the_configuration():
    def made(sex="late", unknown=0.15, removed=True):
        training = {"configuration": {"network": {"sex": sex}, "optimiser": {"unknown_sex": unknown}}}
        one = card(training=training, runtime={"surroundings_removed": removed})
        return " ".join([*one["intended_use"], *one["bias_mitigation"]])

    assert "trained to answer without it" in made()
    assert "blackened" in made()
    assert "blackened" not in made(removed=False)
    assert "never learnt to answer without it" in made(unknown=0)
    assert "A share of the training films is shown without the sex" not in made(unknown=0)
    assert "Sex is no input." in made(sex="none")


def test_training_data_are_named_by_their_ids():
    released = load_bundle("bone-age").training_ids
    own = card(training_ids=frozenset({"a", "b"}))
    assert [one["name"] for one in own["training_data"]] == ["2 films of the table that the run was given"]
    assert not any("United States" in limit for limit in own["limits"])
    both = card(training_ids=released | {"a"}, about=About(data=("Films of our hospital, 2019",)))
    assert [one["name"][:4] for one in both["training_data"]] == ["RSNA", "Film"]
    assert any("United States" in limit for limit in both["limits"])


def test_what_the_maker_says_stands_in_the_card_and_survives_a_copy(tmp_path):
    path = tmp_path / "about.toml"
    path.write_text('developer = "We"\ncontact = "we@example.org"\nfunding = "a grant"\ndate = "2026-01-02"\n')
    made = card(about=read_about(path))
    assert made["developer"] == {"name": "We", "contact": "we@example.org"}
    assert (made["release"]["date"], made["transparency"]["funding"]) == ("2026-01-02", "a grant")
    assert described(made)["developer"] == made["developer"]
    assert "we@example.org" in card_text(made)
    assert card()["developer"]["name"] == "not stated"
    path.write_text('developr = "We"\n')
    with pytest.raises(UsageError, match=r"unknown key developr; known here: availability, consent"):
        read_about(path)
    with pytest.raises(UsageError, match="give a TOML file"):
        read_about(tmp_path / "none.toml")


def test_children_are_counted():
    months, sexes = np.array([10.0, 70, 70, 200], dtype=np.float32), np.array([0, 0, 1, 2])
    found = counted(months, sexes)
    assert found["by_sex"] == {"female": 2, "male": 1, "unknown": 1}
    assert list(found["by_age"].values()) == [1, 2, 0, 1]
    assert found["bone_age_months"] == {"mean": 87.5, "sd": 80.2, "least": 10.0, "greatest": 200.0}


def test_children_of_a_released_bundle_are_those_of_its_calibration():
    bundle = load_bundle("bone-age")
    found = counted_from_coverage(bundle.card["coverage"])
    assert found["by_sex"] == {"female": 5778, "male": 6833}
    assert sum(found["by_age"].values()) == 12611
    whole = demographics(bundle.training_ids, bundle.card["coverage"], held_out=[None])
    assert whole["training"] == whole["evaluation"] == found
    half = demographics(bundle.training_ids, bundle.card["coverage"], held_out=[0])
    assert "not counted" in half["training"]


def test_figures_are_sorted_by_what_they_answer_for():
    texts = {"goals": dict.fromkeys(("usefulness", "fairness", "safety"), "g")}
    texts |= dict.fromkeys(("test_type", "evaluation_data", "validation"), "t")
    names = {
        "mean absolute error, sex given": 7.0,
        "mean absolute error, girls": 7.5,
        "mean absolute error, boys": 7.1,
        "mean absolute error, given, 0-59 months": 6.0,
        "mean absolute error, given, 180+ months": 9.0,
        "coverage of the interval, sex given": 0.9,
    }
    figures = [{"name": name, "value": value, "unit": "months"} for name, value in names.items()]
    found = key_metrics(texts, [*figures, {"name": "odd", "value": 1, "category": "safety"}])
    assert found["usefulness"]["results"] == ["mean absolute error, sex given"]
    assert len(found["fairness"]["results"]) == 4
    assert found["safety"]["results"] == ["coverage of the interval, sex given", "odd"]
    assert "girls and boys differ by up to 0.40 months" in found["fairness"]["interpretation"]
    assert "age bands differ by up to 3.00 months" in found["fairness"]["interpretation"]
    assert "refusals were not counted" in found["safety"]["interpretation"]


def test_released_cards_are_what_the_command_makes_of_them(tmp_path):
    pytest.importorskip("torch")
    from capitate.training.bundle_folder import BundleOptions
    from capitate.training.rebundling import rebundle

    for name in bundle_names():
        bundle = load_bundle(name)
        own = ABOUT.with_name(f"{name}.toml")
        about = own if own.is_file() else ABOUT
        copy = rebundle(name, tmp_path / name, options=BundleOptions(about=read_about(about)))
        assert copy.sha256 == bundle.sha256, f"run: capitate export {name} --about configs/about/{about.name}"
        assert json.loads((copy.folder / "card.json").read_text(encoding="utf-8")) == bundle.card


def test_a_grader_taught_by_bone_ages_says_that_nobody_graded_its_joints():
    by_age = card(task="joint-grades", training={"labels": "bone_age"})
    graded = card(task="joint-grades", training={"labels": "grades"}, training_ids=frozenset({"mine-1"}))
    assert by_age["limits"][0].startswith("Nobody graded the joints")
    assert "grade_onsets" in by_age["limits"][0]
    assert by_age["limits"][-len(graded["limits"]) :] == graded["limits"]
    assert not any("Nobody graded" in one for one in graded["limits"])
    assert by_age["population"] != graded["population"]


@pytest.mark.parametrize("task", ["joint-detector", "outlines"])
def test_what_holds_for_the_public_films_is_said_of_these_alone(task):
    ours, theirs = card(task=task), card(task=task, training_ids=frozenset({"mine-1"}))
    assert "RSNA" in ours["limits"][0]
    assert ours["limits"][-len(theirs["limits"]) :] == theirs["limits"]
    assert not any("RSNA" in one for one in theirs["limits"])


def test_a_card_tells_no_folders_of_weights_to_begin_with():
    began = {"network": {"weights": "/home/somebody/runs/joints-0/weights.safetensors"}}
    one = card(task="abnormality", training={"configuration": began}, training_ids=frozenset({"mine-1"}))
    several = card(
        task="abnormality", training={"configurations": [began, {"network": {}}]}, training_ids=frozenset({"a"})
    )
    assert one["training"]["configuration"]["network"]["weights"] == "joints-0/weights.safetensors"
    assert "somebody" not in json.dumps([one, several])
    assert several["training"]["configurations"][1] == {"network": {}}
