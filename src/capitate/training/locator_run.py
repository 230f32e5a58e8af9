"""One run of the hand locator's training: films and label tables in, a run folder out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.joints_audit import audit_hands
from capitate.training.joints_labels import audit_boxes, hand_labels
from capitate.training.layouts import read_any
from capitate.training.locator import train_locator
from capitate.training.locator_network import LocatorNetwork
from capitate.training.prepare import squashed_films
from capitate.training.runs import Run, claim, write_ids, write_json
from capitate.training.settings.locator import LocatorConfig
from capitate.training.weights import load_weights, save_weights

__all__ = ["load_locator_run", "run_locator"]


def run_locator(
    config: LocatorConfig,
    table: Path,
    out: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Train the hand locator in two rounds; a finished round is not trained again.

    Args:
        config: the experiment; its label tables are looked for from the folder of the table of films.
        table: films, in any form that `read_any` reads.
        out: run folder.
        workers: processes that read films.
        progress: called with films read and films in all.

    Returns:
        Errors on the held-out hands after each round.
    """
    folder = table if table.is_dir() else table.parent
    keypoints, boxes = folder / config.labels.keypoints, folder / config.labels.boxes
    labels = hand_labels(keypoints, boxes)
    studies = read_any(table)
    claim(out, {"task": "hand-locator", **config.to_dict()}, split={"fold": None, "folds": None})
    films, refused = squashed_films(studies, workers=workers, progress=progress)
    audit = asdict(audit_boxes(boxes, keypoints))
    hands = audit_hands(boxes, keypoints=keypoints, films=dict(zip(films.ids, films.pixels, strict=True)))
    refusals = [asdict(one) for one in refused]
    write_json(out / "audit.json", {**audit, "refused_films": refusals, "labelled_hands": hands.to_json()})
    result = train_locator(films.pixels, films.ids, labels, config, folder=out)
    save_weights(result.network, out / "weights.safetensors")
    write_ids(out / "held-out.txt", result.held_out)
    kept_back = frozenset(result.held_out)
    write_ids(out / "training-ids.txt", (one for one in films.ids if one not in kept_back))
    figures = {
        "round_1": asdict(result.first),
        "round_2": asdict(result.second),
        "films_taken_for_negatives": int((result.pseudo.negative > 0).sum()),
    }
    write_json(out / "metrics.json", figures)
    return figures


def load_locator_run(run: Run) -> LocatorNetwork:
    """Build a run's network with its final weights.

    Raises:
        UsageError: if the run is of another task or its files do not fit.
    """
    if run.task != "hand-locator":
        raise UsageError(f"the run {run.folder} is of the task {run.task}; a hand-locator run is needed")
    network = load_weights(LocatorNetwork(), run.weights)
    network.eval()
    return network
