"""Outlines of films that a network never saw: from the file that would be released, compared, written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from capitate.evaluation.overlap import dice, dice_figures
from capitate.runtime.session import Session
from capitate.training.export import export
from capitate.training.outlines.films import OutlineFilms
from capitate.training.outlines.masks import CLASSES, UNKNOWN
from capitate.training.outlines.network import ReleasedOutlines
from capitate.training.run_card import Figure
from capitate.training.runs import write_table

__all__ = ["PREDICTIONS", "export_outlines", "measure", "pixel_sums"]

PREDICTIONS = "predictions.csv"
_AT_ONCE = 64
_NAMES = tuple(name.replace(" ", "_") for name in CLASSES[1:])


def export_outlines(network: nn.Module, path: Path, *, height: int, width: int) -> None:
    """Write a network for outlines as ONNX with a dynamic batch and packed weights."""
    example = (torch.zeros(2, 1, height, width, dtype=torch.uint8),)
    export(ReleasedOutlines(network), example, path, inputs=("picture",), outputs=("probabilities",))


def pixel_sums(session: Session, films: OutlineFilms, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count the pixels of pictures that label and answer share, and the sum of both, (rows, classes, 2)."""
    parts = []
    for part in np.array_split(rows, max(1, -(-rows.size // _AT_ONCE))):
        answer = session.run({"picture": films.pictures[part][:, None]})[0].argmax(axis=1)
        labels = films.labels[part]
        counts = [_pixels(answer, labels, k) for k in range(1, len(CLASSES))]
        parts.append(np.stack(counts, axis=1))
    return np.concatenate(parts)


def measure(
    network: nn.Module, films: OutlineFilms, rows: NDArray[np.int64], *, folder: Path, seed: int
) -> dict[str, Figure]:
    """Outline films, write `predictions.csv`, and give Dice by class with intervals over films.

    Args:
        network: trained, in evaluation.
        films: all pictures.
        rows: that it never saw.
        folder: of the run.
        seed: of the resampling.
    """
    height, width = films.pictures.shape[1:]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "outlines.onnx"
        export_outlines(network, path, height=height, width=width)
        pixels = pixel_sums(Session(path, threads=torch.get_num_threads()), films, rows)
    names = np.array([films.studies[row].id for row in rows.tolist()])
    ids, film = np.unique(names, return_inverse=True)
    sums = np.zeros((len(ids), *pixels.shape[1:]))
    np.add.at(sums, film, pixels)
    both, either = sums[..., 0], sums[..., 1]
    by_film = dice(both, either)
    lines = [
        {
            "id": ids[k],
            "class": name,
            "pixels_shared": int(both[k, c]),
            "pixels_of_both": int(either[k, c]),
            "dice": "" if np.isnan(by_film[k, c]) else f"{by_film[k, c]:.4f}",
        }
        for k in range(len(ids))
        for c, name in enumerate(_NAMES)
    ]
    write_table(folder / PREDICTIONS, lines)
    return {name: one.to_json() for name, one in dice_figures(both, either, names=_NAMES, seed=seed).items()}


def _pixels(answer: NDArray[np.int64], labels: NDArray[np.uint8], kind: int) -> NDArray[np.float64]:
    """Count shared pixels and those of both, of every picture, (n, 2)."""
    known = labels != UNKNOWN
    found, wanted = (answer == kind) & known, labels == kind
    return np.stack(
        [(found & wanted).sum(axis=(1, 2)), found.sum(axis=(1, 2)) + wanted.sum(axis=(1, 2))], axis=1
    ).astype(np.float64)
