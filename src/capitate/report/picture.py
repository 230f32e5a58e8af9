"""The film as a small picture that fits into a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.radiograph import Radiograph

__all__ = ["data_uri"]

_LONGEST = 1000
_JPEG_QUALITY = 88
_STRETCHED_PERCENTILES = (0.5, 99.8)
_SAMPLED_PIXELS = 250_000


def data_uri(radiograph: Radiograph, *, longest: int = _LONGEST) -> str:
    """Return the film as a grey JPEG in a `data:` address, at most `longest` pixels long, never enlarged.

    The contrast is stretched linearly, so that a flat film can be seen too. The picture carries pixels only: no
    metadata of the file gets into it.
    """
    picture = Image.fromarray(_levels(radiograph.pixels))
    scale = min(1.0, longest / max(picture.size))
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    stream = io.BytesIO()
    picture.save(stream, format="JPEG", quality=_JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _levels(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the pixels as 8 bit, nearly all of their range spread from black to white."""
    every = max(1, round((pixels.size / _SAMPLED_PIXELS) ** 0.5))
    low, high = np.percentile(pixels[::every, ::every], _STRETCHED_PERCENTILES)
    if high - low < 1e-3:
        low, high = 0.0, 1.0
    spread = np.clip((pixels - np.float32(low)) / np.float32(high - low), 0, 1)
    levels: NDArray[np.uint8] = np.rint(spread * 255).astype(np.uint8)
    return levels
