"""Joints of films that a network never saw: found from the file that would be released, compared, written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from capitate.evaluation.detection import detection_figures
from capitate.evaluation.detection_rows import box_rows
from capitate.runtime.session import Session
from capitate.training.detector.exported import export_detector, found_boxes
from capitate.training.joints.films import JointFilms
from capitate.training.run_card import Figure
from capitate.training.runs import write_table
from capitate.training.settings.joints import JointDetectorConfig

__all__ = ["PREDICTIONS", "measure"]

PREDICTIONS = "predictions.csv"


def measure(
    network: nn.Module, films: JointFilms, rows: NDArray[np.int64], config: JointDetectorConfig, *, folder: Path
) -> dict[str, Figure]:
    """Find joints, write `predictions.csv`, and give figures with intervals.

    Args:
        network: trained, in evaluation.
        films: all of them.
        rows: that it never saw.
        config: the experiment.
        folder: of the run.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "joints.onnx"
        export_detector(network, path, height=films.rule.height, width=films.rule.width)
        session = Session(path, threads=torch.get_num_threads())
        found = found_boxes(session, films, rows, counts=config.counts if config.detect.known_counts else None)
    threshold = config.detect.threshold
    lines = [
        line
        for row, film in zip(rows.tolist(), found, strict=True)
        for line in box_rows(film, names=config.classes, threshold=threshold, size=films.sizes[row])
    ]
    write_table(folder / PREDICTIONS, [line.cells() for line in lines])
    estimates = detection_figures(found, names=config.classes, threshold=threshold, seed=config.seed)
    return {name: one.to_json() for name, one in estimates.items()}
