"""Ways to store or surround one and the same film, each as the bytes of a real file."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.hand.mask import hand_mask
from capitate.radiograph import Radiograph
from capitate.types import Box

__all__ = [
    "CHANGES",
    "Change",
    "halved",
    "jpeg",
    "negated",
    "padded",
    "painted_over",
    "png16",
    "squared",
    "without_surroundings",
]

Floats = NDArray[np.float32]

_JPEG_QUALITY = 80
_PADDING = 0.1
_RIM_INNER, _RIM_OUTER = 0.015, 0.04
_RIM_RANGE = (25, 75)
_FILL_LONG_SIDE = 320


@dataclass(frozen=True)
class Change:
    """One way to change how a film is stored.

    Attributes:
        name: for tables, a phrase.
        apply: makes the bytes of the changed file from the film, its id and the hand's box, in film pixels.
        suffix: of the changed file's name.
        needs_box: whether the change cannot be made where the hand's box is not known.
    """

    name: str
    apply: Callable[[Radiograph, str, Box | None], bytes]
    suffix: str = ".png"
    needs_box: bool = False


def halved(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film at half its width and height."""
    size = (max(1, film.width // 2), max(1, film.height // 2))
    return _png(np.asarray(Image.fromarray(film.pixels).resize(size, Image.Resampling.BILINEAR)), bits=film.bits)


def jpeg(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film as JPEG of quality 80."""
    target = io.BytesIO()
    Image.fromarray(_quantised(film.pixels, bits=8)).save(target, format="JPEG", quality=_JPEG_QUALITY)
    return target.getvalue()


def padded(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film with a tenth of its height or width added in black on one side, which the id decides."""
    rows, columns = round(_PADDING * film.height), round(_PADDING * film.width)
    sides = (((rows, 0), (0, 0)), ((0, 0), (0, columns)), ((0, rows), (0, 0)), ((0, 0), (columns, 0)))
    return _png(np.pad(film.pixels, sides[zlib.crc32(film_id.encode()) % 4]), bits=film.bits)


def squared(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film padded in black on both sides to a square."""
    size = max(film.height, film.width)
    before = ((size - film.height) // 2, (size - film.width) // 2)
    sides = [(start, size - length - start) for start, length in zip(before, film.pixels.shape, strict=True)]
    return _png(np.pad(film.pixels, sides), bits=film.bits)


def png16(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film as PNG of 16 bit."""
    return _png(film.pixels, bits=16)


def negated(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film with black and white exchanged."""
    return _png(np.float32(1) - film.pixels, bits=film.bits)


def without_surroundings(film: Radiograph, film_id: str, box: Box | None) -> bytes:
    """Return the film with everything outside the dilated hand painted over from the rim around the hand.

    Raises:
        ValueError: if `box` is None.
    """
    if box is None:
        raise ValueError("the hand's box is needed to replace its surroundings, got None")
    return _png(painted_over(film.pixels, box=box), bits=film.bits)


def painted_over(pixels: Floats, *, box: Box) -> Floats:
    """Paint everything outside the dilated hand over from the rim around the hand.

    Args:
        pixels: float32 (rows, columns), bone bright.
        box: the hand's, film pixels.

    Returns:
        The film, unchanged where no hand stands out in the box.
    """
    hand = hand_mask(pixels, box=box, dilation=_RIM_OUTER)
    rim = hand & ~hand_mask(pixels, box=box, dilation=_RIM_INNER)
    return np.where(hand, pixels, _spread(pixels, rim)) if rim.any() else pixels


CHANGES = (
    Change("half size", halved),
    Change("JPEG quality 80", jpeg, suffix=".jpg"),
    Change("padded by a tenth on one side", padded),
    Change("padded to a square", squared),
    Change("16-bit PNG", png16),
    Change("negated", negated),
    Change("surroundings replaced", without_surroundings, needs_box=True),
)


def _spread(pixels: Floats, rim: NDArray[np.bool_]) -> Floats:
    """Spread the rim's brightness smoothly over the film.

    Letters and collimation edges inside the rim do not spread: brightness is limited to the rim's middle half.
    """
    height, width = pixels.shape
    step = max(1, max(height, width) // _FILL_LONG_SIDE)
    small, seeds = pixels[::step, ::step], rim[::step, ::step]
    if not seeds.any():
        return np.full_like(pixels, np.median(pixels[rim]))
    small = np.clip(small, *np.percentile(small[seeds], _RIM_RANGE))
    nearest = ndimage.distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    smooth = ndimage.gaussian_filter(small[tuple(nearest)], 0.03 * max(small.shape), mode="nearest")
    return np.asarray(Image.fromarray(smooth).resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def _png(pixels: Floats, *, bits: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(_quantised(pixels, bits=bits)).save(target, format="PNG", compress_level=1)
    return target.getvalue()


def _quantised(pixels: Floats, *, bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if bits <= 8:
        return np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return np.round(np.clip(pixels, 0, 1).astype(np.float64) * 65535).astype(np.uint16)
