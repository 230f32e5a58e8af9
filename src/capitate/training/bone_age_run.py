"""One run of a bone-age experiment: a store, a fold held out, perhaps teachers; resumed where it stopped."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.calibration import quantile
from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.loop import predict, train
from capitate.training.losses import LOSSES
from capitate.training.networks import BINS, BoneAgeNetwork
from capitate.training.out_of_fold import OutOfFold
from capitate.training.runs import Run, claim, label_digest, write_history, write_ids, write_json
from capitate.training.view_store import SEX_INDEX, ViewStore
from capitate.training.weights import load_weights, save_weights

__all__ = ["load_bone_age_run", "run_bone_age", "teach"]

_log = logging.getLogger(__name__)


def run_bone_age(
    config: BoneAgeConfig, data: Path, out: Path, *, fold: int | None = None, teachers: Sequence[Path] = ()
) -> dict[str, float]:
    """Train a bone-age network, or go on with a run that was interrupted.

    Args:
        config: the experiment; the fold's number is added to its seed.
        data: folder of a `ViewStore` with its `view.json`.
        out: run folder.
        fold: held out, and predicted at the end; None learns from every film.
        teachers: runs whose mean distribution is learnt from as well, by the share `optimiser.distil`. With a fold
            held out, teachers that have seen one of its films are left out.

    Returns:
        Mean absolute errors on the held-out fold in months, by name; empty without a fold.

    Raises:
        UsageError: naming what does not fit.
    """
    _check(config, fold=fold, teachers=teachers)
    store = _open(data)
    folds = store.folds(config.folds)
    held_out = np.flatnonzero(folds == fold) if fold is not None else np.arange(0)
    rows = np.setdiff1d(np.arange(len(store.ids)), held_out)
    if rows.size == 0:
        raise UsageError(f"the store {data} has no film outside fold {fold}; prepare more films")
    seeded = replace(config, seed=config.seed + (fold or 0))
    digest = label_digest(store.ids, store.months, store.sexes)
    claim(
        out,
        {"task": "bone-age", **seeded.to_dict()},
        split={"fold": fold, "folds": config.folds, "labels_sha256": digest},
    )
    shutil.copyfile(data / "view.json", out / "view.json")
    write_ids(out / "training-ids.txt", store.ids[rows].tolist())
    runs = _honest([Run.load(folder) for folder in teachers], frozenset(store.ids[held_out].tolist()))
    result = train(store, rows, seeded, folder=out, teacher=teach(store, runs) if runs else None)
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


def teach(store: ViewStore, runs: Sequence[Run]) -> NDArray[np.float32]:
    """Give the mean distribution of teachers, each over view and mirror image, for every film and sex.

    Returns:
        float32 (films, 3, 240), sex indices as in `SEX_INDEX`.
    """
    rows = np.arange(len(store.ids))
    total = np.zeros((rows.size, len(SEX_INDEX), BINS), dtype=np.float32)
    for run in runs:
        network, config = load_bone_age_run(run)
        sexes = SEX_INDEX.values()
        parts = [predict(network, store, rows, sex=sex, mirrored=True, size=_last_size(config)) for sex in sexes]
        total += np.stack(parts, axis=1)
        _log.info("teacher %s has answered", run.folder.name)
    return total / np.float32(len(runs))


def _check(config: BoneAgeConfig, *, fold: int | None, teachers: Sequence[Path]) -> None:
    """Refuse a combination that cannot be meant."""
    if config.optimiser.loss not in LOSSES:
        raise UsageError(f"optimiser.loss must be one of {', '.join(LOSSES)}, got {config.optimiser.loss!r}")
    if fold is not None and not 0 <= fold < config.folds:
        raise UsageError(f"--fold must be 0 to {config.folds - 1}, got {fold}")
    if bool(teachers) != (config.optimiser.distil > 0):
        raise UsageError(
            f"optimiser.distil is {config.optimiser.distil:g} and {len(teachers)} teachers are given; "
            "distillation needs both a share above 0 and --teacher"
        )


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


def _last_size(config: BoneAgeConfig) -> tuple[int, int]:
    """Rows and columns that the network ended its training with."""
    last = config.optimiser.stages[-1]
    return last.height, last.width


def _predict(
    network: BoneAgeNetwork, store: ViewStore, rows: NDArray[np.int64], config: BoneAgeConfig, out: Path
) -> dict[str, float]:
    """Predict the held-out fold with and without its mirror images, keep it, and give the errors."""
    figures = {"films": float(rows.size)}
    for name, mirrored in (("", False), ("-mirrored", True)):
        size = _last_size(config)
        given, unknown = (
            predict(network, store, rows, sex=sex, mirrored=mirrored, size=size) for sex in (None, SEX_INDEX["unknown"])
        )
        part = OutOfFold(store.ids[rows], store.months[rows], store.sexes[rows], given, unknown)
        part.save(out / f"out-of-fold{name}.npz")
        key = name.replace("-", "_")
        figures[f"mae{key}"] = _error(given, part.months)
        figures[f"mae_sex_unknown{key}"] = _error(unknown, part.months)
    return figures


def _error(probabilities: NDArray[np.float32], months: NDArray[np.float32]) -> float:
    """Mean absolute error of the medians, months."""
    return round(float(np.abs(quantile(probabilities, 0.5) - months).mean()), 4)
