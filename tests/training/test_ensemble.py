"""Ensembles of folds, seeds and architectures: joined by id, with a measured rule for their disagreement."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.bone_age import BoneAgeModel
from capitate.training.ensemble import join, load_joined
from capitate.training.out_of_fold import OutOfFold


def member(ids, centres, *, months=None):
    """Answers that lie on one month each."""
    given = np.eye(240, dtype=np.float32)[np.asarray(centres)]
    truth = np.asarray(centres if months is None else months, dtype=np.float32)
    return OutOfFold(np.array(ids), truth, np.zeros(len(ids), dtype=np.int64), given, given)


FIRST = member(["a", "b", "c"], [100, 50, 80])


def test_answers_are_joined_by_id_and_not_by_position():
    second = member(["c", "a", "b"], [84, 110, 50], months=[80, 100, 50])
    joined = join([FIRST, second])
    assert joined.films.ids.tolist() == ["a", "b", "c"]
    assert joined.films.given @ np.arange(240) == pytest.approx([105, 50, 82])
    assert joined.scatter == pytest.approx([10 / np.sqrt(2), 0, 4 / np.sqrt(2)])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (member(["a", "b"], [90, 50]), "do not answer for the same films, such as 'c'"),
        (member(["a", "b", "d"], [90, 50, 80]), "such as 'c'"),
        (member(["a", "b", "c", "d"], [90, 50, 80, 70]), "such as 'd'"),
        (member(["a", "b", "c"], [90, 50, 80], months=[100, 50, 81]), "other ages or sexes"),
        (FIRST, "one and two gave the same answers; give each member once"),
    ],
)
def test_members_that_do_not_fit_are_named(other, message):
    with pytest.raises(UsageError, match=message):
        join([FIRST, other], names=["one", "two"])


def test_the_rule_marks_a_share_of_the_films_and_says_how_far_off_they_are():
    ids = [str(k) for k in range(100)]
    truth = np.full(100, 100)
    apart = np.where(np.arange(100) < 5, 20, np.arange(100) % 2)
    joined = join([member(ids, truth, months=truth), member(ids, truth + 2 * apart, months=truth)])
    rule = joined.disagreement()
    assert (rule.share, rule.films) == (0.05, 100)
    assert np.sqrt(2) < rule.months <= 40 / np.sqrt(2) + 1e-9
    assert rule.mae_marked > 5 * rule.mae_others
    assert join([FIRST]).disagreement() is None


def test_files_for_the_same_films_are_joined_and_others_lie_beside_them(tmp_path):
    parts = {
        "fold-0-seed-0": FIRST,
        "fold-1-seed-0": member(["d", "e"], [30, 40]),
        "fold-0-seed-1": member(["b", "c", "a"], [52, 80, 100], months=[50, 80, 100]),
        "fold-1-seed-1": member(["e", "d"], [44, 30], months=[40, 30]),
    }
    paths = [tmp_path / f"{name}.npz" for name in parts]
    for path, part in zip(paths, parts.values(), strict=True):
        part.save(path)
    joined = load_joined(paths)
    assert joined.films.ids.tolist() == ["a", "b", "c", "d", "e"]
    assert joined.films.given @ np.arange(240) == pytest.approx([100, 51, 80, 30, 42])
    assert joined.scatter * np.sqrt(2) == pytest.approx([0, 2, 0, 0, 4])
    alone = load_joined(paths[:2])
    assert np.isnan(alone.scatter).all()
    assert alone.to_json() == {}
    member(["c", "f"], [80, 90]).save(tmp_path / "across.npz")
    with pytest.raises(UsageError, match="share 1 films, such as 'c', but not all"):
        load_joined([paths[0], tmp_path / "across.npz"])


def test_seeds_and_architectures_of_every_fold_become_one_bundle(two, saved, runs, tmp_path):
    pytest.importorskip("torch")
    from capitate.training.bone_age_run import run_bone_age
    from capitate.training.bundling import bundle_runs
    from capitate.training.card_text import card_text

    wider = replace(two, seed=7, network=replace(two.network, widths=(8, 8, 16, 24)))
    others = [tmp_path / f"wider-{k}" for k in (0, 1)]
    for k, folder in enumerate(others):
        run_bone_age(wider, saved, folder, fold=k)
    bundle = bundle_runs([*runs, *others], tmp_path / "bundle")
    card = bundle.card
    assert card["networks"] == ["fold-0-0.onnx", "fold-0-1.onnx", "fold-1-0.onnx", "fold-1-1.onnx"]
    assert card["held_out"] == [0, 0, 1, 1]
    assert [one["network"]["widths"][3] for one in card["training"]["configurations"]] == [16, 24]
    assert len(card["member_calibrations"]) == 2
    model = BoneAgeModel(bundle, threads=1)
    assert len(model._sessions) == 4
    assert model.disagreement is not None
    assert model.disagreement.films == 32
    assert model.disagreement.sentence() in card_text(card)
    assert len(BoneAgeModel(bundle, threads=1, member=1)._sessions) == 2
    with pytest.raises(UsageError, match="folds 0 to 1, as many runs each"):
        bundle_runs([*runs, others[0]], tmp_path / "uneven")


def test_the_calibrate_command_joins_members(runs, tmp_path, capsys):
    from capitate.cli import main

    films = OutOfFold.load([runs[0] / "out-of-fold.npz"])
    moved = np.roll(films.given, 4, axis=1)
    shuffled = np.random.default_rng(0).permutation(len(films))
    parts = (films.ids, films.months, films.sexes, moved, moved)
    OutOfFold(*(part[shuffled] for part in parts)).save(tmp_path / "second.npz")
    with pytest.raises(SystemExit) as end:
        main(["calibrate", str(runs[0]), str(tmp_path / "second.npz"), "--out", str(tmp_path / "report.json")])
    assert int(end.value.code or 0) == 0
    rule = json.loads((tmp_path / "report.json").read_text())["disagreement"]
    assert rule["films"] == len(films)
    assert f"disagree where their ages scatter by {rule['months']:.2f} months" in capsys.readouterr().out
