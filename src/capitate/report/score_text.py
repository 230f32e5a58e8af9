"""A scored hand as text: grade and points of every joint, total and age, in English or Chinese."""

from __future__ import annotations

from capitate.assessment import NOTICE
from capitate.methods import Age, JointScore, JointStatus, Reach, Score, step_name
from capitate.report.score_words import JOINT_NAMES, LINES, PHRASES, POPULATIONS
from capitate.report.wording import Language, language, words

__all__ = ["age_words", "interval_end", "points_text", "score_text"]

_INDENT = "    "


def score_text(score: Score, *, lang: str = "en") -> str:
    """Write a scored hand: five lines of joints, the total with its age, what it rests on, and the notice.

    Args:
        score: one hand's result.
        lang: `en` or `zh`.

    Raises:
        UsageError: if reports are not written in `lang`.
    """
    chosen = language(lang)
    joints = [f"{_INDENT}{line}" for line in _joint_lines(score, lang=chosen)]
    below = [f"{_INDENT}{line}" for line in _lines_below(score, lang=chosen)]
    return "\n".join([*joints, "", *below])


def points_text(points: float) -> str:
    """Write points: whole where they are, otherwise with one decimal."""
    return f"{points:.0f}" if float(points).is_integer() else f"{points:.1f}"


def age_words(age: Age, *, lang: str = "en") -> str:
    """Write an age and how far the method reaches there, `about 12.73 years`, `below 3.8 years (about 2.50 years)`."""
    limit = "" if age.limit is None else f"{age.limit:.1f}"
    return PHRASES[language(lang)][age.reach].format(years=_years(age), limit=limit)


def _years(age: Age) -> str:
    return f"{age.years:.{age.decimals}f}"


def _joint_lines(score: Score, *, lang: Language) -> list[str]:
    """Write the joints in the report's order."""
    phrases, by_joint = PHRASES[lang], {one.joint: one for one in score.joints}
    lines = []
    for joints in LINES:
        text = phrases["between"].join(_joint(by_joint[joint], score, lang=lang) for joint in joints)
        lines.append(text[:1].upper() + text[1:] + phrases["end" if joints is LINES[-1] else "line_end"])
    return lines


def _joint(one: JointScore, score: Score, *, lang: Language) -> str:
    """Write one joint."""
    facts = {"joint": JOINT_NAMES[lang][one.joint], "points": points_text(round(one.points, 1))}
    if one.possible is not None:
        least, most = (step_name(step, scale=score.scale) for step in one.possible)
        return PHRASES[lang][f"missing_{score.scale}"].format(**facts, least=least, most=most)
    key = f"probable_{score.scale}" if one.status is JointStatus.PROBABLE else score.scale
    step = step_name(one.step or 0, scale=score.scale)
    return PHRASES[lang][key].format(**facts, step=step, percent=f"{100 * (one.probability or 0):.0f}")


def _lines_below(score: Score, *, lang: Language) -> list[str]:
    """Write total, age, interval, standard and notice."""
    phrases = PHRASES[lang]
    total = points_text(round(score.total, 1))
    lines = [phrases[score.method].format(total=total, age=age_words(score.age, lang=lang))]
    if not score.exact:
        interval = score.interval
        lines.append(
            phrases["interval"].format(
                percent=f"{100 * interval.level:g}",
                low_total=points_text(round(interval.low_total, 1)),
                high_total=points_text(round(interval.high_total, 1)),
                low=interval_end(interval.low, lang=lang),
                high=interval_end(interval.high, lang=lang),
            )
        )
    population = score.population if lang is Language.ENGLISH else POPULATIONS[score.method]
    lines.append(phrases["standard"].format(name=score.name, population=population, sex=words(lang)[score.sex]))
    if any(finding.code == "stages_from_grades" for finding in score.findings):
        lines.append(phrases["stages_from_grades"])
    return [*lines, words(lang).get(NOTICE, NOTICE)]


def interval_end(age: Age, *, lang: Language) -> str:
    """Write an end of an interval: its number, or the bound beyond which the method does not reach."""
    if age.reach in (Reach.BELOW_TABLE, Reach.MATURE):
        return age_words(age, lang=lang)
    return PHRASES[lang]["years"].format(years=_years(age))
