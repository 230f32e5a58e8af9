"""From a joint-detector run to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.phantom import Pose, draw
from capitate.runtime.film_rule import FilmRule
from capitate.runtime.hand_view import HandViewRule
from capitate.runtime.joint_boxes import find_peaks
from capitate.runtime.session import Session
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.export import write_bundle
from capitate.training.joints.films import detector_pictures, picture_of
from capitate.training.joints.held_out import export_joints
from capitate.training.joints.network import JointNetwork, ReleasedJoints
from capitate.training.pictures.exported import load_run
from capitate.training.run_card import held_out_figures
from capitate.training.runs import Run
from capitate.training.settings.joints import JointDetectorConfig
from capitate.types import Sex, Side

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["agreement", "make_bundle"]

_NETWORK = "joints.onnx"
_MOST_SCORE, _MOST_PIXELS = 0.05, 1.0
"""Largest differences between file and network that a bundle may have: scores, and centres in pixels of the picture."""


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write network, card and training ids of a joint-detector bundle.

    Raises:
        UsageError: if there are several runs, or the file answers otherwise than the network.
    """
    if len(runs) != 1:
        raise UsageError(f"a joint-detector bundle is made of one run, got {len(runs)}")
    (run,) = runs
    network, config = load_run(
        run, JointDetectorConfig, make=lambda one: JointNetwork(one.network, classes=len(one.classes))
    )
    rule = detector_pictures(config)
    export_joints(network, folder / _NETWORK, height=rule.height, width=rule.width)
    apart = agreement(network, folder / _NETWORK, rule, threshold=config.detect.threshold)
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


def agreement(
    network: JointNetwork, path: Path, rule: FilmRule | HandViewRule, *, threshold: float
) -> tuple[float, float]:
    """Compare an exported file with its network on drawn films.

    Args:
        network: in evaluation.
        path: of the file.
        rule: by which pictures are made.
        threshold: score from which on centres are compared.

    Returns:
        Largest difference of scores, and of centres in pixels of the picture.

    Raises:
        UsageError: if either is too large for the bundle to be released.
    """
    pictures = np.stack([picture_of(film, rule).pixels for film in _drawn()])[:, None]
    scores, boxes = Session(path, threads=1).run({"picture": pictures})
    with torch.no_grad():
        wanted, places = (one.numpy() for one in ReleasedJoints(network)(torch.from_numpy(pictures)))
    score = float(np.abs(scores - wanted).max())
    centre = max((_moved(*one, threshold=threshold) for one in zip(wanted, places, boxes, strict=True)), default=0.0)
    if not (score < _MOST_SCORE and centre < _MOST_PIXELS):
        raise UsageError(
            f"the exported file differs from its network by {score:.4f} in a score and {centre:.3f} pixels in a "
            f"centre, more than {_MOST_SCORE:g} and {_MOST_PIXELS:g}; train longer, or report this"
        )
    return score, centre


def _moved(
    heat: NDArray[np.float32], places: NDArray[np.float32], others: NDArray[np.float32], *, threshold: float
) -> float:
    """Give how far the file puts the centres of the joints that the network finds, pixels."""
    joints, theirs = find_peaks(heat, places, threshold=threshold), find_peaks(heat, others, threshold=threshold)
    if not len(joints.scores):
        return 0.0
    apart = joints.boxes[: len(theirs.boxes), :2] - theirs.boxes[: len(joints.boxes), :2]
    return float(np.hypot(apart[:, 0], apart[:, 1]).max())


def _drawn() -> list[NDArray[np.float32]]:
    """Draw a girl's left hand, upright, and a boy's right one that lies on its side."""
    upright = draw(age_months=84, sex=Sex.FEMALE, height=320)
    lying = draw(age_months=150, sex=Sex.MALE, side=Side.RIGHT, pose=Pose(rotation_degrees=80), height=320, seed=1)
    return [upright.radiograph.pixels, lying.radiograph.pixels]
