"""Objects as maps: a mark at each centre, and what the cells around it should say of the box."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["NEAR", "STRIDE", "Targets", "make_targets", "mark_radius"]

STRIDE = 4
"""Pixels a cell of the maps has along each side, as in Zhou et al. 2019."""
NEAR = tuple((dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
"""Cells around a centre's own that learn the box as well, (across, down)."""
_LEAST_SIGMA = 0.7


@dataclass(frozen=True, eq=False)
class Targets:
    """What the maps of a batch should hold, lengths in cells.

    Attributes:
        heat: float (n, classes, rows, columns), 1 in a centre's own cell, falling off around it.
        cells: int64 (n, k, 2), column and row of every object's own cell.
        boxes: float (n, k, 4), centre x, y, width and height; sizes NaN where unknown.
        used: bool (n, k), objects that there are.
    """

    heat: Tensor
    cells: Tensor
    boxes: Tensor
    used: Tensor


def make_targets(
    classes: Tensor, boxes: Tensor, *, count: int, size: tuple[int, int], overlap: float, usual: Tensor
) -> Targets:
    """Make the maps of a batch.

    Args:
        classes: int64 (n, k), -1 for none.
        boxes: float (n, k, 4), pixels; sizes NaN where unknown.
        count: of classes.
        size: rows and columns of the pictures, multiples of `STRIDE`.
        overlap: see `mark_radius`.
        usual: float (count, 2), width and height that stand in for unknown ones in the width of a mark, shares of the
            picture's columns and rows.
    """
    rows, columns = size[0] // STRIDE, size[1] // STRIDE
    used = classes >= 0
    scaled = boxes / STRIDE
    ends = torch.tensor([columns - 1, rows - 1])
    cells = torch.where(used[..., None], scaled[..., :2], torch.zeros(())).floor().long().clamp(min=0).minimum(ends)
    stand_in = usual[classes.clamp(min=0)] * torch.tensor([columns, rows])
    sides = torch.where(scaled[..., 2:].isfinite(), scaled[..., 2:], stand_in)
    sigma = ((2 * mark_radius(sides, overlap=overlap) + 1) / 6).clamp(min=_LEAST_SIGMA)[..., None]
    across = torch.exp(-((torch.arange(columns) - cells[..., :1]) ** 2) / (2 * sigma**2))
    down = torch.exp(-((torch.arange(rows) - cells[..., 1:]) ** 2) / (2 * sigma**2))
    heat = torch.zeros(len(classes), count, rows, columns)
    films = torch.arange(len(classes))
    for k in range(classes.shape[1]):
        mark = down[:, k, :, None] * across[:, k, None, :] * used[:, k, None, None]
        at = (films, classes[:, k].clamp(min=0))
        heat[at] = torch.maximum(heat[at], mark)
    return Targets(heat, cells, scaled, used)


def mark_radius(sides: Tensor, *, overlap: float) -> Tensor:
    """Give the radius within which the corners of a box may lie so that it overlaps the true one enough.

    The least of three cases: both corners inwards, both outwards, both one way (Law & Deng, CornerNet, ECCV 2018,
    section 3.2). With sides w and h, a shift r leaves (w - 2r)(h - 2r) / (w h), w h / ((w + 2r)(h + 2r)) and
    (w - r)(h - r) / (2 w h - (w - r)(h - r)); each is set to `overlap` and solved for r.

    Args:
        sides: (..., 2) widths and heights.
        overlap: intersection over union, above 0 and below 1.
    """
    total, area = sides.sum(-1), sides.prod(-1)
    inwards = _smaller_root(4.0, -2 * total, (1 - overlap) * area)
    outwards = (-2 * total + (4 * total**2 + 16 * (1 / overlap - 1) * area).sqrt()) / 8
    one_way = _smaller_root(1.0, -total, area * (1 - overlap) / (1 + overlap))
    return torch.minimum(torch.minimum(inwards, outwards), one_way)


def _smaller_root(a: float, b: Tensor, c: Tensor) -> Tensor:
    """Solve a x^2 + b x + c = 0 for the smaller x, where b < 0."""
    root: Tensor = (-b - (b**2 - 4 * a * c).clamp(min=0).sqrt()) / (2 * a)
    return root
