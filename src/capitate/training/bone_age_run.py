"""One run of a bone-age experiment: films, a fold held out, perhaps teachers; resumed where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from capitate.errors import UsageError
from capitate.training.beginning import Beginning, begin
from capitate.training.bone_age_task import BoneAgeTask
from capitate.training.config import BoneAgeConfig
from capitate.training.data.film_source import FilmSource
from capitate.training.devices import make_fabric
from capitate.training.opened_store import open_source, views_digest
from capitate.training.related_runs import check_validation, honest_teachers, known_films, teach
from capitate.training.runs import Run, read_json
from capitate.training.settings.loss import check_loss
from capitate.training.targets import rows_learnt_from
from capitate.training.task_run import Foundation, check_fold, check_resume, rows_of, run_task
from capitate.training.validation import kept_back
from capitate.training.view_store import ViewSource

__all__ = ["run_bone_age"]


def run_bone_age(
    config: BoneAgeConfig,
    data: Path,
    out: Path,
    *,
    fold: int | None = None,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    teacher_data: Path | None = None,
    resume: bool = False,
) -> dict[str, float]:
    """Train a bone-age network, or go on with a run that was interrupted.

    Args:
        config: the experiment; the fold's number is added to its seed.
        data: folder of a `ViewStore` with its `view.json`, or a table of films to read while training.
        out: run folder.
        fold: held out, and predicted at the end; None learns from every film.
        start: run, or released bundle by name or folder, whose weights this one begins with; they must not have seen
            a film of the held-out fold.
        teachers: runs whose mean distribution is learnt from as well, by the share `optimiser.distil`. With a fold
            held out, teachers that have seen one of its films are left out.
        teacher_data: the teachers' own store, where their views are of another size than this run's.
        resume: insist that `out` holds a run that was begun; otherwise a new one begins where there is none.

    Returns:
        Errors on the held-out fold and the smallest one on the validation films; empty in processes but the first.

    Raises:
        UsageError: naming what does not fit.
    """
    _check(config, fold=fold, teachers=teachers, teacher_data=teacher_data)
    check_resume(out, resume=resume)
    fabric = make_fabric(config.devices)
    store = open_source(data, config.reading)
    try:
        return _run(
            store,
            replace(config, seed=config.seed + (fold or 0)),
            data,
            out,
            fold=fold,
            start=start,
            teachers=teachers,
            teacher_data=teacher_data,
            fabric=fabric,
        )
    finally:
        store.close()


def _run(
    store: ViewSource,
    config: BoneAgeConfig,
    data: Path,
    out: Path,
    *,
    fold: int | None,
    start: Path | None,
    teachers: Sequence[Path],
    teacher_data: Path | None,
    fabric: Fabric,
) -> dict[str, float]:
    """Bring together what the run rests on, and train."""
    plain = BoneAgeTask(store, config)
    every = rows_learnt_from(np.arange(len(store.ids)), store.sexes, trained_on=config.network.trained_on)
    held_out, rows = rows_of(plain, fold=fold, rows=every)
    hidden = frozenset(store.ids[held_out].tolist())
    begun = None if start is None else begin(start, config, fold=fold, store=store, rows=rows, held_out=hidden)
    runs = honest_teachers([Run.load(folder) for folder in teachers], hidden)
    kept = rows[kept_back(plain.groups(rows), share=config.validation.share)]
    others: list[Run | Beginning] = [*runs, *([begun] if begun else [])]
    check_validation(others, frozenset(store.ids[kept].tolist()))
    taught_on = store if teacher_data is None else open_source(teacher_data, config.reading)
    ids = store.ids[rows].tolist()
    foundation = Foundation(
        weights=begun.weights if begun else None,
        split=_origins(begun, runs),
        files={"view.json": store.described() if isinstance(store, FilmSource) else read_json(data / "view.json")},
        training_ids=tuple(known_films(ids, others)[len(ids) :]),
    )
    task = BoneAgeTask(
        store,
        config,
        teacher=partial(teach, store, runs, data=taught_on) if runs else None,
        views_sha256=views_digest(data),
    )
    return run_task(task, out, fold=fold, rows=every, foundation=foundation, fabric=fabric)


def _origins(begun: Beginning | None, teachers: Sequence[Run]) -> dict[str, object]:
    """Name the weights that a run started from, and the runs that it was taught by."""
    started = {"start": dict(begun.reference)} if begun else {}
    return {**started, **({"teachers": [run.reference for run in teachers]} if teachers else {})}


def _check(config: BoneAgeConfig, *, fold: int | None, teachers: Sequence[Path], teacher_data: Path | None) -> None:
    """Refuse a combination that cannot be meant."""
    check_loss(config.optimiser.loss, config.network)
    check_fold(fold, config.folds)
    if bool(teachers) != (config.optimiser.distil > 0):
        raise UsageError(
            f"optimiser.distil is {config.optimiser.distil:g} and {len(teachers)} teachers are given; "
            "distillation needs both a share above 0 and --teacher"
        )
    if teacher_data is not None and not teachers:
        raise UsageError(f"--teacher-data {teacher_data} is for teachers; give them by --teacher")
