"""The task `abnormality` on drawn films: every form of data, training, studies, thresholds, and its bundle."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate import files  # noqa: E402
from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.evaluation.abnormality.predictions import StudyPredictions  # noqa: E402
from capitate.evaluation.logistic_fit import fit_logistic  # noqa: E402
from capitate.runtime.abnormality import AbnormalityScreen  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.runtime.logistic import LogisticCalibration  # noqa: E402
from capitate.training.abnormality.batches import ScreenFeeder  # noqa: E402
from capitate.training.abnormality.films import read_screen_films  # noqa: E402
from capitate.training.abnormality.losses import unlabelled_loss  # noqa: E402
from capitate.training.abnormality.ranking import histograms, ranking_error  # noqa: E402
from capitate.training.abnormality.task import open_abnormality  # noqa: E402
from capitate.training.bundling import BundleOptions, bundle_runs  # noqa: E402
from capitate.training.config import load_experiment  # noqa: E402
from capitate.training.rebundling import rebundle  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.training.settings.abnormality import (  # noqa: E402
    OnFault,
    ScreenDataConfig,
    UnlabelledConfig,
    UnlabelledUse,
)

from .drawn_pictures import break_after, draw_film, draw_mura, save  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = (
    "network.backbone=resnet",
    "network.pretrained=false",
    "network.widths=[8, 8, 16, 16]",
    "network.depths=[1, 1, 1, 1]",
    "network.layers=linear 16, norm, relu",
    "optimiser.stages=[[2, 32, 32]]",
    "optimiser.batch=8",
    "freezing.layer_decay=1.0",
    "folds=2",
    "validation.share=0.4",
    "record.tensorboard=false",
)
THIRDS = ("folds=3", "validation.share=0.3")


@pytest.fixture(scope="module")
def mura(tmp_path_factory) -> Path:
    """Sixteen patients with two films each."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("mura") / "films"
    draw_mura(folder, patients=16)
    return folder


