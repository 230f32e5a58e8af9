"""What a run starts from instead of random weights: another run, or a network of a released bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, is_bundle, load_bundle
from capitate.training.config import BoneAgeConfig
from capitate.training.folds import FOLDS, fold_of
from capitate.training.related_runs import load_bone_age_run
from capitate.training.released import released_network
from capitate.training.runs import Run
from capitate.training.settings.network import NO_SHAPE
from capitate.training.view_store import ViewSource

__all__ = ["Beginning", "begin"]

_MEASURED_FILMS = 256


@dataclass(frozen=True, eq=False)
class Beginning:
    """Weights to start from.

    Attributes:
        reference: name and digest for `split.json`.
        folder: of the run or bundle.
        training_ids: films that the weights know.
        validation_ids: films among these that were only kept back to choose weights by.
        weights: state of the network.
    """

    reference: Mapping[str, str]
    folder: Path
    training_ids: frozenset[str]
    validation_ids: frozenset[str]
    weights: dict[str, Tensor]


def begin(
    start: Path,
    config: BoneAgeConfig,
    *,
    fold: int | None,
    store: ViewSource,
    rows: NDArray[np.int64],
    held_out: frozenset[str],
) -> Beginning:
    """Load what a run starts from.

    Args:
        start: folder of a run, or name or folder of a bundle. An ensemble gives the network that held out `fold`, or
            its first one without a fold.
        config: of the run that starts.
        fold: that it holds out.
        store: its films.
        rows: those it learns from; some of them measure what a released network's norms receive.
        held_out: ids that the weights must not know.

    Raises:
        UsageError: if the weights know a held-out film or are of another network.
    """
    if is_bundle(str(start)):
        bundle = load_bundle(str(start))
        return _of_bundle(bundle, config, fold=fold or 0, held_out=held_out, store=store, rows=rows)
    return _of_run(Run.load(start), config, held_out)


def _of_run(run: Run, config: BoneAgeConfig, held_out: frozenset[str]) -> Beginning:
    """Start from a run that holds out the same fold and has the same network."""
    if run.training_ids & held_out:
        there = "no fold" if run.fold is None else f"fold {run.fold}"
        raise UsageError(
            f"the run {run.folder} to start from held out {there} and has seen films of the fold held out here; "
            "start from the run that held out the same fold"
        )
    network, theirs = load_bone_age_run(run)
    ours, there_network = config.network, theirs.network
    other = [one.name for one in fields(ours) if getattr(there_network, one.name) != getattr(ours, one.name)]
    shapes = [name for name in other if name not in NO_SHAPE]
    if shapes:
        raise UsageError(
            f"the run {run.folder} to start from has another network.{shapes[0]}: "
            f"{getattr(there_network, shapes[0])!r} there, {getattr(ours, shapes[0])!r} here; its weights do not fit"
        )
    return Beginning(run.reference, run.folder, run.training_ids, run.validation_ids, network.state_dict())


def _of_bundle(
    bundle: Bundle,
    config: BoneAgeConfig,
    *,
    fold: int,
    held_out: frozenset[str],
    store: ViewSource,
    rows: NDArray[np.int64],
) -> Beginning:
    """Start from the network of a bundle that never saw the held-out films."""
    ensemble = len(bundle.networks) == FOLDS
    member = fold if ensemble else 0
    folds = bundle.training_folds
    known = frozenset(i for i in bundle.training_ids if not ensemble or folds.get(i, fold_of(i)) != member)
    if known & held_out:
        raise UsageError(
            f"the bundle {bundle.name} to start from has seen {len(known & held_out)} of the {len(held_out)} films "
            "held out here; start from bone-age-ensemble, which has a network for every fold, or hold out no fold"
        )
    chosen = np.sort(np.random.default_rng(0).choice(rows, min(_MEASURED_FILMS, rows.size), replace=False))
    views, masks, _, sexes = store.batch(chosen)
    views = torch.where(masks, views, torch.zeros_like(views)).float()
    path = bundle.networks[member]
    network = released_network(path, config.network, views=views, sexes=sexes)
    reference = {"bundle": bundle.name, "network": path.name, "sha256": bundle.sha256}
    return Beginning(reference, bundle.folder, known, frozenset(), network.state_dict())
