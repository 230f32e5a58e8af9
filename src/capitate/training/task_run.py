"""One run of any task: a fold held out, a folder claimed, the loop, the held-out fold predicted, a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.checkpoint import CHECKPOINT
from capitate.training.devices import make_fabric
from capitate.training.loop import Result, train
from capitate.training.run_card import run_card, run_card_text
from capitate.training.runs import claim, read_json, write_ids, write_json, write_text
from capitate.training.task import Task
from capitate.training.validation import kept_back
from capitate.training.weights import save_weights

__all__ = ["Foundation", "check_fold", "check_resume", "rows_of", "run_task"]


@dataclass(frozen=True)
class Foundation:
    """What a run rests on beside its own data.

    Attributes:
        weights: to begin with instead of random ones.
        split: further entries of `split.json`.
        files: further JSON files of the run folder, by name.
        training_ids: examples known through other runs only.
    """

    weights: dict[str, Tensor] | None = None
    split: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    training_ids: tuple[str, ...] = ()


def run_task(
    task: Task[Any, Any],
    out: Path,
    *,
    fold: int | None = None,
    resume: bool = False,
    rows: NDArray[np.int64] | None = None,
    foundation: Foundation | None = None,
    fabric: Fabric | None = None,
) -> dict[str, Any]:
    """Train, or go on with a run that was interrupted.

    Args:
        task: the experiment with its data; its seed is that of this run already.
        out: run folder.
        fold: held out, and predicted at the end; None learns from every example.
        resume: insist that `out` holds a run that was begun; otherwise a new one begins where there is none.
        rows: examples that may be learnt from or held out, all if None.
        foundation: weights to begin with, and what else the run rests on.
        fabric: processes and their device, made from the experiment if None.

    Returns:
        Errors on the held-out fold and the smallest one on the validation examples; empty in processes but the first.

    Raises:
        UsageError: naming what does not fit.
    """
    check_fold(fold, task.config.folds)
    check_resume(out, resume=resume)
    fabric = fabric or make_fabric(task.config.devices)
    foundation = foundation or Foundation()
    held_out, learnt = rows_of(task, fold=fold, rows=rows)
    kept = learnt[kept_back(task.groups(learnt), share=task.config.validation.share)]
    if fabric.is_global_zero:
        split = {"fold": fold, "folds": task.config.folds, **task.digests(), **foundation.split}
        claim(out, {"task": task.name, **task.config.to_dict()}, split=split)
        for name, values in {**task.files(), **foundation.files}.items():
            write_json(out / name, values)
        write_ids(out / "training-ids.txt", [*task.ids[learnt].tolist(), *foundation.training_ids])
        write_ids(out / "validation-ids.txt", task.ids[kept].tolist())
    fabric.barrier()
    task.prepare()
    result = train(task, learnt, folder=out, start=foundation.weights, fabric=fabric)
    if not fabric.is_global_zero:
        return {}
    task.complete(result.network, kept, out)
    figures = dict(task.held_out(result.network, held_out, out)) if held_out.size else {}
    figures |= {f"validation_{name}": round(value, 4) for name, value in result.validation.items()}
    _finish(task, result, out, figures, films=learnt.size - kept.size, kept_back=kept.size)
    return figures


def rows_of(
    task: Task[Any, Any], *, fold: int | None, rows: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the rows of the held-out fold, and all others.

    Raises:
        UsageError: if nothing is left to learn from.
    """
    rows = np.arange(len(task.ids)) if rows is None else rows
    out = task.folds()[rows] == fold if fold is not None else np.zeros(rows.size, dtype=bool)
    if out.all():
        raise UsageError(f"the store has no film outside fold {fold}; prepare more films")
    return rows[out], rows[~out]


def check_fold(fold: int | None, folds: int) -> None:
    """Refuse a fold that the experiment does not have.

    Raises:
        UsageError: if so.
    """
    if fold is not None and not 0 <= fold < folds:
        raise UsageError(f"--fold must be 0 to {folds - 1}, got {fold}")


def check_resume(out: Path, *, resume: bool) -> None:
    """Refuse to go on with a run that was never begun.

    Raises:
        UsageError: if so.
    """
    if resume and not (out / CHECKPOINT).exists():
        raise UsageError(f"{out} holds no checkpoint to go on from; leave --resume out to begin")


def _finish(
    task: Task[Any, Any], result: Result, out: Path, figures: dict[str, Any], *, films: int, kept_back: int
) -> None:
    """Write the final weights, the figures and the card."""
    write_json(out / "metrics.json", figures)
    config, split = (read_json(out / f"{name}.json") for name in ("config", "split"))
    card = run_card(
        config,
        split,
        films=films,
        kept_back=kept_back,
        history=result.history,
        figures=figures,
        judged_by=task.judged_by,
        notes=task.notes(),
    )
    write_json(out / "card.json", card)
    write_text(out / "card.md", run_card_text(card))
    save_weights(result.network, out / "weights.safetensors")
