"""Drawn hands to send: a few pictures, and as many files of each as are wanted, every one with a sha256 of its own."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from capitate.phantom import draw
from capitate.types import Sex

_AFTER_HEADER = 33
"""A PNG begins with 8 bytes of signature and 25 of its header."""
_HANDS = ((126, Sex.FEMALE), (60, Sex.MALE), (168, Sex.MALE), (96, Sex.FEMALE), (144, Sex.FEMALE), (192, Sex.MALE))


@dataclass(frozen=True)
class File:
    """Bytes to send.

    Attributes:
        picture: number of the hand that it shows.
        content: a PNG.
    """

    picture: int
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


@lru_cache
def hand(number: int, *, height: int = 640) -> bytes:
    """Draw one of the hands, as a PNG."""
    months, sex = _HANDS[number % len(_HANDS)]
    film = draw(age_months=months, sex=sex, height=height, seed=2600 + number).radiograph
    stream = io.BytesIO()
    Image.fromarray(np.round(film.pixels * 255).astype(np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


def marked(number: int, mark: str, *, height: int = 640, padding: int = 0) -> File:
    """Give a hand in a file that nobody else has: a comment says the mark; padding makes it longer by so many bytes."""
    png, comment = hand(number, height=height), b"tEXtComment\0" + mark.encode("ascii") + b" " * padding
    chunk = struct.pack(">I", len(comment) - 4) + comment + struct.pack(">I", zlib.crc32(comment))
    return File(number, png[:_AFTER_HEADER] + chunk + png[_AFTER_HEADER:])
