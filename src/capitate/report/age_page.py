"""What a page shows of the bone age and of the child and the film: the words, and the geometry of the drawings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from capitate.assessment import Assessment, BoneAge
from capitate.radiograph import Radiograph
from capitate.report.charts import age_scale, curve
from capitate.report.text import sex_text, side_text
from capitate.report.wording import age_phrase, interval_name, interval_text, short_age, standard_text, words
from capitate.types import Sex, Side

__all__ = ["age_page", "film_facts", "written_text"]


def written_text(written: datetime) -> str:
    """Write a time of writing, `2025-03-04 09:30 UTC`."""
    return f"{written:%Y-%m-%d %H:%M} {written.tzname() or ''}".rstrip()


def film_facts(assessment: Assessment, *, radiograph: Radiograph | None, lang: str) -> Iterator[tuple[str, str]]:
    """Yield label and value of what is known about the child and the film; a label is empty where it goes on.

    Args:
        assessment: one film's result.
        radiograph: the film; None leaves out what only the file tells.
        lang: `en` or `zh`.
    """
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


def age_page(assessment: Assessment, *, lang: str) -> dict[str, Any] | None:
    """Return what a page shows of the bone age: words, scale and curve; None where there is no age.

    Args:
        assessment: one film's result.
        lang: `en` or `zh`.
    """
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
