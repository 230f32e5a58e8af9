"""Distillation of the screen: whose answers are learnt from, and that no teacher hands a held-out film on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training.abnormality.batches import ScreenBatch  # noqa: E402
from capitate.training.abnormality.losses import ScreenAnswer, mean_loss, taught_loss  # noqa: E402
from capitate.training.abnormality.task import AbnormalityTask, open_abnormality  # noqa: E402
from capitate.training.abnormality.teachers import Teachers  # noqa: E402
from capitate.training.config import load_experiment  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.runs import Run  # noqa: E402

from .drawn_pictures import draw_mura  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TINY = (
    "network.backbone=resnet",
    "network.pretrained=false",
    "network.widths=[8, 8, 16, 16]",
    "network.depths=[1, 1, 1, 1]",
    "network.layers=dropout 0.3",
    "optimiser.stages=[[1, 32, 32]]",
    "optimiser.batch=8",
    "freezing.layer_decay=1.0",
    "folds=2",
    "validation.share=0.4",
    "record.tensorboard=false",
)


def experiment(*changes: str, name: str = "abnormality-distilled"):
    return load_experiment(CONFIGS / f"{name}.toml", overrides=[*TINY, *changes])


@pytest.fixture(scope="module")
def mura(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("mura") / "films"
    draw_mura(folder, patients=16, films=1)
    return folder


@pytest.fixture(scope="module")
def teachers(mura, tmp_path_factory) -> list[Path]:
    """One for each fold that it held out, learnt from larger pictures."""
    folder = tmp_path_factory.mktemp("teachers")
    config = experiment("optimiser.stages=[[1, 48, 48]]", name="abnormality")
    for fold in (0, 1):
        run_experiment(config, mura, folder / str(fold), RunOptions(fold=fold))
    return [folder / "0", folder / "1"]


def task_with(teachers: list[Path], mura: Path, *changes: str) -> tuple[AbnormalityTask, Teachers]:
    config = experiment(*changes)
    known = Teachers([Run.load(folder) for folder in teachers], temperature=config.distillation.temperature)
    plain = open_abnormality(config, mura)
    return AbnormalityTask(plain.films, config, teachers=known), known


def test_what_is_learnt_from_teachers_is_least_at_their_own_answer():
    """The gradient vanishes at the teacher's logit and is T times the difference of both softened answers elsewhere."""
    logits = torch.tensor([1.0, 1.0, -7.0], requires_grad=True)
    taught = torch.tensor([torch.tensor(0.5).sigmoid(), torch.tensor(-1.0).sigmoid(), torch.nan])
    taught_loss(logits, taught, temperature=2.0).backward()
    expected = 2 * (torch.tensor(0.5).sigmoid() - torch.tensor(-1.0).sigmoid()) / 2
    assert logits.grad.tolist() == pytest.approx([0.0, float(expected), 0.0], abs=1e-6)
    assert taught_loss(logits.detach(), torch.full((3,), torch.nan), temperature=2.0) == 0


def test_the_loss_mixes_labels_and_teachers(mura, teachers):
    task, _ = task_with(teachers[:1], mura, "distillation.share=0.25", "distillation.temperature=4", "loss.name=bce")
    logits, labels, taught = torch.tensor([0.3, -2.0]), torch.tensor([1.0, 0.0]), torch.tensor([0.6, 0.2])
    none = torch.zeros(0)
    batch = ScreenBatch(torch.zeros(2, 1, 4, 4), labels, none, none, taught, none, none, 2)
    by_label = mean_loss(logits, labels, task.config.loss, weight=1.0)
    both = task.loss(ScreenAnswer(logits, none, none, taught, none), batch)
    assert both == pytest.approx(float(0.75 * by_label + 0.25 * taught_loss(logits, taught, temperature=4.0)))
    without = task.loss(ScreenAnswer(logits, none, none, torch.full((2,), torch.nan), none), batch)
    assert without == pytest.approx(float(by_label)), "films kept back are judged by their labels alone"


