"""Maps in a PDF report: each over the film with its colour scale, and what raises and lowers the answer most."""

from __future__ import annotations

import io
from collections.abc import Mapping

from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Table, TableStyle

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.explain.colours import scale_of, strongest
from capitate.explain.overlay import laid_over
from capitate.radiograph import Radiograph
from capitate.report.map_names import MapKind
from capitate.report.map_picture import bar_picture
from capitate.report.map_regions import explained, regions
from capitate.report.map_words import MAP_PHRASES, limit_text
from capitate.report.pdf_text import INK, SOFT, draw_text, paragraph
from capitate.report.picture import film_levels, jpeg_bytes, shrunk
from capitate.report.wording import language

__all__ = ["MapPanel", "map_panel"]

_LONGEST = 700
_BAR = (240, 12)
_SIZE = 6.5
_GAP = 7.0


class MapPanel(Flowable):
    """One map over its film, with the bar of its colours below."""

    _BELOW = 19.0

    def __init__(self, activation: ActivationMap, radiograph: Radiograph, *, most: tuple[float, float]) -> None:
        """Draw the picture.

        Args:
            activation: the map.
            radiograph: the film.
            most: width and height that there is room for, points, the bar included.
        """
        super().__init__()
        self._map = activation
        over = laid_over(film_levels(radiograph.pixels), activation)
        self._film = jpeg_bytes(shrunk(over, longest=_LONGEST))
        self._bar = jpeg_bytes(bar_picture(activation, width=_BAR[0], height=_BAR[1]))
        scale = min(most[0] / over.width, (most[1] - self._BELOW) / over.height)
        self.width, self.height = scale * over.width, scale * over.height + self._BELOW

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size on paper, points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw film, bar and the numbers at its ends."""
        canvas, below = self.canv, self._BELOW
        canvas.drawImage(ImageReader(io.BytesIO(self._film)), 0, below, self.width, self.height - below)
        canvas.drawImage(ImageReader(io.BytesIO(self._bar)), 0, below - 9, self.width, 6)
        number, _ = limit_text(self._map, strongest=strongest(self._map), lang="en")
        both = bool(scale_of(self._map).down)
        canvas.setFillColor(INK)
        y = below - 9 - _SIZE
        draw_text(canvas, (0, y), f"−{number}" if both else "0", size=_SIZE)
        if both:
            draw_text(canvas, (self.width / 2, y), "0", size=_SIZE, anchor=0.5)
        draw_text(canvas, (self.width, y), f"+{number}", size=_SIZE, anchor=1)


def map_panel(
    maps: Mapping[str, ActivationMap], assessment: Assessment, radiograph: Radiograph, *, most: tuple[float, float],
    lang: str,
) -> list[Flowable]:  # fmt: skip
    """Return all maps side by side, and below them what each says.

    Args:
        maps: by kind, see `MapKind`.
        assessment: the film's result.
        radiograph: the film.
        most: width of the panel and greatest height of the pictures, points.
        lang: `en` or `zh`.
    """
    phrases, kinds = MAP_PHRASES[language(lang)], [kind for kind in MapKind if kind in maps]
    if not kinds:
        return []
    wide = (most[0] - _GAP * (len(kinds) - 1)) / len(kinds)
    panels = [MapPanel(maps[kind], radiograph, most=(wide, most[1])) for kind in kinds]
    titles = [paragraph(phrases[kind], size=_SIZE + 0.3, bold=True) for kind in kinds]
    units = [
        paragraph(limit_text(maps[kind], strongest=strongest(maps[kind]), lang=lang)[1], size=5.8, colour=SOFT)
        for kind in kinds
    ]
    style = TableStyle(
        [
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), _GAP),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ]
    )
    film = (radiograph.height, radiograph.width)
    table = Table([titles, panels, units], colWidths=[wide + _GAP] * len(kinds), style=style, hAlign="LEFT")
    told = [explained(kind, maps[kind], regions(maps[kind], assessment, film=film), lang=lang)[1] for kind in kinds]
    told += [phrases["lines"], phrases["note"]]
    return [table, *(paragraph(text, size=_SIZE, before=1.5) for text in told)]
