"""The same film turned, mirrored or tilted in memory, with the way back to the film as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.errors import UsageError
from capitate.hand.affine import Affine
from capitate.types import Side

__all__ = ["Move", "MovedFilm", "make_moves"]

Pixels = NDArray[np.float32]
_QUARTER = 90
_RIM = 0.02
"""Share of a film's sides whose pixels tell what stands around it."""


@dataclass(frozen=True, eq=False)
class MovedFilm:
    """A moved film: its pixels, and the map of points from the film as it was."""

    pixels: Pixels
    moved: Affine


@dataclass(frozen=True)
class Move:
    """One way to move films.

    Attributes:
        name: for tables, such as `turned by 90`.
        mirrored: whether a left hand becomes a right one.
        apply: moves a film; the id decides what is drawn at random.
    """

    name: str
    mirrored: bool
    apply: Callable[[Pixels, str], MovedFilm]

    def side(self, side: Side) -> Side:
        """Return the side that a hand of this side shows after the move."""
        if not self.mirrored or side is Side.UNKNOWN:
            return side
        return Side.RIGHT if side is Side.LEFT else Side.LEFT


def make_moves(*, turns: Sequence[float] = (), mirror: bool = False, tilt: float = 0.0) -> list[Move]:
    """List the moves that were asked for.

    Args:
        turns: degrees anticlockwise; 0 is the film as it is and needs no move. Quarters move pixels as they are, other
            angles resample them.
        mirror: also left and right exchanged.
        tilt: also turned by an angle drawn evenly from -`tilt` to `tilt` degrees, another for each film.

    Raises:
        UsageError: if an angle is not finite or the tilt is not 0 to 180.
    """
    if not np.isfinite(turns).all():
        raise UsageError(f"films are turned by degrees, got {', '.join(f'{one:g}' for one in turns)}; such as 90,180")
    if not 0 <= tilt <= 180:
        raise UsageError(f"films are tilted by up to 0 to 180 degrees, got {tilt:g}; such as 30")
    angles = dict.fromkeys(one % 360 for one in turns)
    moves = [Move(f"turned by {one:g}", False, _turn(one)) for one in angles if one]
    moves += [Move("mirrored", True, _mirror)] if mirror else []
    moves += [Move(f"tilted by up to {tilt:g}", False, _tilt(tilt))] if tilt else []
    return moves


def _mirror(pixels: Pixels, _: str) -> MovedFilm:
    flip = Affine(np.diag([-1.0, 1.0]), np.array([float(pixels.shape[1]), 0.0]))
    return MovedFilm(np.ascontiguousarray(pixels[:, ::-1]), flip)


def _turn(degrees: float) -> Callable[[Pixels, str], MovedFilm]:
    return lambda pixels, _: _turned(pixels, degrees)


def _tilt(most: float) -> Callable[[Pixels, str], MovedFilm]:
    def apply(pixels: Pixels, film: str) -> MovedFilm:
        seed = int.from_bytes(hashlib.sha256(film.encode()).digest()[:8], "big")
        return _turned(pixels, float(np.random.default_rng(seed).uniform(-most, most)))

    return apply


def _turned(pixels: Pixels, degrees: float) -> MovedFilm:
    """Turn a film anticlockwise as seen; the picture grows so that no corner is lost."""
    rows, columns = pixels.shape
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.array([[cosine, sine], [-sine, cosine]])  # y runs down
    quarters, rest = divmod(degrees, _QUARTER)
    if not rest:
        matrix = np.rint(matrix)
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) @ matrix.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    if not rest:
        return MovedFilm(np.ascontiguousarray(np.rot90(pixels, int(quarters) % 4)), Affine(matrix, -low))
    wide, tall = (int(one) for one in np.ceil(high - low))
    moved = Affine(matrix, np.array([wide, tall]) / 2 - (low + high) / 2)
    back = moved.inverse
    numbers = (*back.matrix[0], back.origin[0], *back.matrix[1], back.origin[1])
    image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    turned = image.transform(
        (wide, tall),
        Image.Transform.AFFINE,
        tuple(float(one) for one in numbers),
        Image.Resampling.BILINEAR,
        fillcolor=_surroundings(pixels),
    )
    return MovedFilm(np.asarray(turned, dtype=np.float32), moved)


def _surroundings(pixels: Pixels) -> float:
    """Give the median grey of a film's rim, which goes on where a turned film ends."""
    rim = max(1, round(_RIM * min(pixels.shape)))
    inside = np.zeros(pixels.shape, dtype=bool)
    inside[rim:-rim, rim:-rim] = True
    return float(np.median(pixels[~inside])) if not inside.all() else 0.0
