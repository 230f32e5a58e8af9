"""The abnormality screen and the marks of an assessment, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from capitate.assessment import Assessment
from capitate.report.wording import Language, language

__all__ = ["screen_facts", "screen_page"]

_WORDS: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {
        Language.ENGLISH: {
            "screen": "abnormality screen",
            "above": "{share} %, at or above its threshold of {threshold} %; a reason to look, no finding",
            "below": "{share} %, below its threshold of {threshold} %; this rules nothing out",
            "alarms": "false alarms",
            "alarms_line": "{share} % ({low} to {high} %) of {on} reach the threshold",
            "marks": "marks",
            "no_marks": "none; this rules nothing out",
            "marks_line": "{count} places to look at, no findings: {scores}",
            "mark_alt": "place to look at, {score} %",
            "show_marks": "show the marks",
        },
        Language.CHINESE: {
            "screen": "异常筛查",
            "above": "{share}%，达到阈值 {threshold}%；提示需要查看，并非诊断所见",
            "below": "{share}%，低于阈值 {threshold}%；不能排除任何异常",
            "alarms": "误报",
            "alarms_line": "{on} 中有 {share}%（{low} 至 {high}%）达到阈值",
            "marks": "标记",
            "no_marks": "无；不能排除任何异常",
            "marks_line": "{count} 处需要查看，并非诊断所见：{scores}",
            "mark_alt": "需要查看之处，{score}%",
            "show_marks": "显示标记",
        },
    }
)


def screen_facts(assessment: Assessment, *, lang: str) -> Iterator[tuple[str, str]]:
    """Yield label and value of what the screen says, with the notice that it is no finding; nothing if it did not run.

    Args:
        assessment: one film's result.
        lang: `en` or `zh`.
    """
    phrases, told = _WORDS[language(lang)], assessment.abnormality
    if told is not None:
        above = told.get("above", told["probability"] >= told["threshold"])
        shares = {"share": _percent(told["probability"]), "threshold": _percent(told["threshold"])}
        yield phrases["screen"], phrases["above" if above else "below"].format(**shares)
        alarms = told.get("false_alarms")
        if alarms is not None:
            ends = {"share": alarms["value"], "low": alarms["low"], "high": alarms["high"]}
            line = phrases["alarms_line"].format(on=alarms["on"], **{k: _percent(v) for k, v in ends.items()})
            yield phrases["alarms"], line
    if assessment.marks is not None:
        scores = ", ".join(f"{_percent(one['score'])} %" for one in assessment.marks)
        shown = phrases["marks_line"].format(count=len(assessment.marks), scores=scores)
        yield phrases["marks"], shown if assessment.marks else phrases["no_marks"]


def screen_page(assessment: Assessment, *, lang: str) -> dict[str, Any] | None:
    """Return what the page's template needs: facts, and boxes with their tips; None if the screen did not run."""
    facts = list(screen_facts(assessment, lang=lang))
    if not facts:
        return None
    phrases = _WORDS[language(lang)]
    marks = [
        {"box": one["box"], "tip": phrases["mark_alt"].format(score=_percent(one["score"]))}
        for one in assessment.marks or ()
    ]
    return {
        "title": phrases["screen"],
        "facts": facts,
        "marks": marks,
        "marks_title": phrases["marks"],
        "show": phrases["show_marks"],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
