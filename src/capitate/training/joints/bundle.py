"""From a joint-detector run to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from capitate.errors import UsageError
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.detector.exported import agreement, drawn_films, export_detector
from capitate.training.detector.network import DetectorNetwork
from capitate.training.export import write_bundle
from capitate.training.joints.films import detector_pictures, picture_of
from capitate.training.pictures.exported import load_run
from capitate.training.run_card import held_out_figures
from capitate.training.runs import Run
from capitate.training.settings.joints import JointDetectorConfig

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["make_bundle"]

_NETWORK = "joints.onnx"


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write network, card and training ids of a joint-detector bundle.

    Raises:
        UsageError: if there are several runs, or the file answers otherwise than the network.
    """
    if len(runs) != 1:
        raise UsageError(f"a joint-detector bundle is made of one run, got {len(runs)}")
    (run,) = runs
    network, config = load_run(
        run, JointDetectorConfig, make=lambda one: DetectorNetwork(one.network, classes=len(one.classes))
    )
    rule = detector_pictures(config)
    export_detector(network, folder / _NETWORK, height=rule.height, width=rule.width)
    pictures = np.stack([picture_of(film, rule).pixels for film in drawn_films()])
    apart = agreement(network, folder / _NETWORK, pictures, threshold=config.detect.threshold)
    card = compose_card(
        name=options.name or config.name,
        version=options.version,
        task="joint-detector",
        networks=[_NETWORK],
        training={
            "films": len(run.training_ids),
            "fold held out": run.fold,
            "file against network": f"scores within {apart[0]:.4f}, centres within {apart[1]:.3f} pixels",
            "configuration": dict(run.config),
            **options.notes,
        },
        runtime={
            "picture": rule.to_card(),
            "classes": list(config.classes),
            "detect": {
                "threshold": config.detect.threshold,
                "counts": list(config.counts) if config.detect.known_counts else [],
            },
        },
        figures=[*options.figures, *held_out_figures(run)],
        training_ids=run.training_ids,
        about=options.about,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=run.training_ids)
