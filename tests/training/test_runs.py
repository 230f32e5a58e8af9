"""From a store to a bundle: run folders, teachers, resuming, export, and the commands."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from capitate.cli import main  # noqa: E402
from capitate.errors import UsageError  # noqa: E402
from capitate.runtime import bone_age  # noqa: E402
from capitate.runtime.bone_age import BoneAgeModel, smoothed  # noqa: E402
from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.training.bone_age_run import run_bone_age  # noqa: E402
from capitate.training.bundle_folder import BundleOptions  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.calibrate import calibrate, fit  # noqa: E402
from capitate.training.card_text import card_text  # noqa: E402
from capitate.training.config import SIX_VIEWS  # noqa: E402
from capitate.training.held_out import answer_again  # noqa: E402
from capitate.training.out_of_fold import OutOfFold  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.related_runs import load_bone_age_run, teach  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.training.settings.record import RecordConfig  # noqa: E402
from capitate.training.settings.validation import ValidationConfig  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402
from capitate.types import Sex  # noqa: E402


def test_a_run_says_what_it_learnt_from_and_predicts_the_rest(runs, saved):
    store = ViewStore.load(saved)
    first, second = (Run.load(folder) for folder in runs)
    assert first.training_ids | second.training_ids == set(store.ids)
    assert not first.training_ids & second.training_ids
    assert (first.fold, second.fold, first.config["seed"], second.config["seed"]) == (0, 1, 0, 1)
    part = OutOfFold.load([first.out_of_fold])
    assert set(part.ids) == second.training_ids
    network, config = load_bone_age_run(first)
    assert config.test_views == SIX_VIEWS
    rows = np.array([list(store.ids).index(name) for name in part.ids])
    for sex, found in ((None, part.given), (2, part.unknown)):
        expected = smoothed(
            predict(network, store, rows, sex=sex, test_views=SIX_VIEWS, surroundings_removed=True), 3.0
        )
        assert found == pytest.approx(expected, abs=1e-6)


def test_the_folder_tells_the_whole_run(two, saved, tmp_path):
    chosen = replace(two, validation=ValidationConfig(share=0.3), record=RecordConfig(every=1))
    figures = run_bone_age(chosen, saved, tmp_path / "run", fold=0)
    run = Run.load(tmp_path / "run")
    held_out = set(OutOfFold.load([run.out_of_fold]).ids)
    assert not run.training_ids & held_out
    assert run.validation_ids < run.training_ids
    card = json.loads((run.folder / "card.json").read_text(encoding="utf8"))
    assert card["data"]["films_learnt_from"] + card["data"]["films_kept_back"] == len(run.training_ids)
    assert card["data"]["views_sha256"] == run.split["views_sha256"]
    assert f"on {len(run.validation_ids)} films kept back" in card["weights"]
    assert "the held-out fold chose nothing" in (run.folder / "card.md").read_text(encoding="utf8")
    history = list(csv.DictReader((run.folder / "history.csv").read_text(encoding="utf8").splitlines()))
    best = min(float(line["validation_mae"]) for line in history)
    assert figures["validation_mae"] == pytest.approx(best, abs=1e-4)
    assert (run.folder / "weights.safetensors").read_bytes() == (run.folder / "best.safetensors").read_bytes()
    part = OutOfFold.load([run.out_of_fold])
    error = quantile(part.given, 0.5) - part.months
    assert figures["mae"] == pytest.approx(np.abs(error).mean(), abs=1e-4)
    assert figures["rmse"] == pytest.approx(np.sqrt(np.square(error).mean()), abs=1e-4)
    spread = np.square(part.months - part.months.mean()).sum()
    assert figures["r2"] == pytest.approx(1 - np.square(error).sum() / spread, abs=1e-4)
    assert (run.folder / "tensorboard").is_dir()


def test_films_that_choose_must_be_new_to_the_start(runs, two, saved, tmp_path):
    chosen = replace(two, validation=ValidationConfig(share=0.3))
    with pytest.raises(
        UsageError, match=r"fold-1 has learnt from \d+ of the \d+ films that validation\.share keeps back"
    ):
        run_bone_age(chosen, saved, tmp_path / "on", fold=1, start=runs[1])
    run_bone_age(chosen, saved, tmp_path / "first", fold=1)
    run_bone_age(chosen, saved, tmp_path / "on", fold=1, start=tmp_path / "first")
    first, second = (Run.load(tmp_path / name) for name in ("first", "on"))
    assert first.validation_ids == second.validation_ids


def test_other_views_under_the_same_labels_are_noticed(runs, two, saved):
    views = np.load(saved / "views.npy")
    np.save(saved / "views.npy", views[:, ::-1])
    with pytest.raises(UsageError, match="another views_sha256"):
        run_bone_age(two, saved, runs[0], fold=0)


def test_a_finished_run_is_not_trained_again(runs, two, saved):
    before = (runs[0] / "weights.safetensors").read_bytes()
    run_bone_age(two, saved, runs[0], fold=0)
    assert (runs[0] / "weights.safetensors").read_bytes() == before


def test_a_folder_of_another_experiment_is_refused(runs, two, saved):
    changed = replace(two, optimiser=replace(two.optimiser, batch=4))
    with pytest.raises(UsageError, match=r"optimiser\.batch: 8 there, 4 here"):
        run_bone_age(changed, saved, runs[0], fold=0)
    with pytest.raises(UsageError, match="seed"):
        run_bone_age(two, saved, runs[0], fold=1)


def test_what_does_not_fit_is_named(two, saved, tmp_path):
    loss = replace(two, optimiser=replace(two.optimiser, loss="mae"))
    for config, fold, data, says in (
        (loss, 0, saved, r"optimiser\.loss must be one of .*got 'mae'"),
        (two, 2, saved, "--fold must be 0 to 1, got 2"),
        (two, 0, tmp_path / "none", "none is not there; give views made with"),
    ):
        with pytest.raises(UsageError, match=says):
            run_bone_age(config, data, tmp_path / "run", fold=fold)


def test_teachers_that_have_seen_the_held_out_fold_stay_silent(runs, two, saved, tmp_path, monkeypatch):
    asked = []

    def listen(store, teachers, **others):
        asked.extend(run.folder.name for run in teachers)
        return teach(store, teachers, **others)

    monkeypatch.setattr("capitate.training.bone_age_run.teach", listen)
    pupil = replace(two, optimiser=replace(two.optimiser, distil=0.5))
    run_bone_age(pupil, saved, tmp_path / "pupil", fold=1, teachers=runs)
    assert asked == ["fold-1"]
    with pytest.raises(UsageError, match="every teacher"):
        run_bone_age(pupil, saved, tmp_path / "other", fold=0, teachers=runs[1:])
    with pytest.raises(UsageError, match="distillation needs both"):
        run_bone_age(pupil, saved, tmp_path / "other", fold=0)


def test_an_exported_bundle_answers_as_the_runs_do(runs, saved, tmp_path):
    bundle = bundle_runs(runs[::-1], tmp_path / "bundle", options=BundleOptions(name="mine", version="3"))
    store = ViewStore.load(saved)
    assert bundle.card["networks"] == ["fold-0.onnx", "fold-1.onnx"]
    assert bundle.training_ids == set(store.ids)
    assert (bundle.name, bundle.reference.version) == ("mine", "3")
    model = BoneAgeModel(bundle, threads=1)
    assert (model.rule.height, model.rule.width, model.rule.margins) == (64, 48, (0.13, 0.17, 0.13, 0.25))
    rows = np.arange(6)
    members = [load_bone_age_run(Run.load(folder))[0] for folder in runs]
    assert model.test_views == SIX_VIEWS
    expected = np.mean([predict(one, store, rows, sex=1, test_views=SIX_VIEWS) for one in members], axis=0)
    views = np.stack([[view.of(one) for view in SIX_VIEWS] for one in store.views[:6]])
    assert model.predict(views, [Sex.MALE] * 6) == pytest.approx(smoothed(expected, 3.0), abs=1e-3)
    assert len(bundle.card["coverage"]) == 24
    text = card_text(bundle.card)
    assert "predictions out of fold by fold-0, fold-1" in text
    for part in ("Halabi", "non-commercial research only", "not a medical device", "## Not for", "capitate calibrate"):
        assert part in text


def test_each_network_of_an_ensemble_is_calibrated_on_the_other_folds(runs, tmp_path):
    bundle = bundle_runs(runs, tmp_path / "bundle")
    parts = [OutOfFold.load([Run.load(folder).out_of_fold]) for folder in runs]
    assert bundle.card["member_calibrations"] == [fit(part).to_card() for part in reversed(parts)]
    assert bundle.card["calibration"] == fit(OutOfFold.load([folder / "out-of-fold.npz" for folder in runs])).to_card()
    for member, part in enumerate(reversed(parts)):
        assert BoneAgeModel(bundle, threads=1, member=member).calibration == fit(part)
    assert "member_calibrations" not in bundle_runs(runs[:1], tmp_path / "one", options=calibrated(runs, tmp_path)).card


def calibrated(runs, folder):
    """Options with a calibration of two folds."""
    report = calibrate(OutOfFold.load([run / "out-of-fold.npz" for run in runs])).to_json()
    path = folder / "two.json"
    path.write_text(json.dumps({"of": ["fold-0", "fold-1"], **report}), encoding="utf8")
    return BundleOptions(calibration=path)


def test_export_refuses_what_does_not_belong_together(runs, two, saved, tmp_path):
    whole = tmp_path / "whole"
    run_bone_age(two, saved, whole)
    with pytest.raises(UsageError, match="give --calibration"):
        bundle_runs([whole], tmp_path / "bundle")
    with pytest.raises(UsageError, match="folds 0 to 1"):
        bundle_runs([runs[0], runs[0]], tmp_path / "bundle")
    other = tmp_path / "other"
    run_bone_age(replace(two, test_views=SIX_VIEWS[:3]), saved, other, fold=1)
    with pytest.raises(UsageError, match="share test views"):
        bundle_runs([runs[0], other], tmp_path / "bundle")
    with pytest.raises(UsageError, match="something else"):
        bundle_runs(runs, saved)
    assert not (tmp_path / "bundle").exists()


def test_held_out_films_are_predicted_anew_by_other_views(runs, two, saved, tmp_path):
    store = ViewStore.load(saved)
    again = answer_again(runs[1], store)
    kept = OutOfFold.load([runs[1] / "out-of-fold.npz"])
    assert again.ids.tolist() == kept.ids.tolist()
    assert again.given == pytest.approx(kept.given, abs=1e-6)
    other = answer_again(runs[1], store, changes=["test_views=[[0, 0, true]]", "smoothing_months=0.0"])
    network = load_bone_age_run(Run.load(runs[1]))[0]
    rows = np.flatnonzero(store.folds(two.folds) == 1)
    expected = predict(network, store, rows, test_views=[bone_age.TestView(0, 0, True)], surroundings_removed=True)
    assert other.given == pytest.approx(expected, abs=1e-4)
    run_bone_age(two, saved, tmp_path / "whole")
    with pytest.raises(UsageError, match="learnt from every film"):
        answer_again(tmp_path / "whole", store)
    strangers = np.flatnonzero(store.folds(two.folds) != 1)
    others = ViewStore(*(getattr(store, name)[strangers] for name in ("ids", "views", "masks", "months", "sexes")))
    with pytest.raises(UsageError, match="the store holds none of its films in fold 1"):
        answer_again(runs[1], others)


def test_a_bundle_of_other_views_shares_the_networks(runs, tmp_path):
    whole = bundle_runs(runs, tmp_path / "whole", options=BundleOptions(name="whole"))
    views = ["test_views=[[0, 0, false]]"]
    options = BundleOptions(name="fewer", changes=views, shares=str(tmp_path / "whole"))
    fewer = bundle_runs(runs, tmp_path / "fewer", options=options)
    assert fewer.networks == whole.networks
    assert not list(fewer.folder.glob("*.onnx"))
    assert fewer.card["test_views"] == [[0, 0, False]]
    with pytest.raises(UsageError, match="holds other networks than these runs give"):
        bundle_runs(
            runs[:1], tmp_path / "one", options=replace(options, calibration=calibrated(runs, tmp_path).calibration)
        )


def test_the_commands(runs, saved, tmp_path, capsys):
    def call(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        return int(end.value.code or 0), capsys.readouterr()

    code, printed = call("predict", *runs, "--data", saved, "--out", tmp_path / "again.npz")
    assert (code, json.loads(printed.out)["films"]) == (0, len(OutOfFold.load([tmp_path / "again.npz"])))
    code, printed = call("predict", *runs, "--data", tmp_path, "--out", tmp_path / "again.npz")
    assert (code, "holds no views" in printed.err) == (2, True)
    code, printed = call("calibrate", *runs, "--out", tmp_path / "calibration.json")
    assert code == 0
    assert "Coverage of the 90 % interval" in printed.out
    code, printed = call("export", runs[0], "--out", tmp_path / "b", "--calibration", tmp_path / "calibration.json")
    assert code == 0, printed.err
    figures = tmp_path / "figures.json"
    figures.write_text('{"mae": 6}')
    code, printed = call("export", runs[0], "--out", tmp_path / "c", "--figures", figures)
    assert (code, "list of objects" in printed.err) == (2, True)
    config = tmp_path / "config.toml"
    config.write_text("[network]\nwidth = 3\n")
    code, printed = call("train", config, "--data", saved, "--out", tmp_path / "run", "--quiet")
    assert (code, "network.width" in printed.err) == (2, True)
    assert json.loads((tmp_path / "b" / "card.json").read_text())["name"] == "bone-age"
