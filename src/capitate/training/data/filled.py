"""Films of which parts alone are sharp, made whole from the same films at a lower resolution."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate import files
from capitate.errors import FilmError, UsageError
from capitate.training.data.film_finder import films_under
from capitate.training.prepare import Refused

__all__ = ["fill_films", "filled"]

_RIM = 2
"""Pixels beside a part's edge that are not trusted."""
_BLACK = 2 / 255


def fill_films(
    parts: Path, masks: Path, whole: list[Path], out: Path, *, progress: Callable[[], object] = lambda: None
) -> tuple[list[str], dict[str, Refused]]:
    """Write films whose pixels come from `parts` where a mask is set, and from a whole film elsewhere.

    Outlines that learn from the parts alone never see what surrounds a joint, and find bone in it.

    Args:
        parts: folder of films that are black outside their masks.
        masks: folder of masks of the same names and sizes, 0 where the film was cut away.
        whole: folders with the same films whole, by file stem; the first that has one is taken.
        out: folder for the pictures; it must be empty or not there.
        progress: called after every film.

    Returns:
        Ids of the films written, and those left out, by id.

    Raises:
        UsageError: if the folder is in use, or no film is in both.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; name a new folder")
    found: dict[str, Path] = {}
    for folder in reversed(whole):
        found |= {film.stem: film for film in films_under(folder)}
    out.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    refused: dict[str, Refused] = {}
    for part in films_under(parts):
        name = part.stem
        progress()
        if name not in found:
            refused[name] = Refused(name, "no_whole_film", "none of the folders has the whole film")
            continue
        try:
            film, sharp = files.read(found[name]).pixels, files.read(part).pixels
        except FilmError as error:
            refused[name] = Refused(name, error.code, str(error))
            continue
        with Image.open(masks / f"{name}.png") as stored:
            mask = np.asarray(stored) > 0
        Image.fromarray(np.rint(filled(sharp, mask, film) * 255).astype(np.uint8)).save(out / f"{name}.png")
        written.append(name)
    if not written:
        raise UsageError(f"no film of {parts} lies whole in {', '.join(map(str, whole))}; ids are file stems")
    return written, refused


def filled(sharp: NDArray[np.float32], mask: NDArray[np.bool_], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a film together.

    Args:
        sharp: float32 (rows, columns), right where the mask is set.
        mask: bool (rows, columns).
        whole: the same film at any size; its grey levels are brought to those of `sharp` by a straight line through
            the pixels that both have.
    """
    size = (sharp.shape[1], sharp.shape[0])
    mask = _sure(mask, sharp)
    soft = np.asarray(Image.fromarray(whole).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    if mask.any() and np.ptp(soft[mask]) > 0:
        slope, start = np.polyfit(soft[mask], sharp[mask], 1)
        soft = soft * np.float32(slope) + np.float32(start)
    return np.clip(np.where(mask, sharp, soft), 0, 1).astype(np.float32)


def _sure(mask: NDArray[np.bool_], sharp: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Take away the rim of a mask, and what is black inside it: masks reach a little beyond the parts."""
    black = ndimage.binary_dilation(mask & (sharp <= _BLACK), iterations=_RIM)
    sure: NDArray[np.bool_] = ndimage.binary_erosion(mask, iterations=_RIM) & ~black
    return sure
