"""One run of a bone-age experiment: a store, a fold held out, perhaps teachers; resumed where it stopped."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bone_age import smoothed
from capitate.runtime.calibration import quantile
from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.loop import predict, train
from capitate.training.networks import BINS, BoneAgeNetwork
from capitate.training.out_of_fold import OutOfFold
from capitate.training.runs import OUT_OF_FOLD, Run, claim, label_digest, write_history, write_ids, write_json
from capitate.training.settings.loss import check_loss
from capitate.training.settings.network import NO_SHAPE
from capitate.training.targets import rows_learnt_from
from capitate.training.view_store import SEX_INDEX, ViewStore
from capitate.training.weights import load_weights, save_weights

__all__ = ["load_bone_age_run", "run_bone_age", "teach"]

_log = logging.getLogger(__name__)


def run_bone_age(
    config: BoneAgeConfig,
    data: Path,
    out: Path,
    *,
    fold: int | None = None,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    teacher_data: Path | None = None,
) -> dict[str, float]:
    """Train a bone-age network, or go on with a run that was interrupted.

    Args:
        config: the experiment; the fold's number is added to its seed.
        data: folder of a `ViewStore` with its `view.json`.
        out: run folder.
        fold: held out, and predicted at the end; None learns from every film.
        start: run whose averaged weights this one begins with; it must not have seen a film of the held-out fold.
        teachers: runs whose mean distribution is learnt from as well, by the share `optimiser.distil`. With a fold
            held out, teachers that have seen one of its films are left out.
        teacher_data: the teachers' own store, where their views are of another size than this run's.

    Returns:
        Mean absolute errors on the held-out fold in months, by name; empty without a fold.

    Raises:
        UsageError: naming what does not fit.
    """
    _check(config, fold=fold, teachers=teachers, teacher_data=teacher_data)
    store = _open(data)
    folds = store.folds(config.folds)
    held_out = np.flatnonzero(folds == fold) if fold is not None else np.arange(0)
    rows = np.setdiff1d(np.arange(len(store.ids)), held_out)
    if rows.size == 0:
        raise UsageError(f"the store {data} has no film outside fold {fold}; prepare more films")
    rows, held_out = (
        rows_learnt_from(some, store.sexes, trained_on=config.network.trained_on) for some in (rows, held_out)
    )
    taught_on = store if teacher_data is None else _open(teacher_data)
    seeded = replace(config, seed=config.seed + (fold or 0))
    hidden = frozenset(store.ids[held_out].tolist())
    begun = None if start is None else _beginning(Run.load(start), config, hidden)
    runs = _honest([Run.load(folder) for folder in teachers], hidden)
    digest = label_digest(store.ids, store.months, store.sexes)
    split: dict[str, Any] = {"fold": fold, "folds": config.folds, "labels_sha256": digest}
    if begun:
        split["start"] = begun.reference
    if runs:
        split["teachers"] = [run.reference for run in runs]
    claim(out, {"task": "bone-age", **seeded.to_dict()}, split=split)
    shutil.copyfile(data / "view.json", out / "view.json")
    write_ids(out / "training-ids.txt", _known(store.ids[rows].tolist(), [*runs, *([begun] if begun else [])]))
    teacher = teach(store, runs, data=taught_on) if runs else None
    weights = load_bone_age_run(begun)[0].state_dict() if begun else None
    result = train(store, rows, seeded, folder=out, teacher=teacher, start=weights)
    write_history(out / "history.csv", result.history)
    save_weights(result.network, out / "weights.safetensors")
    figures = _predict(result.network, store, held_out, config, out) if held_out.size else {}
    write_json(out / "metrics.json", figures)
    return figures


def load_bone_age_run(run: Run) -> tuple[BoneAgeNetwork, BoneAgeConfig]:
    """Build a run's network with its final weights.

    Raises:
        UsageError: if the run is of another task or its files do not fit.
    """
    config = experiment_of(run.config)
    if not isinstance(config, BoneAgeConfig):
        raise UsageError(f"the run {run.folder} is of the task {run.task}; a bone-age run is needed")
    return load_weights(BoneAgeNetwork(config.network), run.weights).eval(), config


def teach(store: ViewStore, runs: Sequence[Run], *, data: ViewStore | None = None) -> NDArray[np.float32]:
    """Give the mean distribution of teachers for every film of a store and every sex, on views as stored.

    Args:
        store: the pupil's.
        runs: teachers.
        data: the teachers' store, the pupil's if None; films are joined by id.

    Returns:
        float32 (films, 3, 240), sex indices as in `SEX_INDEX`.

    Raises:
        UsageError: if a film is missing from `data`, or its views are smaller than those that a teacher learnt from.
    """
    data = store if data is None else data
    rows = _rows_of(store.ids, data)
    total = np.zeros((rows.size, len(SEX_INDEX), BINS), dtype=np.float32)
    for run in runs:
        network, config = load_bone_age_run(run)
        size = _last_size(config)
        if any(there < wanted for there, wanted in zip(data.views.shape[1:], size, strict=True)):
            raise UsageError(
                f"the teacher {run.folder.name} learnt from views of {size[0]} x {size[1]}, the store has "
                f"{data.views.shape[1]} x {data.views.shape[2]}; give the teachers' own store as --teacher-data"
            )
        parts = [predict(network, data, rows, sex=sex, size=size) for sex in SEX_INDEX.values()]
        total += np.stack(parts, axis=1)
        _log.info("teacher %s has answered", run.folder.name)
    return total / np.float32(len(runs))


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


def _open(data: Path) -> ViewStore:
    try:
        return ViewStore.load(data)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{data} holds no views ({error}); make them with `capitate data prepare`") from error


def _honest(runs: Sequence[Run], held_out: frozenset[str]) -> list[Run]:
    """Leave out teachers that learnt from a held-out film: their pupils would know it too."""
    honest = [run for run in runs if not run.training_ids & held_out]
    if runs and not honest:
        raise UsageError("every teacher has seen films of the held-out fold; give the run that held out the same fold")
    if len(honest) < len(runs):
        _log.info("%d of %d teachers have seen the held-out fold and are left out", len(runs) - len(honest), len(runs))
    return honest


def _beginning(run: Run, config: BoneAgeConfig, held_out: frozenset[str]) -> Run:
    """Refuse a run to start from that knows a held-out film or whose network is another."""
    if run.training_ids & held_out:
        there = "no fold" if run.fold is None else f"fold {run.fold}"
        raise UsageError(
            f"the run {run.folder} to start from held out {there} and has seen films of the fold held out here; "
            "start from the run that held out the same fold"
        )
    _, theirs = load_bone_age_run(run)
    ours, network = config.network, theirs.network
    other = [one.name for one in fields(ours) if getattr(network, one.name) != getattr(ours, one.name)]
    shapes = [name for name in other if name not in NO_SHAPE]
    if shapes:
        raise UsageError(
            f"the run {run.folder} to start from has another network.{shapes[0]}: {getattr(network, shapes[0])!r} "
            f"there, {getattr(ours, shapes[0])!r} here; its weights do not fit"
        )
    return run


def _known(ids: Sequence[str], others: Sequence[Run]) -> list[str]:
    """Give the films that a run learns from, then those that it knows through other runs only."""
    through = frozenset[str]().union(*(run.training_ids for run in others))
    return [*ids, *sorted(through.difference(ids))]


def _rows_of(ids: NDArray[np.str_], store: ViewStore) -> NDArray[np.int64]:
    """Find films in a store by id."""
    places = {name: row for row, name in enumerate(store.ids.tolist())}
    missing = [name for name in ids.tolist() if name not in places]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(ids)} films are missing from the teachers' store, the first {missing[0]!r}; "
            "prepare it from the same table"
        )
    return np.array([places[name] for name in ids.tolist()], dtype=np.int64)


def _last_size(config: BoneAgeConfig) -> tuple[int, int]:
    """Rows and columns that the network ended its training with."""
    last = config.optimiser.stages[-1]
    return last.height, last.width


def _predict(
    network: BoneAgeNetwork, store: ViewStore, rows: NDArray[np.int64], config: BoneAgeConfig, out: Path
) -> dict[str, float]:
    """Predict the held-out fold by the mean over the test views, keep it, and give the errors."""
    given, unknown = (
        smoothed(
            predict(
                network,
                store,
                rows,
                sex=sex,
                test_views=config.test_views,
                surroundings_removed=config.surroundings_removed,
                size=_last_size(config),
            ),
            config.smoothing_months,
        )
        for sex in (None, SEX_INDEX["unknown"])
    )
    part = OutOfFold(store.ids[rows], store.months[rows], store.sexes[rows], given, unknown)
    part.save(out / OUT_OF_FOLD)
    return {
        "films": float(rows.size),
        "mae": _error(given, part.months),
        "mae_sex_unknown": _error(unknown, part.months),
    }


def _error(probabilities: NDArray[np.float32], months: NDArray[np.float32]) -> float:
    """Mean absolute error of the medians, months."""
    return round(float(np.abs(quantile(probabilities, 0.5) - months).mean()), 4)
