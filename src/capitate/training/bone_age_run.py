"""One run of a bone-age experiment: a store, a fold held out, perhaps teachers; resumed where it stopped."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.beginning import Beginning, begin
from capitate.training.checkpoint import CHECKPOINT
from capitate.training.config import BoneAgeConfig
from capitate.training.devices import make_fabric
from capitate.training.held_out import answer, errors_of
from capitate.training.loop import Result, train
from capitate.training.opened_store import open_store, views_digest
from capitate.training.related_runs import (
    check_validation,
    honest_teachers,
    known_films,
    teach,
)
from capitate.training.run_card import run_card, run_card_text
from capitate.training.runs import (
    OUT_OF_FOLD,
    Run,
    claim,
    label_digest,
    read_json,
    write_ids,
    write_json,
    write_text,
)
from capitate.training.settings.loss import check_loss
from capitate.training.targets import rows_learnt_from
from capitate.training.validation import kept_back
from capitate.training.view_store import ViewStore
from capitate.training.weights import save_weights

__all__ = ["run_bone_age", "teach"]


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
        data: folder of a `ViewStore` with its `view.json`.
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
    if resume and not (out / CHECKPOINT).exists():
        raise UsageError(f"{out} holds no checkpoint to go on from; leave --resume out to begin")
    fabric = make_fabric(config.devices)
    store = open_store(data)
    held_out, rows = _rows(store, config, fold)
    taught_on = store if teacher_data is None else open_store(teacher_data)
    seeded = replace(config, seed=config.seed + (fold or 0))
    hidden = frozenset(store.ids[held_out].tolist())
    begun = None if start is None else begin(start, config, fold=fold, store=store, rows=rows)
    runs = honest_teachers([Run.load(folder) for folder in teachers], hidden)
    kept = store.ids[rows][kept_back(store.ids[rows].tolist(), share=config.validation.share)].tolist()
    others: list[Run | Beginning] = [*runs, *([begun] if begun else [])]
    check_validation(others, frozenset(kept))
    split = _split(store, data, config, fold=fold, begun=begun, teachers=runs)
    if fabric.is_global_zero:
        claim(out, {"task": "bone-age", **seeded.to_dict()}, split=split)
        shutil.copyfile(data / "view.json", out / "view.json")
        write_ids(out / "training-ids.txt", known_films(store.ids[rows].tolist(), others))
        write_ids(out / "validation-ids.txt", kept)
    fabric.barrier()
    teacher = teach(store, runs, data=taught_on) if runs else None
    weights = begun.weights if begun else None
    result = train(store, rows, seeded, folder=out, teacher=teacher, start=weights, fabric=fabric)
    if not fabric.is_global_zero:
        return {}
    figures = {}
    if held_out.size:
        films = answer(result.network, store, held_out, seeded)
        films.save(out / OUT_OF_FOLD)
        figures = errors_of(films)
    figures |= {f"validation_{name}": round(value, 4) for name, value in result.validation.items()}
    _finish(result, out, figures, films=rows.size - len(kept), kept_back=len(kept))
    return figures


def _rows(store: ViewStore, config: BoneAgeConfig, fold: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the rows of the held-out fold, and all others."""
    held_out = np.flatnonzero(store.folds(config.folds) == fold) if fold is not None else np.arange(0)
    rows = np.setdiff1d(np.arange(len(store.ids)), held_out)
    if rows.size == 0:
        raise UsageError(f"the store has no film outside fold {fold}; prepare more films")
    held_out, rows = (
        rows_learnt_from(some, store.sexes, trained_on=config.network.trained_on) for some in (held_out, rows)
    )
    return held_out, rows


def _split(
    store: ViewStore,
    data: Path,
    config: BoneAgeConfig,
    *,
    fold: int | None,
    begun: Beginning | None,
    teachers: Sequence[Run],
) -> dict[str, Any]:
    """Say what a run learns from: folds, digests of labels and views, runs that it rests on."""
    split: dict[str, Any] = {
        "fold": fold,
        "folds": config.folds,
        "labels_sha256": label_digest(store.ids, store.months, store.sexes),
        "views_sha256": views_digest(data),
    }
    if begun:
        split["start"] = dict(begun.reference)
    if teachers:
        split["teachers"] = [run.reference for run in teachers]
    return split


def _finish(result: Result, out: Path, figures: dict[str, float], *, films: int, kept_back: int) -> None:
    """Write the final weights, the figures and the card."""
    write_json(out / "metrics.json", figures)
    config, split = (read_json(out / f"{name}.json") for name in ("config", "split"))
    card = run_card(config, split, films=films, kept_back=kept_back, history=result.history, figures=figures)
    write_json(out / "card.json", card)
    write_text(out / "card.md", run_card_text(card))
    save_weights(result.network, out / "weights.safetensors")


def _check(config: BoneAgeConfig, *, fold: int | None, teachers: Sequence[Path], teacher_data: Path | None) -> None:
    """Refuse a combination that cannot be meant."""
    check_loss(config.optimiser.loss, config.network)
    if fold is not None and not 0 <= fold < config.folds:
        raise UsageError(f"--fold must be 0 to {config.folds - 1}, got {fold}")
    if bool(teachers) != (config.optimiser.distil > 0):
        raise UsageError(
            f"optimiser.distil is {config.optimiser.distil:g} and {len(teachers)} teachers are given; "
            "distillation needs both a share above 0 and --teacher"
        )
    if teacher_data is not None and not teachers:
        raise UsageError(f"--teacher-data {teacher_data} is for teachers; give them by --teacher")
