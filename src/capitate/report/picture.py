"""The film as a picture: small enough for a page, or of its own size; and pictures as bytes."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from capitate.radiograph import Radiograph

__all__ = ["FILM_KEY", "data_uri", "film_jpeg", "film_levels", "grey_uri", "jpeg_bytes", "png_bytes", "shrunk"]

FILM_KEY = "capitate-film"
"""Key under which a written report says which film it is of."""
_LONGEST = 1000
_JPEG_QUALITY = 88
_STRETCHED_PERCENTILES = (0.5, 99.8)
_SAMPLED_PIXELS = 250_000


def data_uri(radiograph: Radiograph, *, longest: int = _LONGEST) -> str:
    """Return the film as `film_jpeg` makes it, in a `data:` address."""
    return _uri(film_jpeg(radiograph, longest=longest))


def film_jpeg(radiograph: Radiograph, *, longest: int) -> bytes:
    """Return the film as a grey JPEG, at most `longest` pixels long, never enlarged.

    The contrast is stretched linearly, so that a flat film can be seen too. The picture carries pixels only: no
    metadata of the file gets into it.
    """
    return jpeg_bytes(shrunk(Image.fromarray(film_levels(radiograph.pixels)), longest=longest))


def shrunk(picture: Image.Image, *, longest: int) -> Image.Image:
    """Return a picture at most `longest` pixels long, never enlarged."""
    scale = min(1.0, longest / max(picture.size))
    if scale == 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def grey_uri(levels: NDArray[np.uint8]) -> str:
    """Return a grey picture, uint8 (rows, columns), as a JPEG in a `data:` address."""
    return _uri(jpeg_bytes(Image.fromarray(levels)))


def film_levels(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the film's pixels as 8 bit, nearly all of their range spread from black to white."""
    every = max(1, round((pixels.size / _SAMPLED_PIXELS) ** 0.5))
    low, high = np.percentile(pixels[::every, ::every], _STRETCHED_PERCENTILES)
    if high - low < 1e-3:
        low, high = 0.0, 1.0
    spread = np.clip((pixels - np.float32(low)) / np.float32(high - low), 0, 1)
    levels: NDArray[np.uint8] = np.rint(spread * 255).astype(np.uint8)
    return levels


def png_bytes(picture: Image.Image, *, identity: str) -> bytes:
    """Return a picture as a PNG file that says, as its only metadata, of which film it is.

    Args:
        picture: what is drawn.
        identity: the film's, as `capitate.report.naming.film_identity` tells it.
    """
    told, stream = PngInfo(), io.BytesIO()
    told.add_text(FILM_KEY, identity)
    picture.save(stream, format="PNG", pnginfo=told)
    return stream.getvalue()


def jpeg_bytes(picture: Image.Image) -> bytes:
    """Return a picture as a JPEG file without metadata."""
    stream = io.BytesIO()
    picture.save(stream, format="JPEG", quality=_JPEG_QUALITY, optimize=True)
    return stream.getvalue()


def _uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
