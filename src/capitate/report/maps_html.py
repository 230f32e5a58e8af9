"""What the page's template needs to show maps: the layer over the film, its scale, and the table of regions."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.explain.colours import scale_of, strongest
from capitate.explain.overlay import OPACITY, colour_bar, covered, map_levels
from capitate.explain.regions import Contribution
from capitate.radiograph import Radiograph
from capitate.report.map_names import MapKind
from capitate.report.map_regions import explained, region_rows, regions
from capitate.report.map_words import MAP_PHRASES, amount_text, limit_text, unit_text
from capitate.report.plain import printable
from capitate.report.wording import language

__all__ = ["maps_page"]

_LONGEST = 700
"""Longer side of the layer, about what the film has on a page; a map's grid is coarser by far."""
_STOPS = tuple(range(0, 101, 10))
_BAR = (256, 1)


def maps_page(
    maps: Mapping[str, ActivationMap], assessment: Assessment, radiograph: Radiograph | None, *, lang: str
) -> dict[str, Any] | None:
    """Return what the page shows of the maps; None without a map or without the film.

    Args:
        maps: by kind, see `MapKind`.
        assessment: the film's result.
        radiograph: the film.
        lang: `en` or `zh`.
    """
    if not maps or radiograph is None:
        return None
    phrases = MAP_PHRASES[language(lang)]
    kinds = [kind for kind in MapKind if kind in maps]
    return {
        "phrases": phrases,
        "stops": _STOPS,
        "chosen": round(100 * OPACITY),
        "each": [_map(kind, maps[kind], assessment, radiograph, lang=lang) for kind in kinds],
    }


def _map(
    kind: MapKind, activation: ActivationMap, assessment: Assessment, radiograph: Radiograph, *, lang: str
) -> dict[str, Any]:
    """Return one map's picture and words."""
    phrases, film = MAP_PHRASES[language(lang)], (radiograph.height, radiograph.width)
    parts = regions(activation, assessment, film=film)
    start, most = explained(kind, activation, parts, lang=lang)
    area, scale = covered(activation, film=film), scale_of(activation)
    shrink = min(1.0, _LONGEST / max(area.width, area.height))
    size = max(1, round(shrink * area.height)), max(1, round(shrink * area.width))
    levels = map_levels(activation, height=size[0], width=size[1])
    title = phrases[kind]
    return {
        "kind": kind.value,
        "title": title,
        "model": phrases["model"].format(model=activation.model),
        "start": start,
        "most": most,
        "area": area,
        "layer": _uri(Image.fromarray(levels), activation),
        "bar": _uri(Image.fromarray(colour_bar(scale, width=_BAR[0], height=_BAR[1])), activation),
        "up": phrases[f"up_{kind}"],
        "down": phrases[f"down_{kind}"] if scale.down else "",
        "alt": phrases["alt"].format(name=printable(assessment.source.name), title=title, most=most),
        "opacity": phrases["opacity"].format(title=title),
        **_scale(activation, lang=lang),
        **_table(activation, parts, lang=lang),
    }


def _scale(activation: ActivationMap, *, lang: str) -> dict[str, str]:
    """Return the numbers of the colour scale."""
    number, density = limit_text(activation, strongest=strongest(activation), lang=lang)
    both = bool(scale_of(activation).down)
    low, high = f"−{number}" if both else "0", f"+{number}"
    alt = MAP_PHRASES[language(lang)]["bar_alt" if both else "bar_alt_up"]
    bar_alt = alt.format(low=low, high=high, density=density)
    return {"low": low, "zero": "0" if both else "", "high": high, "density": density, "bar_alt": bar_alt}


def _table(activation: ActivationMap, parts: Sequence[Contribution], *, lang: str) -> dict[str, Any]:
    """Return the table of regions; the length of a bar is in shares of the greatest."""
    unit = activation.unit
    rows = region_rows(parts, unit=unit, lang=lang)
    most = max((abs(row.amount) for row in rows), default=0.0) or 1.0
    total = float(sum(row.amount for row in rows))
    return {
        "amount_head": MAP_PHRASES[language(lang)]["amount"].format(unit=unit_text(unit, lang=lang)),
        "rows": [
            {
                "title": row.title,
                "amount": amount_text(row.amount, unit),
                "from": round(50 + 50 * min(row.amount, 0) / most, 1),
                "length": round(50 * abs(row.amount) / most, 1),
                "sign": "up" if row.amount > 0 else "down",
                "area": f"{100 * row.area:.1f} %",
            }
            for row in rows
        ],
        "total": amount_text(total, unit),
    }


def _uri(levels: Image.Image, activation: ActivationMap) -> str:
    """Return levels as a PNG with the map's colours and their opacity in a `data:` address."""
    table = scale_of(activation).table()
    picture = levels.copy()
    picture.putpalette(table[:, :3].tobytes())
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True, transparency=table[:, 3].tobytes())
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
