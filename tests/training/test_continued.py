"""Runs that rest on others: begun with their weights, or taught by them on another store."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from capitate.cli import main  # noqa: E402
from capitate.errors import UsageError  # noqa: E402
from capitate.training import loop, task_run  # noqa: E402
from capitate.training.bone_age_run import run_bone_age  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.related_runs import load_bone_age_run, teach  # noqa: E402
from capitate.training.runs import Run, write_json  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402


@pytest.fixture
def begun(monkeypatch):
    """What the loop was given to start from."""
    caught = []

    def catch(*values, **named):
        caught.append(named["start"])
        return loop.train(*values, **named)

    monkeypatch.setattr(task_run, "train", catch)
    return caught


@pytest.fixture
def small(saved, tmp_path):
    """A store of other rows, other size and one film less."""
    store = ViewStore.load(saved)
    rows = np.arange(len(store.ids) - 1)[::-1]
    folder = tmp_path / "small"
    ViewStore(
        store.ids[rows],
        store.views[rows][:, :48, :40],
        store.masks[rows][:, :48, :40],
        store.months[rows],
        store.sexes[rows],
    ).save(folder)
    write_json(folder / "view.json", {"height": 48, "width": 40, "margins": [0, 0, 0, 0], "percentiles": [1, 99]})
    return folder


def test_a_run_begins_with_the_averaged_weights_of_another(runs, two, saved, tmp_path, begun):
    later = replace(two, seed=100, optimiser=replace(two.optimiser, loss="crps"))
    run_bone_age(later, saved, tmp_path / "on", fold=1, start=runs[1])
    first = load_bone_age_run(Run.load(runs[1]))[0].state_dict()
    assert all(torch.equal(begun[0][name], value) for name, value in first.items())
    run = Run.load(tmp_path / "on")
    assert run.split["start"] == Run.load(runs[1]).reference
    assert run.split["start"]["run"] == "fold-1"
    assert (run.config["seed"], run.training_ids) == (101, Run.load(runs[1]).training_ids)
    with pytest.raises(UsageError, match="holds a run with another start"):
        run_bone_age(later, saved, tmp_path / "on", fold=1)


def test_a_run_that_knows_the_held_out_fold_is_no_start(runs, two, saved, tmp_path):
    with pytest.raises(UsageError, match="held out fold 0 and has seen films of the fold held out here"):
        run_bone_age(two, saved, tmp_path / "on", fold=1, start=runs[0])
    assert not (tmp_path / "on").exists()


def test_another_network_is_no_start(runs, two, saved, tmp_path):
    wider = replace(two, network=replace(two.network, widths=(8, 8, 16, 24)))
    with pytest.raises(UsageError, match=r"another network\.widths: \(8, 8, 16, 16\) there, \(8, 8, 16, 24\) here"):
        run_bone_age(wider, saved, tmp_path / "on", fold=0, start=runs[0])
    free = replace(two, network=replace(two.network, dropout=0.0))
    run_bone_age(free, saved, tmp_path / "on", fold=0, start=runs[0])


def test_what_a_run_knows_includes_what_its_start_knew(runs, two, small, tmp_path):
    """The run that holds no fold out may start from any; the film that its own store lacks stays on its list."""
    run_bone_age(two, small, tmp_path / "on", start=runs[0])
    run = Run.load(tmp_path / "on")
    assert run.training_ids == set(ViewStore.load(small).ids) | Run.load(runs[0]).training_ids


def test_teachers_answer_on_their_own_store_joined_by_id(runs, saved, small):
    teachers, pupils = ViewStore.load(saved), ViewStore.load(small)
    run = Run.load(runs[0])
    whole = dict(zip(teachers.ids, teach(teachers, [run]), strict=True))
    joined = teach(pupils, [run], data=teachers)
    assert joined == pytest.approx(np.stack([whole[name] for name in pupils.ids]), abs=1e-5)
    network, _ = load_bone_age_run(run)
    assert joined[:, 1] == pytest.approx(predict(network, teachers, np.arange(31)[::-1], sex=1), abs=1e-5)
    with pytest.raises(UsageError, match=r"learnt from views of 64 x 48, the store has 48 x 40; .*--teacher-data"):
        teach(pupils, [run])
    with pytest.raises(UsageError, match=r"1 of 32 films are missing .*'1031'"):
        teach(teachers, [run], data=pupils)


def test_a_small_pupil_of_large_teachers(runs, two, saved, small, tmp_path):
    settings = replace(two.optimiser, distil=0.5, stages=two.optimiser.stages[:1])
    out = tmp_path / "pupil"
    run_bone_age(replace(two, optimiser=settings), small, out, fold=0, teachers=runs, teacher_data=saved)
    assert Run.load(out).split["teachers"] == [Run.load(runs[0]).reference]
    with pytest.raises(UsageError, match=r"--teacher-data .* is for teachers"):
        run_bone_age(two, small, tmp_path / "other", teacher_data=saved)
    bundle_runs([runs[0], runs[1]], tmp_path / "bundle")
    assert "taught by" not in json.loads((tmp_path / "bundle" / "card.json").read_text(encoding="utf8"))["training"]


def test_the_command(runs, two, saved, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text(
        "folds = 2\ntest_views = [[0, 0, false]]\n[network]\nwidths = [8, 8, 16, 16]\ndepths = [1, 1, 1, 1]\n"
        "hidden = 16\nsex_width = 8\n[optimiser]\nstages = [[1, 64, 48]]\nbatch = 8\ndistil = 0.5\n"
    )
    words = ["train", config, "--data", saved, "--out", tmp_path / "on", "--fold", 0, "--quiet", "--start", runs[0]]

    def call(*more):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in (*words, *more)])
        return int(end.value.code or 0), capsys.readouterr()

    code, printed = call("--teacher", runs[0], "--teacher-data", saved)
    assert code == 0, printed.err
    assert Run.load(tmp_path / "on").split["start"]["run"] == "fold-0"
    report = tmp_path / "calibration.json"
    with pytest.raises(SystemExit):
        main(["calibrate", *map(str, runs), "--out", str(report)])
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path / "on"), "--out", str(tmp_path / "b"), "--calibration", str(report)])
    card = json.loads((tmp_path / "b" / "card.json").read_text(encoding="utf8"))
    assert card["test_views"] == [[0, 0, False]]
    training = card["training"]
    assert (training["started from"], training["taught by"]) == (["fold-0"], ["fold-0"])
    assert training["calibration and figures"] == "predictions out of fold by fold-0, fold-1"
    code, printed = call("--start", tmp_path / "none", "--teacher", runs[0])
    assert (code, "none" in printed.err) == (2, True)
