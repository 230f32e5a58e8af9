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

__all__ = ["MapPanel", "map_jpegs", "map_panel"]

_LONGEST = 700
_BAR = (240, 12)
_SIZE = 6.5
_GAP = 7.0


def map_jpegs(maps: Mapping[str, ActivationMap], radiograph: Radiograph) -> Mapping[str, bytes]:
    """Return every map over its film as a JPEG, by kind; they take longer to make than all else in a report.

    Args:
        maps: by kind, see `MapKind`.
        radiograph: the film.
    """
    film = film_levels(radiograph.pixels)
    return {kind: jpeg_bytes(shrunk(laid_over(film, one), longest=_LONGEST)) for kind, one in maps.items()}


class MapPanel(Flowable):
    """One map over its film, with the bar of its colours below."""

    _BELOW = 19.0

    def __init__(
        self, activation: ActivationMap, jpeg: bytes, *, film: tuple[int, int], most: tuple[float, float]
    ) -> None:
        """Prepare.

        Args:
            activation: the map.
            jpeg: the map over its film, of `map_jpegs`.
            film: width and height of the film in any unit.
            most: width and height that there is room for, points, the bar included.
        """
        super().__init__()
        self._map, self._film = activation, jpeg
        self._bar = jpeg_bytes(bar_picture(activation, width=_BAR[0], height=_BAR[1]))
        scale = min(most[0] / film[0], (most[1] - self._BELOW) / film[1])
        self.width, self.height = scale * film[0], scale * film[1] + self._BELOW

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
    maps: Mapping[str, ActivationMap], jpegs: Mapping[str, bytes], assessment: Assessment, radiograph: Radiograph,
    *, most: tuple[float, float], lang: str,
) -> list[Flowable]:  # fmt: skip
    """Return all maps side by side, and below them what each says.

    Args:
        maps: by kind, see `MapKind`.
        jpegs: of `map_jpegs`.
        assessment: the film's result.
        radiograph: the film.
        most: width of the panel and greatest height of the pictures, points.
        lang: `en` or `zh`.
    """
    phrases, kinds = MAP_PHRASES[language(lang)], [kind for kind in MapKind if kind in maps]
    wide, film = most[0] / len(kinds), (radiograph.width, radiograph.height)
    columns = []
    for kind in kinds:
        unit = limit_text(maps[kind], strongest=strongest(maps[kind]), lang=lang)[1]
        title = paragraph(phrases[kind], size=_SIZE + 0.3, bold=True)
        panel = MapPanel(maps[kind], jpegs[kind], film=film, most=(wide - _GAP, most[1]))
        columns.append([title, panel, paragraph(unit, size=6, colour=SOFT)])
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
    table = Table(list(zip(*columns, strict=True)), colWidths=[wide] * len(kinds), style=style, hAlign="LEFT")
    return [table, *(paragraph(text, size=_SIZE, before=1) for text in _told(kinds, maps, assessment, film, lang))]


def _told(
    kinds: list[MapKind], maps: Mapping[str, ActivationMap], assessment: Assessment, film: tuple[int, int], lang: str
) -> list[str]:
    """Return what raises and lowers each answer most."""
    rows_columns = (film[1], film[0])
    parts = {kind: regions(maps[kind], assessment, film=rows_columns) for kind in kinds}
    return [explained(kind, maps[kind], parts[kind], lang=lang)[1] for kind in kinds]
