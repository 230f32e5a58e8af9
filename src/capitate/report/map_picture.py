"""The film with a map over it, at the film's own resolution, with its colour scale, for use outside the page."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.explain.colours import scale_of, strongest
from capitate.explain.overlay import OPACITY, colour_bar, covered, laid_over, map_levels
from capitate.radiograph import Radiograph
from capitate.report.map_names import MapKind
from capitate.report.map_regions import explained, regions
from capitate.report.map_words import MAP_PHRASES, limit_text
from capitate.report.pens import Pen, font, wrapped
from capitate.report.picture import film_levels
from capitate.report.wording import Language

__all__ = ["bar_picture", "map_layer", "map_picture"]

_STRIP = "#101418"
_FILM_GREYS = (0, 128, 255)
"""Greys of film that a bar is shown over: air, soft tissue, bone."""
_LANG = Language.ENGLISH


def map_picture(
    kind: MapKind, activation: ActivationMap, assessment: Assessment, radiograph: Radiograph
) -> Image.Image:
    """Draw a map over its film.

    A pixel of the film is a pixel of the picture, which has a strip below it: the colour scale with its unit, base and
    answer, what raises and lowers the answer most, and the notice. The words are English, since the font that comes
    with Pillow has no Chinese.

    Args:
        kind: what the map is of.
        activation: the map.
        assessment: the film's result.
        radiograph: the film.

    Returns:
        RGB, as wide as the film.
    """
    film = laid_over(film_levels(radiograph.pixels), activation)
    strip = _strip(kind, activation, assessment, film=(radiograph.height, radiograph.width))
    picture = Image.new("RGB", (film.width, film.height + strip.height), _STRIP)
    picture.paste(film, (0, 0))
    picture.paste(strip, (0, film.height))
    return picture


def map_layer(activation: ActivationMap, *, film: tuple[int, int], longest: int = 1000) -> Image.Image:
    """Draw a map alone, to be laid over its film with an opacity of the viewer's choice.

    Args:
        activation: the map.
        film: rows and columns, which the picture has the shape of.
        longest: most pixels of its longer side; a map's grid is coarser by far.

    Returns:
        RGBA, transparent where the map says nothing.
    """
    shrink = min(1.0, longest / max(film))
    area = covered(activation, film=film)
    size = max(1, round(shrink * area.height)), max(1, round(shrink * area.width))
    colours = scale_of(activation).table()[map_levels(activation, height=size[0], width=size[1])]
    layer = Image.new("RGBA", (max(1, round(shrink * film[1])), max(1, round(shrink * film[0]))))
    layer.paste(Image.fromarray(colours), (round(shrink * area.x), round(shrink * area.y)))
    return layer


def bar_picture(activation: ActivationMap, *, width: int, height: int, opacity: float = OPACITY) -> Image.Image:
    """Draw the colour scale of a map as it looks over air, soft tissue and bone, one below the other; RGB."""
    scale = scale_of(activation)
    table = scale.table().astype(np.float64)
    rows = table[colour_bar(scale, width=width, height=height)]
    share = opacity * rows[..., 3:] / 255
    greys = np.repeat(_FILM_GREYS, -(-height // len(_FILM_GREYS)))[:height, None, None]
    return Image.fromarray(np.rint(share * rows[..., :3] + (1 - share) * greys).astype(np.uint8))


def _strip(kind: MapKind, activation: ActivationMap, assessment: Assessment, *, film: tuple[int, int]) -> Image.Image:
    """Draw the strip below the film."""
    phrases, width = MAP_PHRASES[_LANG], film[1]
    size = max(9, round(width / 60))
    inner = width - 2 * size
    told = explained(kind, activation, regions(activation, assessment, film=film), lang=_LANG)
    title = f"{phrases[kind]}: {phrases['model'].format(model=activation.model)}."
    texts = [title, *told, phrases["lines"], phrases["note"], assessment.notice]
    lines = [line for text in texts for line in wrapped(_latin(text), size=size, width=inner)]
    step, bar = round(1.5 * size), 3 * max(4, size // 2)
    legend = _legend(kind, activation, width=inner)
    rows = [line for text in legend for line in wrapped(text, size=size, width=inner)]
    strip = Image.new("RGB", (width, size + bar + step * (1 + len(rows) + len(lines)) + size // 2), _STRIP)
    strip.paste(bar_picture(activation, width=max(1, inner), height=bar), (size, size // 2))
    pen, top = Pen(ImageDraw.Draw(strip)), size // 2 + bar + size // 4
    _ends(pen, activation, left=size, right=width - size, top=top, size=size)
    for line in (*rows, *lines):
        top += step
        pen.text((size, top), line, size=size)
    return strip


def _latin(text: str) -> str:
    """Write with a hyphen for the minus sign, which the font that comes with Pillow lacks."""
    return text.replace("−", "-")


def _ends(pen: Pen, activation: ActivationMap, *, left: int, right: int, top: int, size: int) -> None:
    """Write the numbers at the ends of the bar, and the zero."""
    number, _ = limit_text(activation, strongest=strongest(activation), lang=_LANG)
    if scale_of(activation).down:
        pen.text((left, top), f"-{number}", size=size)
        pen.text(((left + right) / 2, top), "0", size=size, anchor="ma")
    else:
        pen.text((left, top), "0", size=size)
    pen.text((right, top), f"+{number}", size=size, anchor="ra")


def _legend(kind: MapKind, activation: ActivationMap, *, width: int) -> list[str]:
    """Say what the bar's ends mean and what its numbers are in; in one line where it fits."""
    phrases = MAP_PHRASES[_LANG]
    _, density = limit_text(activation, strongest=strongest(activation), lang=_LANG)
    ends = [f"Orange {phrases[f'up_{kind}']}."]
    if scale_of(activation).down:
        ends.insert(0, f"Blue {phrases[f'down_{kind}']}.")
    told = [" ".join(ends), f"{density[:1].upper()}{density[1:]}."]
    whole = " ".join(told)
    return [whole] if font(max(9, round(width / 60))).getlength(whole) <= width else told
