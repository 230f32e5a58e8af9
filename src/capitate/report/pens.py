"""Drawing on pictures: haloed lines, dashes, and text that is broken to a width."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from PIL import ImageDraw, ImageFont

from capitate.types import Box

__all__ = ["Line", "Pen", "font", "wrapped"]

Point = tuple[float, float]
_HALO = "#000000"


@dataclass(frozen=True)
class Line:
    """How a line is drawn.

    Attributes:
        colour: as `#RRGGBB`.
        width: pixels.
        dash: lengths of a dash and of a gap in widths of the line; None for one drawn through.
    """

    colour: str
    width: int
    dash: tuple[float, float] | None = None


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes with Pillow, which has Latin letters only."""
    return ImageFont.load_default(size)


class Pen:
    """Draws lines and text on an RGB picture, each with a dark edge, so that it stands out on bone and on air."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        """Draw on this."""
        self._draw = draw

    def ring(self, points: Sequence[Point], line: Line) -> None:
        """Draw a closed line through points (x, y), two or more."""
        pieces = list(pairwise([*points, points[0]]))
        if line.dash is not None:
            pieces = list(_dashes(pieces, on=line.dash[0] * line.width, off=line.dash[1] * line.width))
        for colour, width in ((_HALO, line.width + 2), (line.colour, line.width)):
            for start, end in pieces:
                self._draw.line((start, end), fill=colour, width=width)

    def box(self, box: Box, line: Line) -> None:
        """Draw a box's four sides."""
        right, bottom = box.x + box.width, box.y + box.height
        self.ring(((box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom)), line)

    def text(self, at: Point, words: str, *, size: int, colour: str = "#FFFFFF", anchor: str = "la") -> None:
        """Write a line of text; `at` is the point that Pillow's text anchor names."""
        edge = max(1, size // 8)
        self._draw.text(at, words, fill=colour, font=font(size), anchor=anchor, stroke_width=edge, stroke_fill=_HALO)


def _dashes(pieces: Sequence[tuple[Point, Point]], *, on: float, off: float) -> Iterator[tuple[Point, Point]]:
    """Cut straight pieces into dashes, each piece beginning with one."""
    for (x0, y0), (x1, y1) in pieces:
        length = math.hypot(x1 - x0, y1 - y0)
        begin = 0.0
        while begin < length:
            end = min(begin + on, length)
            yield (
                (x0 + (x1 - x0) * begin / length, y0 + (y1 - y0) * begin / length),
                (x0 + (x1 - x0) * end / length, y0 + (y1 - y0) * end / length),
            )
            begin = end + off


def wrapped(words: str, *, size: int, width: float) -> list[str]:
    """Break text at spaces into lines no wider than `width` pixels; a longer word stands alone."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
