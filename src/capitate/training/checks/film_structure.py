"""What a film shows without its exposure: fine structure of the logarithm of grey values, small enough to compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion, gaussian_filter, label

from capitate import files
from capitate.errors import FilmError, UnreadablePathError
from capitate.training.manifest import Study
from capitate.training.prepare import Refused, each_film

__all__ = ["SIDE", "FilmStructure", "film_structure", "look_at_structures"]

SIDE = 64
"""Pixels across and down of what is compared; measured together with the limits of `turned_copies`."""

_BLACK = 1.5 / 255
"""Grey values up to here say nothing: an 8-bit picture turned in its canvas has 0 or 1 in the corners."""

_SURROUNDINGS = SIDE / 32
"""Standard deviation in pixels of the surroundings that a grey value is compared with."""

_NEIGHBOURHOOD = 1.5 * _SURROUNDINGS
_LEAST_SPREAD = 0.02
_LEAST_SHOWN = 0.05
_MEASURED = 256

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FilmStructure:
    """One film as copies of it are looked for.

    Attributes:
        id: of the film.
        canvas: height and width of the film in pixels.
        values: float16 (64, 64), fine structure in standard deviations of its neighbourhood, the film in the middle
            with its proportions; 0 where nothing is known.
        known: bool (64, 64), where the film shows something.
        corners: share of the film that is black and connected with its edge, which turning a film enlarges.
        contrast: standard deviation of the grey values, fractions of the full scale.
    """

    id: str
    canvas: tuple[int, int]
    values: NDArray[np.float16]
    known: NDArray[np.bool_]
    corners: float
    contrast: float


def look_at_structures(
    studies: Sequence[Study], *, workers: int = 1, progress: Callable[[], None] | None = None
) -> tuple[list[FilmStructure], list[Refused]]:
    """Read every film once; give the structure of those that can be read, and the others with the reason."""
    found: list[FilmStructure] = []
    refused: list[Refused] = []
    for result in each_film(_look, studies, workers=workers):
        if isinstance(result, Refused):
            refused.append(result)
        else:
            found.append(result)
        if progress is not None:
            progress()
    return found, refused


def film_structure(name: str, pixels: Pixels) -> FilmStructure:
    """Bring a film to what is compared.

    The logarithm makes a darker copy differ by a constant, which the comparison with the surroundings takes away.

    Args:
        name: id of the film.
        pixels: float32 (height, width) in [0, 1].
    """
    height, width = pixels.shape
    small = _in_the_middle(pixels)
    shown = small > _BLACK
    if shown.mean() > _LEAST_SHOWN:
        known = binary_erosion(shown)
    else:
        shown = known = np.ones_like(shown)
    inside = shown.astype(np.float32)
    grey = np.log1p(small * 255) * inside
    around = gaussian_filter(inside, _SURROUNDINGS) + 1e-3
    fine = (grey - gaussian_filter(grey, _SURROUNDINGS) / around) * inside
    power = gaussian_filter(fine * fine, _NEIGHBOURHOOD) / (gaussian_filter(inside, _NEIGHBOURHOOD) + 1e-3)
    values = np.where(known, fine / (np.sqrt(power) + _LEAST_SPREAD), 0).astype(np.float16)
    return FilmStructure(name, (height, width), values, known, _black_corners(pixels), float(pixels.std()))


def _in_the_middle(pixels: Pixels) -> Pixels:
    """Shrink a film with its proportions into the middle of a square of 64.

    Both sides are even, so that the film's middle is the square's to a fraction of a pixel, mirrored or not.
    """
    scale = SIDE / max(pixels.shape)
    height, width = (2 * max(1, round(side * scale / 2)) for side in pixels.shape)
    picture = Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.BOX)
    square = np.zeros((SIDE, SIDE), dtype=np.float32)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = np.asarray(picture, dtype=np.float32)
    return square


def _black_corners(pixels: Pixels) -> float:
    """Return the share of black pixels that are connected with the film's edge."""
    scale = min(1.0, _MEASURED / max(pixels.shape))
    height, width = (max(2, round(side * scale)) for side in pixels.shape)
    picture = Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.BOX)
    small = np.asarray(picture, dtype=np.float32)
    black = small <= max(2 / 255, 0.01 * float(np.percentile(small, 99)))
    parts, _ = label(black)
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    return float(np.isin(parts, edge[edge > 0]).mean())


def _look(study: Study) -> FilmStructure | Refused:
    try:
        return film_structure(study.id, files.read(study.path).pixels)
    except UnreadablePathError as error:
        return Refused(study.id, "missing_film", str(error))
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
