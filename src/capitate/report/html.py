"""The assessment as one self-contained HTML page: no script, no font, nothing from a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from capitate.assessment import Assessment, BoneAge
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.report.charts import age_scale, curve
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.joints_html import joints_page, overlay
from capitate.report.maps_html import maps_page
from capitate.report.naming import film_identity
from capitate.report.picture import data_uri
from capitate.report.plain import printable
from capitate.report.screen_words import screen_page
from capitate.report.text import sex_text, side_text
from capitate.report.wording import (
    Language,
    age_phrase,
    interval_name,
    interval_text,
    language,
    short_age,
    standard_text,
    words,
)
from capitate.types import Severity, Sex, Side

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["to_html"]

_HTML_LANGUAGE = {Language.ENGLISH: "en", Language.CHINESE: "zh-Hans"}


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
        html_language=_HTML_LANGUAGE[language(lang)],
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
        written=None if written is None else f"{written:%Y-%m-%d %H:%M} {written.tzname() or ''}".rstrip(),
        facts=list(_facts(assessment, radiograph=radiograph, lang=lang)),
        film=_film(assessment, radiograph=radiograph, lang=lang),
        overlay=None if radiograph is None else overlay(assessment, radiograph, lang=lang),
        joints=joints_page(assessment, radiograph, lang=lang),
        maps=maps_page(maps or {}, assessment, radiograph, lang=lang),
        screen=screen_page(assessment, lang=lang),
        age=_age(assessment, lang=lang),
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


def _facts(assessment: Assessment, *, radiograph: Radiograph | None, lang: str) -> Iterator[tuple[str, str]]:
    """Yield label and value of what is known about the child and the film."""
    phrases, subject, hand = words(lang), assessment.subject, assessment.hand
    yield phrases["sex"], sex_text(subject, lang=lang)
    if subject.chronological_age_months is not None:
        yield phrases["chronological_age"], short_age(subject.chronological_age_months, lang=lang)
    if assessment.bone_age is not None:
        yield phrases["standard"], standard_text(assessment.bone_age.standard, lang=lang)
    if hand is not None:
        if hand.side is not Side.UNKNOWN:
            yield phrases["side"], side_text(hand, lang=lang)
        turn = round(hand.rotation_degrees)
        yield phrases["rotation"], phrases["clockwise" if turn < 0 else "anticlockwise"].format(degrees=abs(turn))
    if radiograph is not None:
        yield (
            phrases["film"],
            phrases["film_size"].format(
                width=radiograph.width, height=radiograph.height, bits=radiograph.bits, format=radiograph.format.upper()
            ),
        )
        if radiograph.spacing_mm is not None:
            row, column = radiograph.spacing_mm
            yield "", phrases["film_spacing"].format(row=f"{row:.3g}", column=f"{column:.3g}")


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


def _age(assessment: Assessment, *, lang: str) -> dict[str, Any] | None:
    """Return what the template needs to show the bone age, or None."""
    age, phrases = assessment.bone_age, words(lang)
    if age is None:
        return None
    chronological = assessment.subject.chronological_age_months
    interval = interval_text(age.interval, lang=lang)
    phrase = age_phrase(age, lang=lang)
    return {
        **_split(phrase),
        "mature": age.mature,
        "interval_name": interval_name(age.interval, lang=lang),
        "interval": interval,
        "by_sex": _by_sex(age, lang=lang),
        "scale": age_scale(_scale_rows(age, lang=lang), chronological=chronological),
        "scale_alt": phrases["scale_alt"].format(age=phrase, interval=interval),
        "chronological": ""
        if chronological is None
        else phrases["at_chronological"].format(age=short_age(chronological, lang=lang)),
        "curve": curve(
            start_months=age.distribution.start_months,
            step_months=age.distribution.step_months,
            probabilities=age.distribution.probabilities,
            interval=age.interval,
            median=age.months,
        ),
        "curve_alt": phrases["curve_alt"].format(age=short_age(age.months, lang=lang), interval=interval),
        "curve_point": phrase if age.mature else phrases["curve_median"].format(age=short_age(age.months, lang=lang)),
    }


def _split(phrase: str) -> dict[str, str]:
    """Part an age from its bracket, so that the two can be set in different sizes."""
    headline, bracket, detail = phrase.partition("（" if "（" in phrase else " (")
    return {"headline": headline, "detail": bracket.strip() + detail}


def _by_sex(age: BoneAge, *, lang: str) -> list[tuple[str, dict[str, str], str]]:
    """Return label, age and interval for either sex, or nothing."""
    return [
        (
            words(lang)[f"if_{sex}"],
            _split(age_phrase(age.by_sex[sex], lang=lang)),
            f"{interval_name(age.by_sex[sex].interval, lang=lang)} "
            f"{interval_text(age.by_sex[sex].interval, lang=lang)}",
        )
        for sex in (Sex.FEMALE, Sex.MALE)
        if age.by_sex is not None and sex in age.by_sex
    ]


def _scale_rows(age: BoneAge, *, lang: str) -> list[tuple[str, float, Any, bool]]:
    if age.by_sex is None:
        return [("", age.months, age.interval, age.mature)]
    phrases = words(lang)
    sexes = [(phrases[f"if_{sex}"], one.months, one.interval, one.mature) for sex, one in sorted(age.by_sex.items())]
    return [(phrases["sex_unknown"], age.months, age.interval, age.mature), *sexes]
