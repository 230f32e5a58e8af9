"""Batches of pictures with label maps: augmentation resamples both by one map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.training import augment
from capitate.training.augment.carried import in_pixels, negated
from capitate.training.augment.geometry import warp
from capitate.training.outlines.films import OutlineFilms
from capitate.training.outlines.masks import CLASSES
from capitate.training.pictures.labelled import LabelledFeeder
from capitate.training.settings.outlines import OutlinesConfig

__all__ = ["OutlineBatch", "OutlineFeeder", "batch_of"]

_MOSTLY = 0.5
"""Known share of a pixel from which on it counts."""


@dataclass(frozen=True, eq=False)
class OutlineBatch:
    """Pictures of one step, or of a part of it.

    Attributes:
        pictures: float32 (n, 1, height, width), 0 to 255.
        shares: float32 (n, 3, height, width), share of every class in a pixel, sum 1 where known.
        known: float32 (n, height, width), 1 where the class of a pixel is known, otherwise 0.
        of: pictures of the whole step, over all parts and processes.
    """

    pictures: Tensor
    shares: Tensor
    known: Tensor
    of: int

    def __len__(self) -> int:
        return len(self.pictures)

    def parts(self, count: int) -> Iterator[OutlineBatch]:
        """Cut into `count` parts whose sizes differ by one at most; fewer where there are fewer pictures."""
        for rows in np.array_split(np.arange(len(self)), min(count, len(self))):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            yield OutlineBatch(self.pictures[part], self.shares[part], self.known[part], self.of)

    def to(self, device: torch.device) -> OutlineBatch:
        """Move to a device."""
        return replace(
            self, pictures=self.pictures.to(device), shares=self.shares.to(device), known=self.known.to(device)
        )


class OutlineFeeder(LabelledFeeder[OutlineBatch, OutlineFilms, OutlinesConfig]):
    """Gives the batches of each epoch of an experiment on outlines."""

    def made(self, rows: NDArray[np.int64], *, drawn: augment.Drawn, negative: Tensor, of: int) -> OutlineBatch:
        """Make a batch; arguments as of `LabelledFeeder.made`."""
        return batch_of(self.films, rows, size=self.size, drawn=drawn, negative=negative, of=of, device=self.device)


def batch_of(
    films: OutlineFilms,
    rows: NDArray[np.int64],
    *,
    size: tuple[int, int],
    drawn: augment.Drawn | None = None,
    negative: Tensor | None = None,
    of: int | None = None,
    device: torch.device | None = None,
) -> OutlineBatch:
    """Make a batch of some pictures.

    Args:
        films: all of them.
        rows: which.
        size: rows and columns.
        drawn: augmentation; None leaves pictures as they are.
        negative: bool (n,), pictures to show as negatives.
        of: pictures of the whole step, those of this batch if None.
        device: where pictures are augmented, the CPU if None.
    """
    device = device or torch.device("cpu")
    pictures = torch.from_numpy(films.pictures[rows])[:, None]
    labels = torch.from_numpy(films.labels[rows])
    shares = torch.stack([(labels == k).float() for k in range(len(CLASSES))], 1).to(device)
    if negative is not None:
        pictures = negated(pictures, negative)
    pictures = pictures.to(device)
    if tuple(pictures.shape[2:]) != size:
        pictures = functional.interpolate(pictures.float(), size, mode="bilinear", antialias=True)
        shares = functional.interpolate(shares, size, mode="bilinear", antialias=True)
    if drawn is not None:
        drawn = in_pixels(drawn, height=size[0], width=size[1])
        everything = torch.ones(pictures.shape, dtype=torch.bool, device=device)
        pictures = augment.apply(pictures, everything, drawn)
        shares = warp(shares, drawn.geometry.affine)
    total = shares.sum(1)
    known = (total >= _MOSTLY).float()
    shares = shares / total.clamp(min=_MOSTLY)[:, None]
    return OutlineBatch(pictures.float(), shares, known, len(rows) if of is None else of)
