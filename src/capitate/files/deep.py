"""Colour pictures of 16 bits a sample, which Pillow would turn into 8 bits.

Pillow's decoders unpack the two bytes of such a sample into one, and the name of the raw mode says which byte that is:
`RGB;16B` keeps the first of each pair and `RGB;16L` the second. The file is therefore decoded twice, once for each
byte. Grey with alpha has no such pair of raw modes in PNG, but its pixels of four bytes are laid out, filtered and
interlaced exactly like 8-bit RGBA, and are decoded as such.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile, PngImagePlugin, TiffImagePlugin

from capitate.errors import UnsupportedFormatError

__all__ = ["is_deep", "read_deep"]

_NATIVE = "L" if sys.byteorder == "little" else "B"
_OTHER = {"L": "B", "B": "L"}
_TIFF_PLANAR = 284  # TIFF 6.0: 2 means one plane a channel


def is_deep(image: ImageFile.ImageFile, *, bits: int) -> bool:
    """Whether Pillow would drop the second byte of each sample of a picture with that many bits a sample."""
    return bits > 8 and image.mode in ("RGB", "RGBA", "LA")


def read_deep(image: ImageFile.ImageFile, *, data: bytes) -> list[NDArray[np.uint16]]:
    """Decode a 16-bit picture of two to four channels without loss.

    Args:
        image: the picture, opened and not loaded.
        data: the file's bytes.

    Returns:
        Channels of shape (height, width): grey and alpha, or red, green, blue and maybe alpha.

    Raises:
        UnsupportedFormatError: if the picture is stored in planes, premultiplied, or CMYK.
    """
    if _raw_mode(image) == "LA;16B":
        return _grey_alpha(data)
    planar = isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_TIFF_PLANAR, 1) != 1
    stem, _, order = _raw_mode(image).partition(";16")
    if planar or stem not in ("RGB", "RGBX", "RGBA") or order not in ("L", "B", "N"):
        raise UnsupportedFormatError(
            f"a 16-bit {image.mode} picture stored as {_raw_mode(image)} is not read without loss; "
            "export as 16-bit grey PNG or TIFF"
        )
    opener = type(image)
    first_is_high = (_NATIVE if order == "N" else order) == "B"
    halves = [_load_with(opener(io.BytesIO(data)), f"{stem};16{byte}") for byte in ("B", "L")]
    high, low = halves if first_is_high else halves[::-1]
    return [_merge(high, low, channel=index) for index in range(len(high.getbands()))]


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Name of the byte layout that Pillow's decoder will unpack."""
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _load_with(image: ImageFile.ImageFile, raw_mode: str) -> ImageFile.ImageFile:
    """Decode with another raw mode."""
    tiles = []
    for tile in image.tile:
        arguments: Any = (raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
        tiles.append(tile._replace(args=arguments))
    image.tile = tiles
    image.load()
    return image


def _merge(high: ImageFile.ImageFile, low: ImageFile.ImageFile, *, channel: int) -> NDArray[np.uint16]:
    """Put the two bytes of one channel together."""
    merged = np.asarray(high.getchannel(channel)).astype(np.uint16)
    merged <<= 8
    merged |= np.asarray(low.getchannel(channel))
    return merged


def _grey_alpha(data: bytes) -> list[NDArray[np.uint16]]:
    """Decode a 16-bit grey and alpha PNG under the header of an 8-bit RGBA one."""
    header = b"IHDR" + data[16:24] + struct.pack(">BB", 8, 6) + data[26:29]
    disguised = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    image = PngImagePlugin.PngImageFile(io.BytesIO(disguised))
    image.load()
    samples = np.asarray(image).view(">u2")
    return [samples[..., 0].astype(np.uint16), samples[..., 1].astype(np.uint16)]
