"""What the locator learns from: films with points, moved and repainted in batches, and the numbers it should answer.

Parameters are drawn by `draw_films` and applied by `locator_batch`. Points move with the pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.runtime.views import LOCATOR_SIZE
from capitate.training.joints_labels import BOX_RIM, HandLabel

__all__ = ["Hands", "LocatorDrawn", "draw_films", "frame_target", "locator_batch", "stretch", "unmoved"]

_POINTS = 21
_HALF_FILM = 150
_COARSE = 7
_SIDES = 4


@dataclass(frozen=True, eq=False)
class Hands:
    """Films and where the hand lies in each.

    Attributes:
        films: uint8 (n, 299, 299), squashed.
        points: float32 (n, 21, 2), fractions of the film; a hand with fewer points repeats its first.
        up: float32 (n, 2), direction of the fingers, any length.
        boxes: bool (n,), whether the points are centres of joint boxes.
    """

    films: Tensor
    points: Tensor
    up: Tensor
    boxes: Tensor

    @classmethod
    def of(cls, films: NDArray[np.uint8], labels: list[HandLabel]) -> Hands:
        """Bring films and their labels, in one order, together."""
        points = [np.pad(one.points, ((_POINTS - len(one.points), 0), (0, 0)), mode="edge") for one in labels]
        return cls(
            torch.from_numpy(films),
            torch.tensor(np.array(points), dtype=torch.float32),
            torch.tensor(np.array([one.up for one in labels]), dtype=torch.float32),
            torch.tensor([one.boxes for one in labels]),
        )

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class LocatorDrawn:
    """What was drawn for a batch of n films.

    Attributes:
        matrix: (n, 2, 2) map from output to input coordinates in [-1, 1].
        shift: (n, 2) added after the matrix.
        padding: how `grid_sample` continues the film.
        gamma: (n, 1, 1).
        bands: film, edge (top, bottom, left, right), width in pixels and grey level of every band.
        noise: (n, 112, 112), added.
        gain, offset: (n, 1, 1).
        negated: (n,), 1 for a film to negate.
    """

    matrix: Tensor
    shift: Tensor
    padding: str
    gamma: Tensor
    bands: list[tuple[int, int, int, float]]
    noise: Tensor
    gain: Tensor
    offset: Tensor
    negated: Tensor


def draw_films(points: Tensor, *, generator: torch.Generator) -> LocatorDrawn:
    """Draw the parameters for films with these points, (n, 21, 2).

    A third of the films turn by any angle, the others by up to 26 degrees; the hand's centre is drawn towards the
    middle unless the film shrinks, so that it stays in view.
    """
    n = len(points)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    any_turn = rand(n) < 0.35
    angle = torch.where(any_turn, rand(n) * 2 * math.pi, (rand(n) - 0.5) * 0.9)
    scale, aspect = torch.exp((rand(n) - 0.4) * 0.9), torch.exp((rand(n) - 0.5) * 0.4)
    mirror = torch.where(rand(n) < 0.5, -1.0, 1.0)
    shift = (rand(n, 2) - 0.5) * 0.5
    at = points * 2 - 1
    centre = (at.amin(1) + at.amax(1)) / 2
    shift = shift + centre * (rand(n, 1) * 0.5 + 0.5) * (scale < 1.2)[:, None]
    cos, sin = torch.cos(angle), torch.sin(angle)
    first = torch.stack([cos * scale * aspect * mirror, -sin * scale / aspect], 1)
    second = torch.stack([sin * scale * aspect * mirror, cos * scale / aspect], 1)
    padding = _draw_padding(generator)
    gamma = torch.exp((rand(n, 1, 1) - 0.5) * 1.6)
    bands = _draw_bands(n, generator)
    noise = torch.randn(n, LOCATOR_SIZE, LOCATOR_SIZE, generator=generator) * 0.05 * rand(n, 1, 1)
    gain, offset = rand(n, 1, 1) * 0.7 + 0.3, rand(n, 1, 1) * 0.3
    negated = (rand(n) < 0.5).float()
    return LocatorDrawn(torch.stack([first, second], 1), shift, padding, gamma, bands, noise, gain, offset, negated)


def _draw_padding(generator: torch.Generator) -> str:
    """Draw how the batch's films go on beyond their edges."""
    if float(torch.rand(1, generator=generator)) < 0.4:
        return "border"
    return "zeros" if float(torch.rand(1, generator=generator)) < 0.6 else "reflection"


def _draw_bands(n: int, generator: torch.Generator) -> list[tuple[int, int, int, float]]:
    """Draw grey bands along film edges, as collimation and plates leave them."""
    bands = []
    for _ in range(2):
        for film in torch.nonzero(torch.rand(n, generator=generator) < 0.35)[:, 0].tolist():
            edge = int(torch.randint(0, _SIDES, (1,), generator=generator))
            width = int(torch.randint(3, 18, (1,), generator=generator))
            grey = float(torch.rand(1, generator=generator))
            if float(torch.rand(1, generator=generator)) < 0.3:
                grey = float(grey > 0.5)
            bands.append((film, edge, width, grey))
    return bands


