"""From runs to a bundle that `capitate.runtime.fractures` runs: one network, or one that is released and its folds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from capitate.errors import UsageError
from capitate.training.bundle_folder import write_folds
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.detector.exported import agreement, drawn_films, export_detector
from capitate.training.detector.network import DetectorNetwork
from capitate.training.export import write_bundle
from capitate.training.fractures.films import fracture_pictures
from capitate.training.fractures.held_out import THRESHOLD
from capitate.training.pictures.exported import load_run, one_configuration, refuse_unused
from capitate.training.run_card import held_out_figures
from capitate.training.runs import Run, read_json
from capitate.training.settings.fractures import FracturesConfig

if TYPE_CHECKING:
    from capitate.errors import UsageError
from capitate.training.bundle_folder import BundleOptions

__all__ = ["make_bundle"]


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write network, threshold, card and training ids.

    Several runs are networks of folds: the one that held out none, or the first fold, answers, the others out of fold
    alone. Runs that `options.held_out` names give the threshold (and `options.figures` theirs), and are not shipped.

    Raises:
        UsageError: if the runs do not belong together, or a file answers otherwise than its network.
    """
    refuse_unused(options, task="fractures")
    runs = sorted(runs, key=lambda run: -1 if run.fold is None else run.fold)
    if len({run.fold for run in runs}) < len(runs):
        raise UsageError(f"each network of a bundle holds out another fold, got {[run.fold for run in runs]}")
    names = ["fractures.onnx"] if len(runs) == 1 else [_name(run) for run in runs]
    loaded = [load_run(run, FracturesConfig, make=_network) for run in runs]
    rule = one_configuration(fracture_pictures(config) for _, config in loaded)
    pictures = np.stack([rule.fitted(film).pixels for film in drawn_films()])
    others = [Run.load(path) for path in options.held_out]
    threshold = _threshold(runs, others)
    apart = (0.0, 0.0)
    for (network, _), name, value in zip(loaded, names, threshold["of_networks"], strict=True):
        export_detector(network, folder / name, height=rule.height, width=rule.width)
        apart = max(apart, agreement(network, folder / name, pictures, threshold=value))
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    card = compose_card(
        name=options.name or str(runs[0].config["name"]),
        version=options.version,
        task="fractures",
        networks=names,
        training={
            "films": len(ids),
            "folds held out": [run.fold for run in runs],
            "file against network": f"scores within {apart[0]:.4f}, centres within {apart[1]:.3f} pixels",
            "configuration": dict(runs[0].config),
            **options.notes,
        },
        runtime={
            "picture": rule.to_card(),
            "classes": list(loaded[0][1].classes),
            "threshold": threshold,
            **({"held_out": [run.fold for run in runs]} if len(runs) > 1 else {}),
        },
        figures=[*options.figures, *([] if others else _figures(runs))],
        training_ids=ids,
        about=options.about,
    )
    write_folds(folder, runs)
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=ids)


def _network(config: FracturesConfig) -> DetectorNetwork:
    return DetectorNetwork(config.network, classes=len(config.classes))


def _name(run: Run) -> str:
    return "released.onnx" if run.fold is None else f"fold-{run.fold}.onnx"


def _threshold(runs: Sequence[Run], others: Sequence[Run]) -> dict[str, Any]:
    """Give the threshold of each network; of one that kept nothing back, the mean of those that held out a fold.

    Raises:
        UsageError: if the thresholds were chosen in different ways.
    """
    own = [read_json(run.folder / THRESHOLD) for run in runs]
    folds = [read_json(run.folder / THRESHOLD) for run in others]
    chosen = [one for one in (*own, *folds) if one["films"]]
    if not chosen:
        return {"of_networks": [one["value"] for one in own], "choice": own[0]["choice"], "films": 0}
    choice = one_configuration(one["choice"] for one in chosen)
    mean = float(np.mean([one["value"] for one in (folds or chosen) if one["films"]]))
    return {
        "of_networks": [one["value"] if one["films"] else mean for one in own],
        "choice": choice,
        "on": "films kept back inside the training folds" + (", mean over the folds" if folds else ""),
        "films": sum(one["films"] for one in chosen),
    }


def _figures(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Take the card's figures from the films that the run held out; those of several runs come with `--held-out`."""
    return [one for one in held_out_figures(runs[0]) if "value" in one] if len(runs) == 1 else []
