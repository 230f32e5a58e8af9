"""What the detector is fitted by: the marks of centres, the centres' places, and the boxes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.detector.targets import NEAR, Targets
from capitate.training.settings.detector import BoxLoss, DetectorLossConfig

__all__ = ["box_terms", "generalised_iou", "heat_loss"]


def heat_loss(logits: Tensor, heat: Tensor, *, focus: float, near: float) -> Tensor:
    """Penalty-reduced focal loss of every film (Law & Deng 2018; Zhou et al. 2019).

    -(1 - p)^focus ln p where the target y is 1, -(1 - y)^near p^focus ln(1 - p) elsewhere, summed over a film's cells
    and divided by its number of centres (1 where it has none).

    Args:
        logits: float (n, classes, rows, columns).
        heat: targets, of the same shape.
        focus: see above.
        near: see above.

    Returns:
        (n,).
    """
    logits = logits.float()
    p = logits.sigmoid()
    centre = (heat == 1).float()
    right = -((1 - p) ** focus) * functional.logsigmoid(logits)
    wrong = -((1 - heat) ** near) * p**focus * functional.logsigmoid(-logits)
    total = (centre * right + (1 - centre) * wrong).flatten(1).sum(1)
    return total / centre.flatten(1).sum(1).clamp(min=1)


def box_terms(boxes: Tensor, targets: Targets, config: DetectorLossConfig) -> tuple[Tensor, Tensor]:
    """Give the distance of centres and the loss of boxes, of every film.

    Each object's own cell and its eight neighbours state the whole box; a film's terms are means over these.

    Args:
        boxes: what the cells state, float (n, 4, rows, columns): centre x, y, width and height in cells.
        targets: of the batch.
        config: which loss of boxes.

    Returns:
        L1 of centres in cells (n,), and 1 - GIoU or L1 of log sizes (n,); 0 where nothing is known.
    """
    stated, fits = _around(boxes.float(), targets)
    wanted = targets.boxes[:, :, None].expand(-1, -1, len(NEAR), -1)
    apart = (stated[..., :2] - wanted[..., :2]).abs().sum(-1)
    offset = _mean(apart, fits)
    known = fits & wanted[..., 2:].isfinite().all(-1)
    wanted = torch.where(known[..., None], wanted, torch.ones(()))
    stated = torch.where(known[..., None], stated, torch.ones(()))
    if config.box is BoxLoss.GIOU:
        return offset, _mean(1 - generalised_iou(stated, wanted), known)
    logs = (stated[..., 2:].log() - wanted[..., 2:].log()).abs().sum(-1)
    return offset, _mean(logs, known)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Give the overlap of pairs of boxes less the empty share of the box around both (Rezatofighi et al., CVPR 2019).

    Args:
        first: (..., 4) centre x, y, width and height.
        second: of the same shape.

    Returns:
        (...), -1 to 1.
    """
    (low1, high1), (low2, high2) = ((b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2) for b in (first, second))
    shared = (torch.minimum(high1, high2) - torch.maximum(low1, low2)).clamp(min=0).prod(-1)
    union = first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - shared
    around = (torch.maximum(high1, high2) - torch.minimum(low1, low2)).prod(-1)
    return shared / union - (around - union) / around


def _around(boxes: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Read what the cells at and around every object's centre state, (n, k, 9, 4), and which of them there are."""
    rows, columns = boxes.shape[2:]
    at = targets.cells[:, :, None] + torch.tensor(NEAR, device=boxes.device)
    there = ((at >= 0) & (at < torch.tensor([columns, rows], device=boxes.device))).all(-1)
    fits = there & targets.used[..., None]
    place = at[..., 1].clamp(0, rows - 1) * columns + at[..., 0].clamp(0, columns - 1)
    flat = boxes.flatten(2).transpose(1, 2)
    films = torch.arange(len(boxes), device=boxes.device)[:, None, None]
    return flat[films, place], fits


def _mean(values: Tensor, which: Tensor) -> Tensor:
    """Average over the objects and cells of each film, (n,)."""
    kept = torch.where(which, values, torch.zeros(())).flatten(1).sum(1)
    return kept / which.flatten(1).sum(1).clamp(min=1)