@pytest.fixture(scope="module")
def table(mura, tmp_path_factory) -> Path:
    """The same films as a table of studies, every fourth without a reading."""
    folder = tmp_path_factory.mktemp("studies")
    lines = ["id,label"]
    for k, study in enumerate(sorted(mura.glob("XR_*/*/*"))):
        name = f"{study.parent.parent.name[3:]}_{study.parent.name[-4:]}"
        for film in study.iterdir():
            shutil.copy(film, folder / f"{name}_{film.name}")
        label = "NA" if k % 4 == 3 else str(int(study.name.endswith("positive")))
        lines.append(f"{name},{label}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    return folder / "train.csv"


def experiment(*changes: str, name: str = "abnormality"):
    return load_experiment(CONFIGS / f"{name}.toml", overrides=[*TINY, *changes])


def run(config, data: Path, out: Path, *, fold: int | None = 0):
    return run_experiment(config, data, out, RunOptions(fold=fold))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(encoding="utf8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def runs(mura, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for fold in (0, 1):
        run(experiment("optimiser.stages=[[1, 32, 32]]"), mura, folder / str(fold), fold=fold)
    return [folder / "0", folder / "1"]


def test_splits_keep_patients_whole_and_rows_are_studies(mura, runs):
    patient = {film.relative_to(mura).as_posix(): film.parent.parent.name for film in mura.rglob("*.png")}
    known = Run.load(runs[0])
    held_out = {row["group"] for row in rows_of(runs[0])}
    learnt, kept = (
        {patient[i] for i in ids} for ids in (known.training_ids - known.validation_ids, known.validation_ids)
    )
    assert len(learnt) + len(kept) + len(held_out) == 16
    assert learnt | kept | held_out == set(patient.values())
    assert all(row["films"] == "2" for row in rows_of(runs[0]))
    assert all(
        ("positive" in row["study_id"]) == (row["abnormal"] == "1") or "study1" in row["study_id"]
        for row in rows_of(runs[0])
    )


def test_what_a_run_leaves(runs):
    figures = json.loads((runs[0] / "metrics.json").read_text())
    chosen = json.loads((runs[0] / "threshold.json").read_text())
    rows = rows_of(runs[0])
    assert figures["threshold"] == chosen["value"]
    assert set(figures["auc"]) == {"value", "low", "high"}
    assert set(figures["regions"]) == {"hand", "wrist"}
    called = np.array([float(row["probability"]) >= chosen["value"] for row in rows])
    abnormal = np.array([row["abnormal"] == "1" for row in rows])
    assert figures["sensitivity"]["value"] == pytest.approx(called[abnormal].mean(), abs=1e-6)
    assert figures["specificity"]["value"] == pytest.approx((~called[~abnormal]).mean(), abs=1e-6)
    curves = json.loads((runs[0] / "curves.json").read_text())
    assert sum(one["n"] for one in curves["calibration"]) == len(rows) == figures["n"]
    assert (curves["roc"]["sensitivity"][-1], curves["roc"]["specificity"][0]) == (1, 1)


def test_it_learns_what_is_drawn(tmp_path):
    """Abnormal films have a bright bar on noise."""
    random = np.random.default_rng(0)
    lines = ["path,abnormal"]
    for k in range(60):
        film = random.uniform(0, 0.5, (32, 32))
        if k % 2:
            film[10 + k % 9, 4:28] = 1
        save(film.astype(np.float32), tmp_path / f"{k}.png")
        lines.append(f"{k}.png,{k % 2}")
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    changes = ("optimiser.stages=[[12, 32, 32]]", "optimiser.learning_rate=0.01", "optimiser.average=0.9")
    still = ("augment.rotation=0", "augment.gamma=0", "validation.share=0.2", "augment.noise=0")
    figures = run(experiment(*changes, *still), tmp_path / "films.csv", tmp_path / "run")
    assert figures["auc"]["value"] > 0.9
    assert figures["sensitivity"]["value"] + figures["specificity"]["value"] > 1.5


@pytest.mark.parametrize("use", ["none", "consistency", "pseudo_labels"])
def test_studies_without_a_label(use, table, tmp_path):
    """Left out, or seen from the second epoch on; never judged."""
    settings = ("unlabelled.confidence=0.5", "loss.name=focal", "optimiser.average=0", "swa.epochs=1")
    figures = run(experiment(f"unlabelled.use={use}", *settings, *THIRDS), table, tmp_path / "run")
    assert "validation_epoch" not in figures, "the films kept back have labels of one kind"
    assert "no film chose them" in (tmp_path / "run" / "card.md").read_text()
    assert json.loads((tmp_path / "run" / "threshold.json").read_text())["value"] == 0.5
    known = Run.load(tmp_path / "run").training_ids
    unread = {line.split(",")[0] for line in table.read_text().splitlines() if line.endswith(",NA")}
    seen = {name.rpartition("_")[0] for name in known} & unread
    assert bool(seen) == (use != "none")
    assert not {row["study_id"] for row in rows_of(tmp_path / "run")} & unread
    assert ("have no label and were not used" in (tmp_path / "run" / "card.md").read_text()) == (use == "none")


def test_unlabelled_films_come_after_the_warm_up_under_two_augmentations(table):
    config = experiment("unlabelled.use=consistency", "unlabelled.share=0.5")
    task = open_abnormality(config, table)
    feeder = ScreenFeeder(task.films, task.source, np.arange(len(task.ids)), config)
    feeder.start(0, config.optimiser.stages[0])
    assert len(feeder.batch(0).weak) == 0
    feeder.start(1, config.optimiser.stages[0])
    batch = feeder.batch(0)
    assert len(batch.weak) == len(batch.strong) == 4
    assert not torch.equal(batch.weak, batch.strong)
    assert not torch.isnan(batch.labels).any()
    halves = list(batch.parts(2))
    assert [len(one.weak) for one in halves] == [2, 2]
    assert sum(map(len, halves)) == len(batch)


def test_losses_of_films_without_a_label():
    weak, strong = torch.tensor([3.0, -0.2]), torch.tensor([1.0, 5.0])
    apart = (weak.sigmoid() - strong.sigmoid()).square().mean()
    assert unlabelled_loss(weak, strong, UnlabelledConfig(use=UnlabelledUse.CONSISTENCY)) == pytest.approx(float(apart))
    sure = unlabelled_loss(weak, strong, replace(UnlabelledConfig(), confidence=0.9))
    assert sure == pytest.approx(float(-torch.tensor(1.0).sigmoid().log() / 2)), "the second film is not sure"


def test_a_broken_run_ends_as_an_unbroken_one(table, tmp_path, monkeypatch):
    config = experiment("record.checkpoint=1", "unlabelled.use=consistency", "optimiser.batch=2", *THIRDS)
    run(config, table, tmp_path / "whole")
    steps = json.loads((tmp_path / "whole" / "card.json").read_text())["last_epoch"]["step"]
    with monkeypatch.context() as patched:
        break_after(patched, steps // 2 + 2)
        with pytest.raises(KeyboardInterrupt):
            run(config, table, tmp_path / "broken")
    assert not (tmp_path / "broken" / "weights.safetensors").exists()
    run(config, table, tmp_path / "broken")
    first, second = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "broken"))
    assert first == second


def test_system_002_runs_small_with_its_own_network(mura, tmp_path):
    kept = [change for change in TINY if not change.startswith("network.") or "pretrained" in change]
    config = load_experiment(CONFIGS / "system-002.toml", overrides=kept)
    network = open_abnormality(config, mura).network()
    widths = [(one.in_features, one.out_features) for one in network.head if isinstance(one, torch.nn.Linear)]
    assert widths == [(672, 1024), (1024, 512), (512, 1)]
    assert 0 <= run(config, mura, tmp_path)["auc"]["value"] <= 1


def test_validation_is_never_augmented(mura):
    task = open_abnormality(experiment(), mura)
    batch = task.plain(np.arange(3), size=(32, 32))
    for item, picture in zip(task.films.items, batch.pictures, strict=False):
        fitted = task.source.rule.fitted(files.read(item.path).pixels)
        assert torch.equal(picture[0], torch.from_numpy(fitted.pixels).float())
    assert len(batch.weak) == 0


def test_squashed_films_get_their_proportions_back(mura):
    pictures = open_abnormality(experiment("reading.aspect=0.5"), mura).source.pictures(np.arange(1))[1]
    height, width = pictures.shape[2:]
    assert height == width
    shown = np.flatnonzero(pictures[0, 0].numpy().any(axis=0))
    assert (shown.min(), shown.max() + 1) == (width // 4, 3 * width // 4)


def test_the_bundle_answers_as_torch_does(mura, runs, tmp_path):
    both = AbnormalityScreen(bundle_runs(runs, tmp_path / "both"), threads=1)
    assert both.bundle.held_out == (0, 1)
    assert set(both.bundle.training_folds.values()) <= {0, 1}
    every = StudyPredictions.load([one / "predictions.csv" for one in runs])
    assert both.calibration == LogisticCalibration.from_card(fitted(every).to_card())
    for fold in (0, 1):
        other = fitted(StudyPredictions.load([runs[1 - fold] / "predictions.csv"]))
        assert both.bundle.card["calibration"]["by_fold"][str(fold)] == other.to_card()
    row = rows_of(runs[1])[0]
    films = [mura / one for one in both.bundle.training_ids if one.startswith(row["study_id"])]
    member = both.asked(np.stack([both.picture(files.read(film).pixels) for film in films]), member=1)
    assert member.probabilities.mean() == pytest.approx(float(row["probability"]), abs=1e-4)
    screen = AbnormalityScreen(bundle_runs(runs[:1], tmp_path / "one"), threads=1)
    assert screen.regions == {"hand", "wrist"}
    rows = rows_of(runs[0])
    told = screen.calibration
    assert screen.threshold == pytest.approx(told.of(float(rows[0]["threshold"])), abs=1e-5)
    chosen = json.loads((runs[0] / "threshold.json").read_text())["calibration"]
    assert told == LogisticCalibration.from_card(chosen), "one fold held out: the films kept back calibrate"
    assert screen.familiarity[0].distances(screen.familiarity[0].mean[None])[0] == 0
    for row in rows[:4]:
        region, patient, study = row["study_id"].split("/")
        films = sorted((mura / region / patient).glob(f"{study}*/*.png"))
        assert len(films) == 2
        found = screen.study(np.stack([screen.picture(files.read(film).pixels) for film in films]))
        assert found.probability == pytest.approx(told.of(float(row["probability"])), abs=1e-4)
        assert len(found.familiar) == 2
    with pytest.raises(UsageError, match="a study needs a film that can be read to be screened, got none"):
        screen.study(np.zeros((0, 32, 32), dtype=np.uint8))
    with pytest.raises(UsageError, match="--set is for bone-age bundles and has no meaning for abnormality"):
        bundle_runs(runs, tmp_path / "other", options=BundleOptions(changes=("a=1",)))
    with pytest.raises(UsageError, match="does bone-age, not abnormality"):
        AbnormalityScreen(load_bundle("bone-age"))


def fitted(found: StudyPredictions) -> LogisticCalibration:
    return fit_logistic(found.probabilities, found.labels)


def test_a_bundle_of_a_whole_run_is_calibrated_by_runs_of_folds(mura, runs, tmp_path):
    whole = run_experiment(experiment("optimiser.stages=[[1, 32, 32]]"), mura, tmp_path / "whole", RunOptions())
    assert "auc" not in whole
    (tmp_path / "whole" / "familiarity.npz").unlink()
    alarms = {"name": "share of films called", "value": 0.1, "low": 0.05, "high": 0.2, "unit": "share", "on": "9 films"}
    options = BundleOptions(held_out=tuple(runs), figures=(alarms,), data=mura)
    card = bundle_runs([tmp_path / "whole"], tmp_path / "bundle", options=options).card
    every = StudyPredictions.load([one / "predictions.csv" for one in runs])
    assert {key: card["calibration"][key] for key in ("slope", "intercept")} == fitted(every).to_card()
    assert card["false_alarms"] == {"value": 0.1, "low": 0.05, "high": 0.2, "on": "9 films"}
    assert any(one["name"] == "auc, all" and "16 studies held out" in one["on"] for one in card["figures"])
    assert card["familiarity"]["films"][0][0] > card["familiarity"]["films"][0][1] > 0, "measured anew"


def test_members_are_joined_by_id(runs, tmp_path):
    """An ensemble's table is the mean by study, whatever the order of its rows."""
    lines = (runs[0] / "predictions.csv").read_text().splitlines()
    (tmp_path / "turned.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    once = StudyPredictions.load([runs[0] / "predictions.csv"])
    joined = StudyPredictions.load([runs[0] / "predictions.csv", tmp_path / "turned.csv"])
    assert joined.studies.tolist() == once.studies.tolist()
    assert joined.probabilities == pytest.approx(once.probabilities)


def test_a_copy_of_a_bundle_keeps_what_tells_familiar_films(runs, tmp_path):
    made = bundle_runs(runs, tmp_path / "made")
    copy = rebundle(str(made.folder), tmp_path / "copy", options=BundleOptions(name="copied"))
    assert copy.training_folds == made.training_folds
    first, second = (AbnormalityScreen(one, threads=1).familiarity for one in (made, copy))
    assert [one.limit for one in first] == [one.limit for one in second]


def test_mura_with_its_splits_and_studies_of_several_films(tmp_path):
    """A patient of two regions is one group, a study's films share its label, and its probability is their mean."""
    for place in ("train/XR_HAND/patient1/study1_positive", "train/XR_WRIST/patient1/study1_negative"):
        for k in range(3):
            draw_film(tmp_path / place / f"image{k}.png", abnormal=False, seed=k)
    draw_film(tmp_path / "valid" / "XR_HAND" / "patient2" / "study1_negative" / "image1.png", abnormal=False, seed=9)
    films = read_screen_films(tmp_path, ScreenDataConfig())
    assert sorted(set(films.groups)) == ["patient1", "patient2"]
    assert {(str(study), float(label)) for study, label in zip(films.studies, films.labels, strict=True)} == {
        ("XR_HAND/patient1/study1", 1.0),
        ("XR_WRIST/patient1/study1", 0.0),
        ("XR_HAND/patient2/study1", 0.0),
    }
    rows = np.flatnonzero(films.studies == "XR_HAND/patient1/study1")
    found = StudyPredictions.of_films(films, rows, np.array([0.2, 0.3, 0.7]))
    assert (found.films.tolist(), found.labels.tolist()) == ([3], [True])
    assert found.probabilities == pytest.approx([0.4])


def test_the_share_of_pairs_in_the_wrong_order():
    logits, labels = torch.tensor([-1.0, 0.5, 2.0, 0.5]), torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert ranking_error(histograms(logits, labels).tolist()) == pytest.approx(0.5 / 4)
    assert np.isnan(ranking_error(histograms(logits, torch.ones(4)).tolist()))


def test_a_table_by_source_is_split_by_it_and_never_averaged_over_it(tmp_path):
    rows = ["file,source,fracture,classes"]
    for k in range(6):
        draw_film(tmp_path / "images" / f"f{k}.png", abnormal=bool(k % 2), seed=k)
        rows.append(f"f{k}.png,s{k // 3},{k % 2},{'6' if k % 2 else ''}")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n")
    films = read_screen_films(tmp_path / "index.csv", ScreenDataConfig(region="classes"))
    assert set(films.groups) == {"s0", "s1"}
    assert len(set(films.studies)) == 6
    assert set(films.regions) == {"6", ""}
    names = ("elbow", "finger", "forearm", "humerus", "humerus", "shoulder", "wrist")
    named = read_screen_films(tmp_path / "index.csv", ScreenDataConfig(region="classes", region_names=names))
    assert set(named.regions) == {"wrist", ""}
    with pytest.raises(TableError, match=r"is of region 6, and data\.region_names has 2 names"):
        read_screen_films(tmp_path / "index.csv", ScreenDataConfig(region="classes", region_names=names[:2]))
    folds = films.folds(5)
    assert all(len(set(folds[films.groups == group])) == 1 for group in ("s0", "s1"))


def test_studies_that_contradict_themselves(tmp_path):
    draw_film(tmp_path / "a.png", abnormal=False, seed=0)
    lines = ["path,study_id,abnormal", "a.png,one,0", "b.png,one,1", "c.png,two,0", "d.png,two,", "e.png,three,1"]
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=r"the films of 1 studies \(one\) contradict each other.*leave_out"):
        read_screen_films(tmp_path / "films.csv", ScreenDataConfig())
    films = read_screen_films(tmp_path / "films.csv", ScreenDataConfig(contradictory=OnFault.LEAVE_OUT))
    assert films.studies.tolist() == ["two", "two", "three"]
    assert films.labels.tolist() == [0, 0, 1], "a study's label holds for all its films"
    assert "contradict each other" in films.notes[0]


def test_folds_of_a_table(tmp_path):
    lines = ["path,patient_id,abnormal,split", "a.png,p,0,1", "b.png,p,1,1", "c.png,q,0,0"]
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    films = read_screen_films(tmp_path / "films.csv", ScreenDataConfig(), folds_from_table=True)
    assert films.folds(2).tolist() == [1, 1, 0]
    with pytest.raises(UsageError, match="the table has 2 folds and the experiment 5; set folds = 2"):
        films.folds(5)


def test_studies_without_a_film(table, tmp_path):
    folder = Path(shutil.copytree(table.parent, tmp_path / "studies"))
    with (folder / "train.csv").open("a") as stream:
        stream.write("HAND_gone,1\n")
    with pytest.raises(TableError, match="1 of 17 films are missing, got ids HAND_gone"):
        read_screen_films(folder / "train.csv", ScreenDataConfig())
    films = read_screen_films(folder / "train.csv", ScreenDataConfig(missing=OnFault.LEAVE_OUT))
    assert films.notes == ("No film was found of 1 studies (HAND_gone).",)


def test_damaged_films_are_named_and_studies_without_any_too(mura, tmp_path):
    folder = Path(shutil.copytree(mura, tmp_path / "films"))
    held_out = next(row["study_id"] for row in rows_of_fold(folder, tmp_path))
    region, patient, study = held_out.split("/")
    for film in (folder / region / patient).glob(f"{study}*/*.png"):
        film.write_bytes(film.read_bytes()[:50])
    with pytest.raises(UsageError, match=r"the film '.*' cannot be read \(corrupt_file\)"):
        run(experiment(), folder, tmp_path / "stopped")
    config = experiment("reading.on_unreadable=skip", "reading.most_unreadable=0.5")
    figures = run(config, folder, tmp_path / "skipped")
    assert figures["studies_without_a_film"] == 1
    told = (tmp_path / "skipped" / "card.md").read_text()
    assert "2 films could not be read and were left out" in told
    assert f"1 held-out studies have no film that can be read: {held_out}." in told


def rows_of_fold(folder: Path, out: Path):
    """Studies that fold 0 holds out."""
    films = read_screen_films(folder, ScreenDataConfig())
    held_out = films.folds(2) == 0
    return [{"study_id": str(name)} for name in films.studies[held_out]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("validation.share=0", r"the threshold is chosen on films kept back"),
        ("optimiser.batch=1", r"norms over the films of a part and needs two in each, got optimiser\.batch 1"),
        ("unlabelled.confidence=0.3", r"unlabelled\.confidence must be 0\.5 to 1, got 0\.3"),
        ("augment.mixup=0.2", r"augment\.mixup mixes ages"),
        ("threshold.choice=best", r"threshold\.choice must be one of youden, sensitivity, specificity"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        experiment(change)


def test_unlabelled_films_that_would_never_be_used_are_refused(mura, tmp_path):
    with pytest.raises(UsageError, match=r"unlabelled\.warm_up is 2 of 2 epochs"):
        experiment("unlabelled.use=consistency", "unlabelled.warm_up=2")
    with pytest.raises(UsageError, match=r"every film to learn from has a label"):
        run(experiment("unlabelled.use=consistency"), mura, tmp_path)