def test_teachers_answer_for_films_at_their_own_size(mura, teachers):
    task, _ = task_with(teachers, mura, "distillation.sees=film")
    answers = []
    for folder in teachers:
        alone, _ = task_with([folder], mura, "distillation.sees=film")
        answers.append(alone.taught)
    assert task.taught == pytest.approx(np.mean(answers, axis=0), abs=1e-6)
    rows = np.arange(len(task.ids))
    feeder = task.feeder(rows)
    feeder.start(0, task.config.optimiser.stages[0])
    batch = feeder.batch(0)
    expected = {float(one) for one in task.taught}
    assert set(batch.taught.tolist()) <= expected
    assert len(next(iter(batch.parts(2))).taught) == 4
    assert task.plain(rows[:2], size=(32, 32)).taught.isnan().all()


def test_the_answer_for_a_film_is_that_of_the_teacher_s_own_run(mura, teachers):
    """At temperature 1 it is what the teacher wrote about the films that it held out."""
    config = experiment("distillation.temperature=1", "distillation.sees=film")
    known = Teachers([Run.load(teachers[0])], temperature=1.0)
    films = open_abnormality(config, mura).films
    found = dict(zip(films.studies.tolist(), known.of_films(films.items, config.reading).tolist(), strict=True))
    rows = (teachers[0] / "predictions.csv").read_text().splitlines()[1:]
    assert rows
    for row in rows:
        study, *_, probability, _ = row.split(",")
        assert found[study] == pytest.approx(float(probability), abs=1e-5)


def test_teachers_answer_for_the_picture_that_is_shown(mura, teachers):
    task, known = task_with(teachers[:1], mura)
    assert task.taught is None
    feeder = task.feeder(np.arange(len(task.ids)))
    feeder.start(0, task.config.optimiser.stages[0])
    batch = feeder.batch(0)
    network = task.network()
    answer = task.answer(network.train(), batch)
    assert torch.equal(answer.taught, known.of_pictures(batch.pictures))
    assert not answer.taught.isnan().any()
    assert task.answer(network.eval(), batch).taught.isnan().all()


@pytest.mark.parametrize("sees", ["film", "picture"])
def test_only_the_teacher_that_held_out_the_fold_remains(sees, mura, teachers, tmp_path):
    changes = (f"distillation.sees={sees}",)
    options = RunOptions(fold=0, teachers=tuple(teachers))
    run_experiment(experiment(*changes), mura, tmp_path, options)
    split = json.loads((tmp_path / "split.json").read_text())
    assert [one["run"] for one in split["teachers"]] == ["0"]
    pupil, teacher = Run.load(tmp_path), Run.load(teachers[0])
    assert pupil.training_ids == teacher.training_ids
    weights = (tmp_path / "weights.safetensors").read_bytes()
    run_experiment(replace(experiment(*changes)), mura, tmp_path, replace(options, resume=True))
    assert (tmp_path / "weights.safetensors").read_bytes() == weights


def test_what_does_not_fit_is_refused(mura, teachers, tmp_path):
    with pytest.raises(UsageError, match="every teacher has seen films of the held-out fold"):
        run_experiment(experiment(), mura, tmp_path, RunOptions(fold=0, teachers=(teachers[1],)))
    with pytest.raises(UsageError, match=r"distillation\.share is 0\.7 and 0 teachers are given"):
        run_experiment(experiment(), mura, tmp_path, RunOptions(fold=0))
    plain = experiment(name="abnormality")
    with pytest.raises(UsageError, match=r"distillation\.share is 0 and 1 teachers are given"):
        run_experiment(plain, mura, tmp_path, RunOptions(fold=0, teachers=(teachers[0],)))
    with pytest.raises(UsageError, match=r"learnt from pictures made by .* distillation\.sees = 'film'"):
        run_experiment(experiment("reading.fit=stretch"), mura, tmp_path, RunOptions(fold=0, teachers=(teachers[0],)))
    with pytest.raises(UsageError, match=r"has learnt from .* of the .* films that validation\.share keeps back"):
        run_experiment(experiment("validation.share=0.9"), mura, tmp_path, RunOptions(fold=0, teachers=(teachers[0],)))
    with pytest.raises(UsageError, match="--teacher-data has no meaning"):
        run_experiment(experiment(), mura, tmp_path, RunOptions(teacher_data=tmp_path))
    with pytest.raises(UsageError, match=r"distillation\.temperature must be 1 to 20, got 0\.5"):
        experiment("distillation.temperature=0.5")
