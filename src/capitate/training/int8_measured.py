"""Twins of a bundle's networks in 8-bit integers, and what they cost and gain: size, speed, change of the error."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.evaluation.paired import difference
from capitate.evaluation.speed import machine
from capitate.runtime.session import Network, Session
from capitate.training.agreement import FilmViews, ages_of
from capitate.training.film_views import some_rows, store_views
from capitate.training.int8 import int8_name, quantise
from capitate.training.view_store import SEX_INDEX, ViewStore

__all__ = ["CALIBRATED_ON", "MEASURED_ON", "Quantised", "write_int8"]

CALIBRATED_ON = 200
"""Films, a view each, that the ranges of activations are taken from."""
MEASURED_ON = 500
"""Films for each network that its change is measured on, at most."""
_LEAST = 16
_RUNS = 15
_THREADS = 1

Ages = NDArray[np.float64]


@dataclass(frozen=True)
class Quantised:
    """A network to quantise.

    Attributes:
        path: its file.
        learnt: rows of the store that it learnt from.
        held_out: rows of the store that it never saw; none where it learnt from every film.
    """

    path: Path
    learnt: NDArray[np.int64]
    held_out: NDArray[np.int64]


def write_int8(
    folder: Path,
    card: Mapping[str, Any],
    networks: Sequence[Quantised],
    store: ViewStore,
    *,
    most: int = MEASURED_ON,
    seed: int = 0,
) -> dict[str, Any]:
    """Write the twins of networks into a bundle's folder and measure them.

    Args:
        folder: of the bundle.
        card: how the networks see films.
        networks: in the order of the card.
        store: films with their bone ages.
        most: films for each network that the change is measured on.
        seed: of the choice of films.

    Returns:
        The plain values of a card's `int8`.

    Raises:
        UsageError: if the store holds too few films that a network learnt from.
    """
    judged = all(one.held_out.size for one in networks)
    truth: list[Ages] = []
    wide: list[Ages] = []
    narrow: list[Ages] = []
    methods: list[str] = []
    for one in networks:
        calibrating, method = _calibrate(folder, card, one, store, seed=seed)
        methods.append(method)
        others = one.held_out if judged else np.setdiff1d(one.learnt, calibrating)
        rows = some_rows(others, most=most, seed=seed)
        if rows.size == 0:
            raise UsageError(f"no film is left to measure {one.path.name} on; give a store with more films than 16")
        pair = Session(one.path, threads=_THREADS), Session(folder / int8_name(one.path.name), threads=_THREADS)
        for ages, network in zip((wide, narrow), pair, strict=True):
            ages.append(np.concatenate([ages_of(card, network, part) for part in store_views(store, rows, card)]))
        truth.append(store.months[rows].astype(np.float64))
    names = [int8_name(one.path.name) for one in networks]
    example = next(store_views(store, networks[0].learnt[:1], card))
    return {
        "networks": names,
        "method": methods[0],
        "calibrated_on": f"{CALIBRATED_ON} films at most for each network, a view each, of those it learnt from; none "
        "of its held-out fold",
        "bytes": sum((folder / name).stat().st_size for name in names),
        "bytes_fp32": sum(one.path.stat().st_size for one in networks),
        "speed": _speed(card, networks[0].path, folder / names[0], example),
        "loss": _loss(*(np.concatenate(each) for each in (truth, wide, narrow)), judged=judged),
    }


def _calibrate(
    folder: Path, card: Mapping[str, Any], one: Quantised, store: ViewStore, *, seed: int
) -> tuple[NDArray[np.int64], str]:
    """Quantise a network on a view each of films that it learnt from; give their rows, and how it was done."""
    rows = some_rows(np.setdiff1d(one.learnt, one.held_out), most=CALIBRATED_ON, seed=seed)
    if rows.size < _LEAST:
        raise UsageError(
            f"the store holds {rows.size} films that {one.path.name} learnt from, and {_LEAST} are needed to calibrate "
            "8-bit integers; give the store that it was trained on as --data"
        )
    parts = list(store_views(store, rows, card))
    views = np.concatenate([part.views for part in parts])
    sexes = [SEX_INDEX[sex] for part in parts for sex in part.sexes]
    chosen = views[np.arange(len(rows)), np.arange(len(rows)) % views.shape[1]]
    codes = np.array(sexes, dtype=np.int64)
    films = {"view": chosen[:, None], "sex": codes}
    return rows, quantise(one.path, folder / int8_name(one.path.name), films=films)


def _speed(card: Mapping[str, Any], wide: Path, narrow: Path, film: FilmViews) -> dict[str, Any]:
    """Time both files on one film with all its test views, taking turns, so that both meet the same machine."""
    sessions: list[Network] = [Session(path, threads=_THREADS) for path in (wide, narrow)]
    steps: list[Callable[[], object]] = [lambda one=one: ages_of(card, one, film) for one in sessions]  # type: ignore[misc]
    taken: list[list[float]] = [[], []]
    for _ in range(_RUNS + 1):
        for step, times in zip(steps, taken, strict=True):
            began = time.perf_counter()
            step()
            times.append((time.perf_counter() - began) * 1000)
    fp32, int8 = (statistics.median(times[1:]) for times in taken)
    return {
        "film_ms_fp32": round(fp32, 2),
        "film_ms_int8": round(int8, 2),
        "times_as_fast": round(fp32 / int8, 2),
        "views_a_film": int(film.views.shape[1]),
        "runs": _RUNS,
        "threads": _THREADS,
        "processor": machine()["processor"],
    }


def _loss(truth: Ages, wide: Ages, narrow: Ages, *, judged: bool) -> dict[str, Any]:
    """Say how far ages move and, on films that nothing was learnt from, what that does to the error."""
    moved = np.abs(narrow - wide)
    values: dict[str, Any] = {
        "on": f"{len(truth)} films of the folds held out, each by the network that never saw it"
        if judged
        else f"{len(truth)} films that the network learnt from and that calibrated nothing; none is held out, so the "
        "change of the error is not known",
        "films": len(truth),
        "median_change_months": round(float(np.median(moved)), 3),
        "p95_change_months": round(float(np.percentile(moved, 95)), 3),
        "largest_change_months": round(float(moved.max()), 3),
    }
    if judged:
        errors = np.abs(wide - truth), np.abs(narrow - truth)
        change = difference(errors[1], errors[0])
        values |= {
            "mae_fp32": round(float(errors[0].mean()), 3),
            "mae_int8": round(float(errors[1].mean()), 3),
            "mae_change": {name: round(getattr(change, name), 4) for name in ("value", "low", "high")},
        }
    return values
