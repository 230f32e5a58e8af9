"""Batches of films with boxes: augmentation moves pictures and boxes by one map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.training import augment
from capitate.training.augment.carried import carried_boxes, clipped_boxes, in_pixels, negated
from capitate.training.detector.films import BoxedFilms
from capitate.training.detector.targets import Targets, make_targets
from capitate.training.pictures.labelled import LabelledFeeder
from capitate.training.settings.detector import DetectorConfig

__all__ = ["DetectorBatch", "DetectorFeeder", "batch_of"]


@dataclass(frozen=True, eq=False)
class DetectorBatch:
    """Films of one step, or of a part of it.

    Attributes:
        pictures: float32 (n, 1, height, width), 0 to 255.
        classes: int64 (n, k), -1 for none.
        boxes: float32 (n, k, 4), pixels of these pictures.
        targets: maps made of them.
        of: films of the whole step, over all parts and processes.
    """

    pictures: Tensor
    classes: Tensor
    boxes: Tensor
    targets: Targets
    of: int

    def __len__(self) -> int:
        return len(self.pictures)

    def parts(self, count: int) -> Iterator[DetectorBatch]:
        """Cut into `count` parts whose sizes differ by one film at most; fewer where there are fewer films."""
        for rows in np.array_split(np.arange(len(self)), min(count, len(self))):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            maps = self.targets
            targets = Targets(maps.heat[part], maps.cells[part], maps.boxes[part], maps.used[part])
            yield DetectorBatch(self.pictures[part], self.classes[part], self.boxes[part], targets, self.of)

    def to(self, device: torch.device) -> DetectorBatch:
        """Move to a device."""
        maps = self.targets
        moved = Targets(maps.heat.to(device), maps.cells.to(device), maps.boxes.to(device), maps.used.to(device))
        return replace(
            self,
            pictures=self.pictures.to(device),
            classes=self.classes.to(device),
            boxes=self.boxes.to(device),
            targets=moved,
        )


class DetectorFeeder(LabelledFeeder[DetectorBatch, BoxedFilms, DetectorConfig]):
    """Gives the batches of each epoch of a detector experiment."""

    def made(self, rows: NDArray[np.int64], *, drawn: augment.Drawn, negative: Tensor, of: int) -> DetectorBatch:
        """Make a batch; arguments as of `LabelledFeeder.made`."""
        return batch_of(
            self.films, rows, self.config, size=self.size, drawn=drawn, negative=negative, of=of, device=self.device
        )


def batch_of(
    films: BoxedFilms,
    rows: NDArray[np.int64],
    config: DetectorConfig,
    *,
    size: tuple[int, int],
    drawn: augment.Drawn | None = None,
    negative: Tensor | None = None,
    of: int | None = None,
    device: torch.device | None = None,
) -> DetectorBatch:
    """Make a batch of some films.

    Args:
        films: all of them.
        rows: which.
        config: the experiment.
        size: rows and columns of the pictures.
        drawn: augmentation; None leaves the films as they are.
        negative: bool (n,), films to show as negatives.
        of: films of the whole step, those of this batch if None.
        device: where pictures are augmented, the CPU if None.
    """
    device = device or torch.device("cpu")
    pictures = torch.from_numpy(films.pictures[rows])[:, None]
    classes, boxes = torch.from_numpy(films.classes[rows]), torch.from_numpy(films.boxes[rows])
    if negative is not None:
        pictures = negated(pictures, negative, torch.from_numpy(films.inside[rows]))
    pictures, boxes = _resized(pictures, boxes, size)
    height, width = size
    if drawn is not None:
        drawn = in_pixels(drawn, height=height, width=width)
        everything = torch.ones(pictures.shape, dtype=torch.bool, device=device)
        pictures = augment.apply(pictures.to(device), everything, drawn)
        boxes = carried_boxes(boxes, drawn.geometry.affine, height=height, width=width)
    boxes, useful = clipped_boxes(boxes, height=height, width=width)
    classes = torch.where(useful, classes, torch.full_like(classes, -1))
    targets = make_targets(
        classes,
        boxes,
        count=len(config.classes),
        size=size,
        overlap=config.loss.overlap,
        usual=torch.from_numpy(films.usual),
    )
    return DetectorBatch(pictures.float(), classes, boxes, targets, len(rows) if of is None else of)


def _resized(pictures: Tensor, boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Reduce pictures with antialiasing, and boxes with them."""
    height, width = pictures.shape[2:]
    if (height, width) == size:
        return pictures, boxes
    smaller = functional.interpolate(pictures.float(), size, mode="bilinear", antialias=True)
    factors = torch.tensor([size[1] / width, size[0] / height]).repeat(2)
    return smaller, boxes * factors
