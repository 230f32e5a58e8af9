"""What moves with the pixels: boxes and label maps under the same map as the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from capitate.training.augment.drawn import Drawn

__all__ = ["Shares", "carried_boxes", "clipped_boxes", "in_pixels", "negated"]

_LEAST_SEEN = 0.3
"""Share of a box's area that must stay in the picture for it to be learnt from."""


def in_pixels(drawn: Drawn, *, height: int, width: int) -> Drawn:
    """Let rotation and shear act on pixels instead of shares of width and height, so that they keep shapes.

    A view of the bone-age network fills its frame, whatever the hand's proportions, and is turned in shares of it. In a
    picture that keeps the film's proportions and is not square, a turn would shear. Nothing changes in a square.
    """
    affine = drawn.geometry.affine.clone()
    affine[:, 0, 1] *= height / width
    affine[:, 1, 0] *= width / height
    return replace(drawn, geometry=replace(drawn.geometry, affine=affine))


def carried_boxes(boxes: Tensor, affine: Tensor, *, height: int, width: int) -> Tensor:
    """Move boxes as `Geometry.apply` moves pixels.

    A box becomes that of the moved ellipse that it is drawn around, as in `capitate.phantom.annotate`: the box of a
    moved rectangle would swell at the corners with every turn.

    Args:
        boxes: float (n, k, 4), centre x, y, width and height in pixels; NaN stays NaN.
        affine: (n, 2, 3), from output to input coordinates, both from -1 to 1.
        height: rows of the pictures.
        width: their columns.

    Returns:
        As `boxes`.
    """
    half = torch.tensor([width / 2, height / 2])
    back = torch.linalg.inv(affine[:, :, :2])
    moved = torch.einsum("bij,bkj->bki", back, boxes[..., :2] / half - 1 - affine[:, None, :, 2])
    linear = back * half[:, None] / half  # in pixels
    sides = torch.einsum("bij,bkj->bki", linear.square(), boxes[..., 2:].square()).sqrt()
    return torch.cat([(moved + 1) * half, sides], 2)


def clipped_boxes(boxes: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Cut off what lies outside the pictures.

    Args:
        boxes: float (n, k, 4), centre x, y, width and height in pixels.
        height: rows of the pictures.
        width: their columns.

    Returns:
        The boxes' parts inside, and bool (n, k) which of them are still of use: those whose centre lies in the
        picture with most of the rest. A centre without a size is of use where it lies inside.
    """
    size = torch.tensor([width, height], dtype=boxes.dtype)
    low, high = boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2
    low, high = low.clamp(min=0).minimum(size), high.clamp(min=0).minimum(size)
    known = boxes[..., 2:].isfinite().all(2)
    inside = ((boxes[..., :2] >= 0) & (boxes[..., :2] < size)).all(2)
    seen = (high - low).prod(2) >= _LEAST_SEEN * boxes[..., 2:].prod(2)
    part = torch.cat([(low + high) / 2, high - low], 2)
    return torch.where(known[..., None], part, boxes), inside & (seen | ~known)


def negated(pictures: Tensor, chosen: Tensor, inside: Tensor | None = None) -> Tensor:
    """Exchange bone and surroundings in some pictures; what lies outside their films stays as it is.

    Args:
        pictures: uint8 (n, 1, height, width).
        chosen: bool (n,).
        inside: float (n, 4), left, top, right and bottom of each film in its picture, pixels; everything if None.
    """
    if not chosen.any():
        return pictures
    within = chosen[:, None, None, None]
    if inside is not None:
        across = torch.arange(pictures.shape[3]) + 0.5
        down = torch.arange(pictures.shape[2])[:, None] + 0.5
        left, top, right, bottom = inside[:, :, None, None].unbind(1)
        film = (across >= left) & (across < right) & (down >= top) & (down < bottom)
        within = within & film[:, None]
    return torch.where(within, 255 - pictures, pictures)


@dataclass(frozen=True)
class Shares:
    """Draws of yes and no that hang on an example's seed alone, apart from those of augmentation.

    Attributes:
        stream: keeps one use apart from the next.
    """

    stream: int

    def below(self, seeds: list[int], share: float) -> Tensor:
        """Choose examples, bool (n,), each with probability `share`."""
        generator = torch.Generator()
        drawn = [torch.rand(1, generator=generator.manual_seed(seed ^ self.stream)) for seed in seeds]
        return torch.cat(drawn) < share if drawn else torch.zeros(0, dtype=torch.bool)