def unmoved(n: int) -> tuple[Tensor, Tensor]:
    """Return the matrix and shift of films that stay as they are."""
    return torch.eye(2).expand(n, 2, 2), torch.zeros(n, 2)


def locator_batch(hands: Hands, rows: Tensor, drawn: LocatorDrawn | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Make a batch.

    Args:
        hands: films and points.
        rows: which of them.
        drawn: what was drawn for these rows; None leaves the films as they are.

    Returns:
        Films float32 (n, 1, 112, 112) in [-1, 1]; targets (n, 6), see `frame_target`; 1 for a negative (n,).
    """
    films = hands.films[rows].float()[:, None] / 255
    if drawn is None:
        small = functional.interpolate(films, (_HALF_FILM, _HALF_FILM), mode="bilinear", antialias=True)
        (matrix, shift), padding = unmoved(len(rows)), "border"
    else:
        small = functional.avg_pool2d(films, 2, ceil_mode=True)
        matrix, shift, padding = drawn.matrix, drawn.shift, drawn.padding
    target = frame_target(hands.points[rows], hands.up[rows], hands.boxes[rows], matrix=matrix, shift=shift)
    moved = resample(small, matrix, shift, padding=padding)
    if drawn is None:
        return stretch(moved)[:, None] * 2 - 1, target, torch.zeros(len(rows))
    return stretch(_repaint(moved, drawn))[:, None] * 2 - 1, target, drawn.negated


def resample(films: Tensor, matrix: Tensor, shift: Tensor, *, padding: str) -> Tensor:
    """Sample films (n, 1, h, w) at 112 x 112 through a map from output to input coordinates; gives (n, 112, 112)."""
    affine = torch.cat([matrix, shift[:, :, None]], 2)
    grid = functional.affine_grid(affine, [len(films), 1, LOCATOR_SIZE, LOCATOR_SIZE], align_corners=False)
    return functional.grid_sample(films, grid, mode="bilinear", padding_mode=padding, align_corners=False)[:, 0]


def stretch(films: Tensor) -> Tensor:
    """Bring the 1st to the 99th percentile of each film, (n, 112, 112), to 0 and 1.

    Every seventh pixel is looked at.
    """
    some = films.flatten(1)[:, ::_COARSE]
    low, high = (torch.quantile(some, share, dim=1)[:, None, None] for share in (0.01, 0.99))
    return ((films - low) / (high - low + 1e-4)).clamp(0, 1)


def _repaint(films: Tensor, drawn: LocatorDrawn) -> Tensor:
    """Change contrast, lay bands over the edges, add noise, and negate half of the films."""
    x = stretch(films) ** drawn.gamma
    for film, edge, width, grey in drawn.bands:
        picture = x[film] if edge < 2 else x[film].T
        picture[slice(width) if edge % 2 == 0 else slice(-width, None)] = grey
    x = (x + drawn.noise) * drawn.gain + drawn.offset
    return torch.where(drawn.negated[:, None, None] > 0, 1 - x, x)


def frame_target(points: Tensor, up: Tensor, boxes: Tensor, *, matrix: Tensor, shift: Tensor) -> Tensor:
    """Compute what the network should answer for hands that were moved.

    Args:
        points: (n, 21, 2), fractions of the film as stored.
        up: (n, 2), direction of the fingers in the film as stored.
        boxes: (n,), whether the hull is to shrink by `BOX_RIM`.
        matrix: (n, 2, 2), from moved to stored coordinates in [-1, 1].
        shift: (n, 2), added after the matrix.

    Returns:
        (n, 6): centre x, y; log width, log height along the hand's own axes; unit direction x, y. The film runs from
        -1 to 1.
    """
    back = torch.linalg.inv(matrix)
    moved = torch.einsum("bij,bkj->bki", back, points * 2 - 1 - shift[:, None])
    direction = functional.normalize(torch.einsum("bij,bj->bi", back, up), dim=1)
    down = -direction
    right = torch.stack([down[:, 1], -down[:, 0]], 1)
    across, along = torch.einsum("bki,bi->bk", moved, right), torch.einsum("bki,bi->bk", moved, down)
    edges = torch.stack([across.amin(1), along.amin(1), across.amax(1), along.amax(1)], 1)
    rim = torch.tensor(BOX_RIM)
    size = (edges[:, 2:] - edges[:, :2]).repeat(1, 2) / (1 + rim[2:] - rim[:2]).repeat(2)
    edges = torch.where(boxes[:, None], edges - rim * size, edges)
    middle = (edges[:, :2] + edges[:, 2:]) / 2
    centre = right * middle[:, :1] + down * middle[:, 1:]
    return torch.cat([centre, torch.log(edges[:, 2:] - edges[:, :2]), direction], 1)
