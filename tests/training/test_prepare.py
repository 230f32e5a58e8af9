"""Preparation: the same objects and bytes as assessment, labels kept with their films."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from capitate import files
from capitate.assessor import Assessor
from capitate.errors import UsageError
from capitate.phantom import draw
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.view_mask import view_mask
from capitate.runtime.views import SQUASH_SIZE, ViewRule, squash
from capitate.training.layouts import read_any
from capitate.training.prepare import prepare_views, read_rule, squashed_films
from capitate.training.view_store import ViewStore
from capitate.types import Sex

RULE = ViewRule()


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Three drawn films: as drawn, negated at 16 bit, and of the other sex; and one that is damaged."""
    folder = tmp_path_factory.mktemp("films")
    for name, sex, months in (("7", Sex.FEMALE, 60), ("11", Sex.MALE, 150), ("5", Sex.MALE, 96)):
        pixels = draw(age_months=months, sex=sex, height=420, seed=months).radiograph.pixels
        if name == "11":
            Image.fromarray(np.rint((1 - pixels) * 65535).astype(np.uint16)).save(folder / f"{name}.png")
        else:
            Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "bad.png").write_bytes((folder / "7.png").read_bytes()[:500])
    rows = "7.png,F,60\nbad.png,F,70\n11.png,M,150\n5.png,M,96\n"
    (folder / "films.csv").write_text(f"path,sex,bone_age_months\n{rows}", encoding="utf8")
    return folder / "films.csv"


@pytest.fixture(scope="module")
def prepared(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    return folder, prepare_views(read_any(table), folder, rule=RULE)


@pytest.mark.parametrize("rule", [RULE, ViewRule(160, 128, source=800, proportions=True)])
def test_training_and_assessment_see_the_same_bytes(table, rule, monkeypatch, tmp_path):
    """The view that the assessor gives to the network, caught on its way, is the one in the store inside its mask."""
    prepare_views(read_any(table), tmp_path, rule=rule)
    store = ViewStore.load(tmp_path)
    seen = {}
    answer = BoneAgeModel.answer

    def catch(model, views, sexes):
        seen["views"] = views
        return answer(model, views, sexes)

    monkeypatch.setattr(BoneAgeModel, "answer", catch)
    assessor = Assessor(threads=1)
    assessor.bone_age.rule = rule
    for name, stored, mask in zip(store.ids, store.views, store.masks, strict=True):
        assessor.assess(table.parent / f"{name}.png")
        visible = np.where(mask, stored, np.uint8(0))
        expected = np.stack([view.of(visible) for view in assessor.bone_age.test_views])
        assert seen["views"][0].tobytes() == expected.tobytes()


def test_sex_age_and_id_stay_with_their_film(prepared):
    store = ViewStore.load(prepared[0])
    assert list(zip(store.ids.tolist(), store.sexes.tolist(), store.months.tolist(), strict=True)) == [
        ("7", 0, 60.0),
        ("11", 1, 150.0),
        ("5", 1, 96.0),
    ]
    assert all(np.array_equal(view_mask(view), mask) for view, mask in zip(store.views, store.masks, strict=True))


def test_a_damaged_film_is_refused_by_name(prepared):
    folder, refused = prepared
    assert [one.id for one in refused] == ["bad"]
    assert json.loads((folder / "refused.json").read_text())[0]["code"] == refused[0].code


def test_the_rule_is_kept(prepared):
    assert read_rule(prepared[0]) == RULE


def test_a_store_without_its_rule_is_an_error(tmp_path):
    with pytest.raises(UsageError, match=r"view\.json"):
        read_rule(tmp_path)


def test_processes_change_nothing(table, prepared, tmp_path):
    prepare_views(read_any(table), tmp_path, rule=RULE, workers=2)
    assert (tmp_path / "views.npy").read_bytes() == (prepared[0] / "views.npy").read_bytes()


def test_whole_films(table, tmp_path):
    rule = ViewRule(40, 32, (0, 0, 0, 0))
    prepare_views(read_any(table), tmp_path, rule=rule, whole_film=True)
    assert ViewStore.load(tmp_path).views.shape == (3, 40, 32)
    assert json.loads((tmp_path / "view.json").read_text())["locator_sha256"] is None


def test_squashed_films_are_those_of_assessment(table):
    films, refused = squashed_films(read_any(table))
    assert films.ids == ("7", "11", "5")
    assert films.pixels.shape == (3, SQUASH_SIZE, SQUASH_SIZE)
    square = squash(files.read(table.parent / "7.png").pixels)
    assert np.abs(films.pixels[0] / 255 - square).max() <= 0.5 / 255 + 1e-6
    assert len(refused) == 1


def test_no_usable_film(table):
    with pytest.raises(UsageError, match="none of 1 films"):
        squashed_films([study for study in read_any(table) if study.id == "bad"])
