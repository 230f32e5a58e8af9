"""Runs that a run rests on: one to start from, others that teach; none may know a held-out film."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.networks import BINS, BoneAgeNetwork
from capitate.training.predicting import predict
from capitate.training.runs import Run
from capitate.training.view_store import SEX_INDEX, ViewSource
from capitate.training.weights import load_weights

__all__ = [
    "Known",
    "check_validation",
    "honest_teachers",
    "known_films",
    "last_size",
    "load_bone_age_run",
    "teach",
]

_log = logging.getLogger(__name__)


class Known(Protocol):
    """Weights that a run rests on: a run, or what it starts from."""

    @property
    def folder(self) -> Path:
        """Where they lie."""

    @property
    def training_ids(self) -> frozenset[str]:
        """Films that they know."""

    @property
    def validation_ids(self) -> frozenset[str]:
        """Films among these that were only kept back to choose weights by."""


def load_bone_age_run(run: Run) -> tuple[BoneAgeNetwork, BoneAgeConfig]:
    """Build a run's network with its final weights.

    Raises:
        UsageError: if the run is of another task or its files do not fit.
    """
    config = experiment_of(run.config)
    if not isinstance(config, BoneAgeConfig):
        raise UsageError(f"the run {run.folder} is of the task {run.task}; a bone-age run is needed")
    return load_weights(BoneAgeNetwork(config.network), run.weights).eval(), config


def teach(store: ViewSource, runs: Sequence[Run], *, data: ViewSource | None = None) -> NDArray[np.float32]:
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
        size = last_size(config)
        if any(there < wanted for there, wanted in zip(data.size, size, strict=True)):
            raise UsageError(
                f"the teacher {run.folder.name} learnt from views of {size[0]} x {size[1]}, the store has "
                f"{data.size[0]} x {data.size[1]}; give the teachers' own store as --teacher-data"
            )
        with torch.autocast("cpu", torch.bfloat16):  # as in training, and three times as fast
            parts = [predict(network, data, rows, sex=sex, size=size) for sex in SEX_INDEX.values()]
        total += np.stack(parts, axis=1)
        _log.info("teacher %s has answered", run.folder.name)
    return total / np.float32(len(runs))


def honest_teachers(runs: Sequence[Run], held_out: frozenset[str]) -> list[Run]:
    """Leave out teachers that learnt from a held-out film: their pupils would know it too.

    Raises:
        UsageError: if none is left.
    """
    honest = [run for run in runs if not run.training_ids & held_out]
    if runs and not honest:
        raise UsageError("every teacher has seen films of the held-out fold; give the run that held out the same fold")
    if len(honest) < len(runs):
        _log.info("%d of %d teachers have seen the held-out fold and are left out", len(runs) - len(honest), len(runs))
    return honest


def check_validation(others: Sequence[Known], kept_back: frozenset[str]) -> None:
    """Refuse films to choose weights by that other runs have learnt from: the error on them would flatter.

    Raises:
        UsageError: naming the run.
    """
    for run in others:
        known = (run.training_ids - run.validation_ids) & kept_back
        if known:
            raise UsageError(
                f"the run {run.folder} has learnt from {len(known)} of the {len(kept_back)} films that "
                "validation.share keeps back; use runs with the same validation.share, or set it to 0 here"
            )


def known_films(ids: Sequence[str], others: Sequence[Known]) -> list[str]:
    """Give the films that a run learns from, then those that it knows through other runs only."""
    through = frozenset[str]().union(*(run.training_ids for run in others))
    return [*ids, *sorted(through.difference(ids))]


def _rows_of(ids: NDArray[np.str_], store: ViewSource) -> NDArray[np.int64]:
    """Find films in a store by id."""
    places = {name: row for row, name in enumerate(store.ids.tolist())}
    missing = [name for name in ids.tolist() if name not in places]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(ids)} films are missing from the teachers' store, the first {missing[0]!r}; "
            "prepare it from the same table"
        )
    return np.array([places[name] for name in ids.tolist()], dtype=np.int64)


def last_size(config: BoneAgeConfig) -> tuple[int, int]:
    """Rows and columns that the network ended its training with."""
    last = config.optimiser.stages[-1]
    return last.height, last.width
