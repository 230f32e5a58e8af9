"""The assessment as one self-contained HTML page: no script, no font, nothing from a network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.report.age_page import age_page, film_facts, written_text
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.joints_html import joints_page, overlay
from capitate.report.maps_html import maps_page
from capitate.report.naming import film_identity
from capitate.report.picture import data_uri
from capitate.report.plain import printable
from capitate.report.screen_words import screen_page
from capitate.report.wording import HTML_LANGUAGE, language, words
from capitate.types import Severity

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["to_html"]


def to_html(
    assessment: Assessment,
    *,
    radiograph: Radiograph | None = None,
    maps: Mapping[str, ActivationMap] | None = None,
    lang: str = "en",
    written: datetime | None = None,
) -> str:
    """Write an assessment as a page for a browser or a printer: an A4 sheet, more with joints and maps.

    The same arguments give the same bytes: the time of writing comes in, it is not read from a clock.

    Args:
        assessment: one film's result, a refusal included.
        radiograph: the film, to be shown at most 1000 pixels long; None leaves it out.
        maps: over the film, by `MapKind`; shown where the film is.
        lang: `en` or `zh`. Findings and refusals stay in the English that the assessment holds.
        written: time of writing, shown as it is; None leaves it out.

    Raises:
        UsageError: if reports are not written in `lang`.
    """
    findings, phrases = assessment.quality.findings, words(lang)
    return _template().render(
        html_language=HTML_LANGUAGE[language(lang)],
        words=phrases,
        name=printable(assessment.source.name),
        identity=film_identity(assessment),
        sha256=assessment.source.sha256,
        notice=phrases.get(assessment.notice, assessment.notice),
        error=assessment.error,
        warnings=[one for one in findings if one.severity is not Severity.INFO],
        notes=[one for one in findings if one.severity is Severity.INFO],
        models=assessment.models,
        timings=assessment.timings_ms,
        written=None if written is None else written_text(written),
        facts=list(film_facts(assessment, radiograph=radiograph, lang=lang)),
        film=_film(assessment, radiograph=radiograph, lang=lang),
        overlay=None if radiograph is None else overlay(assessment, radiograph, lang=lang),
        joints=joints_page(assessment, radiograph, lang=lang),
        maps=maps_page(maps or {}, assessment, radiograph, lang=lang),
        screen=screen_page(assessment, lang=lang),
        age=age_page(assessment, lang=lang),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    """Load the template; Jinja2 is imported here because only pages need it, and text must come fast."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("capitate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("film.html.j2")


def _film(assessment: Assessment, *, radiograph: Radiograph | None, lang: str) -> dict[str, Any] | None:
    """Return what the template needs to show the film, or None."""
    if radiograph is None:
        return None
    box = None if assessment.hand is None else assessment.hand.box
    alt = words(lang)["film_alt" if box is None else "film_alt_box"]
    if assessment.joints is not None:
        alt = JOINT_PHRASES[language(lang)]["film_alt_joints"]
    return {
        "uri": data_uri(radiograph),
        "width": radiograph.width,
        "height": radiograph.height,
        "box": box,
        "alt": alt.format(name=printable(assessment.source.name)),
    }
