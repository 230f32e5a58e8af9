"""Runs that read their films while training: the same network as from prepared views, and no film is ever replaced."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.views import ViewRule  # noqa: E402
from capitate.training.bone_age_run import run_bone_age  # noqa: E402
from capitate.training.layouts import read_any  # noqa: E402
from capitate.training.prepare import prepare_views  # noqa: E402
from capitate.training.settings.data import OnUnreadable, ReadingConfig  # noqa: E402
from capitate.training.settings.validation import ValidationConfig  # noqa: E402
from capitate.training.validation import kept_back  # noqa: E402

FILMS = 24
WHOLE = ReadingConfig(workers=0, height=64, width=48, whole_film=True)


@pytest.fixture
def table(tmp_path):
    """Films with patients, two of each, drawn as noise around a brightness that follows the age."""
    random = np.random.default_rng(0)
    folder = tmp_path / "films"
    folder.mkdir()
    with (folder / "films.csv").open("w", encoding="utf8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "sex", "bone_age_months", "patient_id"])
        for k in range(FILMS):
            pixels = random.integers(0, 60, (70, 60)) + 7 * k
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{k}.png")
            writer.writerow([f"{k}.png", ("female", "male")[k % 2], 20 + 8 * k, f"patient {k // 2}"])
    return folder / "films.csv"


@pytest.fixture
def config(tiny):
    return replace(tiny, reading=WHOLE, folds=3)


def weights(folder):
    return load_file(folder / "weights.safetensors")


@pytest.mark.parametrize("workers", [0, 1])
def test_films_read_while_training_teach_what_prepared_views_teach(table, config, tmp_path, workers):
    prepare_views(read_any(table), tmp_path / "store", rule=ViewRule(64, 48, (0, 0, 0, 0)), whole_film=True)
    run_bone_age(config, tmp_path / "store", tmp_path / "prepared", fold=0)
    reading = replace(config, reading=replace(WHOLE, workers=workers))
    run_bone_age(reading, table, tmp_path / "read", fold=0)
    first, second = weights(tmp_path / "prepared"), weights(tmp_path / "read")
    assert all(torch.equal(first[name], second[name]) for name in first)
    views = [json.loads((tmp_path / run / "view.json").read_text()) for run in ("prepared", "read")]
    assert views[0] == views[1]
    metrics = [(tmp_path / run / "metrics.json").read_text() for run in ("prepared", "read")]
    assert metrics[0] == metrics[1]


def test_a_film_that_cannot_be_read_stops_the_run_or_is_left_out_by_name(table, config, tmp_path, caplog):
    (table.parent / "5.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture follows")
    with pytest.raises(UsageError, match=r"the film '5' cannot be read \(.*\): .*reading.on_unreadable = 'skip'"):
        run_bone_age(config, table, tmp_path / "stopped")
    skip = replace(WHOLE, on_unreadable=OnUnreadable.SKIP, most_unreadable=0.1)
    run_bone_age(replace(config, reading=skip), table, tmp_path / "run")
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["notes"] == ["1 films could not be read and were left out: 5."]
    assert card["notes"][0] in (tmp_path / "run" / "card.md").read_text()
    assert "film 5 cannot be read" in caplog.text
    assert len((tmp_path / "run" / "history.csv").read_text(encoding="utf8").splitlines()) == 4


def test_a_held_out_film_that_cannot_be_read_is_not_predicted(table, config, tmp_path):
    from capitate.training.folds import fold_of
    from capitate.training.out_of_fold import OutOfFold

    held_out = [str(k) for k in range(FILMS) if fold_of(f"patient {k // 2}", folds=3) == 0]
    (table.parent / f"{held_out[1]}.png").write_bytes(b"nothing")
    skip = replace(WHOLE, on_unreadable=OnUnreadable.SKIP, most_unreadable=0.1)
    run_bone_age(replace(config, reading=skip), table, tmp_path / "run", fold=0)
    answered = OutOfFold.load([tmp_path / "run" / "out-of-fold.npz"]).ids.tolist()
    assert answered == [one for one in held_out if one != held_out[1]]


def test_films_of_one_patient_are_kept_back_together(table, config, tmp_path):
    kept = replace(config, validation=ValidationConfig(share=0.4))
    run_bone_age(kept, table, tmp_path / "run")
    ids = {int(one) for one in (tmp_path / "run" / "validation-ids.txt").read_text().split()}
    assert ids
    assert ids == {2 * (k // 2) + both for k in ids for both in (0, 1)}
    chosen = kept_back([f"patient {k // 2}" for k in range(FILMS)], share=0.4)
    assert ids == set(np.flatnonzero(chosen).tolist())


def test_a_scalar_head_gets_its_spread_from_the_films_kept_back(table, config, tmp_path):
    network = replace(config.network, head="scalar", target="z-score")
    scalar = replace(
        config,
        network=network,
        optimiser=replace(config.optimiser, loss="l1"),
        validation=ValidationConfig(share=0.4),
    )
    figures = run_bone_age(scalar, table, tmp_path / "run")
    assert float(weights(tmp_path / "run")["reading.scale_months"]) == pytest.approx(
        figures["validation_mae"], rel=1e-3
    )
    without = replace(scalar, validation=ValidationConfig())
    run_bone_age(without, table, tmp_path / "without")
    assert float(weights(tmp_path / "without")["reading.scale_months"]) == 10.0


def test_films_of_one_patient_are_on_one_fold_and_evaluation_knows_it(table, config, tmp_path):
    """Folds hang on the patient where the table tells one; a bundle keeps them, since ids alone do not give them."""
    pytest.importorskip("onnx")
    from capitate.evaluation.predictor import BundleWeights
    from capitate.training.bundle_folder import BundleOptions
    from capitate.training.bundling import bundle_runs
    from capitate.training.folds import fold_of
    from capitate.training.runs import Run

    two = replace(config, folds=2)
    folders = [tmp_path / f"fold-{fold}" for fold in (0, 1)]
    for fold, folder in enumerate(folders):
        run_bone_age(two, table, folder, fold=fold)
    known = [Run.load(folder).training_ids for folder in folders]
    for k in range(FILMS):
        held_out = fold_of(f"patient {k // 2}", folds=2)
        assert [str(k) in ids for ids in known] == [held_out == 1, held_out == 0]
    bundle = bundle_runs(folders, tmp_path / "bundle", options=BundleOptions(limit=240.0))
    assert len(bundle.training_folds) == FILMS
    weights_of = BundleWeights(str(tmp_path / "bundle"), out_of_fold=True)
    assert [weights_of.members(str(k)) for k in range(FILMS)] == [
        fold_of(f"patient {k // 2}", folds=2) for k in range(FILMS)
    ]
    assert weights_of.members("a film of somebody else") is None
