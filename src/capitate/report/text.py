"""The assessment as a few lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from capitate.assessment import Assessment, BoneAge, Hand, Subject
from capitate.report.joint_text import confirm_lines, joint_lines, totals
from capitate.report.plain import columns, printable
from capitate.report.screen_words import screen_facts
from capitate.report.wording import (
    age_phrase,
    interval_name,
    interval_text,
    short_age,
    standard_text,
    words,
)
from capitate.types import Severity, Sex, Side

__all__ = ["sex_text", "side_text", "to_text"]

_INDENT = "    "


def to_text(assessment: Assessment, *, lang: str = "en") -> str:
    """Write an assessment for a terminal: the film's name, then one fact a line; a refusal is a single line.

    Where joints were read, their grades and points, totals and ages stand between the facts and the models.

    Args:
        assessment: one film's result.
        lang: `en` or `zh`. Findings and refusals stay in the English that the assessment holds.

    Raises:
        UsageError: if reports are not written in `lang`.
    """
    phrases = words(lang)
    name = printable(assessment.source.name)
    if assessment.error is not None:
        message = printable(assessment.error.message)
        return phrases["refused_line"].format(name=name, code=assessment.error.code, message=message)
    facts, source = list(_facts(assessment, lang=lang)), list(_source_facts(assessment, lang=lang))
    width = max(columns(label) for label, _ in (*facts, *source))
    above, below = (
        [f"{label}{' ' * (width - columns(label))}  {printable(fact)}" for label, fact in some]
        for some in (facts, source)
    )
    results = [*totals(assessment, lang=lang), *confirm_lines(assessment, lang=lang)]
    blocks = [block for block in (joint_lines(assessment, lang=lang), results) if block]
    if not blocks:
        return "\n".join([name, *(_INDENT + line for line in (*above, *below))])
    parts = ("\n".join(_INDENT + line for line in block) for block in (above, *blocks, below))
    return f"{name}\n" + "\n\n".join(parts)


def sex_text(subject: Subject, *, lang: str = "en") -> str:
    """Write the sex and where it came from, `female (as given)`."""
    phrases = words(lang)
    source = phrases.get(f"source_{subject.sex_source}", subject.sex_source)
    return f"{phrases[subject.sex]} ({source})" if lang == "en" else f"{phrases[subject.sex]}（{source}）"


def side_text(hand: Hand, *, lang: str = "en") -> str:
    """Write the hand's side, `left`, and say so where only the joints tell it."""
    phrases = words(lang)
    if hand.side_source != "joints":
        return phrases[hand.side]
    return phrases["side_from_joints"].format(side=phrases[hand.side])


def _facts(assessment: Assessment, *, lang: str) -> Iterator[tuple[str, str]]:
    phrases = words(lang)
    subject, age = assessment.subject, assessment.bone_age
    if age is None:
        yield phrases["bone_age"], phrases["not_assessed"]
    else:
        yield from _age_facts(age, lang=lang)
    yield phrases["sex"], sex_text(subject, lang=lang)
    if subject.chronological_age_months is not None:
        yield phrases["chronological_age"], short_age(subject.chronological_age_months, lang=lang)
    if age is not None:
        yield phrases["standard"], standard_text(age.standard, lang=lang)
    if assessment.hand is not None and assessment.hand.side is not Side.UNKNOWN:
        yield phrases["side"], side_text(assessment.hand, lang=lang)
    yield from screen_facts(assessment, lang=lang)
    for finding in assessment.quality.findings:
        if finding.severity is not Severity.INFO:
            yield phrases[finding.severity], f"{finding.message} ({finding.code})"


def _source_facts(assessment: Assessment, *, lang: str) -> Iterator[tuple[str, str]]:
    """Yield which models answered, and the notice."""
    phrases = words(lang)
    for model in assessment.models:
        yield phrases["model"], f"{model.name} {model.version} (sha256 {model.sha256[:12]}, {model.licence})"
    yield phrases["notice"], phrases.get(assessment.notice, assessment.notice)


def _age_facts(age: BoneAge, *, lang: str) -> Iterator[tuple[str, str]]:
    phrases = words(lang)
    yield phrases["bone_age"], age_phrase(age, lang=lang)
    yield interval_name(age.interval, lang=lang), interval_text(age.interval, lang=lang)
    for sex in (Sex.FEMALE, Sex.MALE):
        if age.by_sex is not None and sex in age.by_sex:
            one = age.by_sex[sex]
            interval = f"{interval_name(one.interval, lang=lang)} {interval_text(one.interval, lang=lang)}"
            yield phrases[f"if_{sex}"], age_phrase(one, lang=lang) + phrases["comma"] + interval
