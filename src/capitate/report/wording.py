"""The words of every report, in English and Chinese, and ages written in either."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from capitate.assessment import NOTICE, BoneAge, SexBoneAge
from capitate.errors import UsageError
from capitate.types import Interval, age_text

__all__ = [
    "HTML_LANGUAGE",
    "Language",
    "age_phrase",
    "interval_name",
    "interval_text",
    "language",
    "short_age",
    "standard_text",
    "words",
]


class Language(StrEnum):
    """Languages that reports are written in."""

    ENGLISH = "en"
    CHINESE = "zh"


HTML_LANGUAGE: Mapping[Language, str] = MappingProxyType({Language.ENGLISH: "en", Language.CHINESE: "zh-Hans"})
"""Codes by which pages and PDF files say which language they are in (BCP 47)."""

_ENGLISH = {
    "title": "Bone age report",
    "bone_age": "bone age",
    "interval": "{percent} % interval",
    "to": "{low} to {high}",
    "sex": "sex",
    "female": "female",
    "male": "male",
    "unknown": "unknown",
    "sex_unknown": "sex unknown",
    "comma": ", ",
    "if_female": "if female",
    "if_male": "if male",
    "source_given": "as given",
    "source_table": "from the table",
    "source_dicom": "from the DICOM file",
    "source_none": "not stated",
    "chronological_age": "chronological age",
    "standard": "standard",
    "rsna_readers": "{standard}, as RSNA's readers used it",
    "side": "side",
    "side_from_joints": "{side} (as the joints lie)",
    "left": "left",
    "right": "right",
    "warning": "warning",
    "refusal": "reason",
    "model": "model",
    "notice": "notice",
    "refused": "refused",
    "refused_line": "{name}: refused ({code}): {message}",
    "not_assessed": "not assessed",
    "film": "film",
    "film_file": "film file",
    "film_size": "{width} × {height} pixels, {bits} bit, {format}",
    "film_spacing": "{row} × {column} mm per pixel",
    "film_absent": "The film's picture is not part of this page.",
    "film_stretched": "contrast stretched for display",
    "film_alt": "Hand radiograph {name}",
    "film_alt_box": "Hand radiograph {name}, with the hand that was found outlined by a box",
    "hand": "hand",
    "rotation": "turn to upright",
    "anticlockwise": "{degrees}° anticlockwise",
    "clockwise": "{degrees}° clockwise",
    "show_box": "show the hand's box",
    "scale": "Age scale",
    "scale_axis": "age, years",
    "scale_alt": "Scale from 0 to 19 years: bone age {age}, interval {interval}.",
    "at_chronological": "chronological age {age}",
    "curve": "Probability by bone age",
    "curve_axis": "bone age, years",
    "curve_height": "% per month",
    "curve_alt": "Curve of the probability by bone age; its median is {age}, and the interval {interval} is shaded.",
    "curve_median": "median {age}",
    "warnings": "Warnings",
    "no_warnings": "No warnings.",
    "notes": "Not assessed, and other notes ({count})",
    "both_sexes": "The sex is not known. The two ages below hold if it is the one or the other.",
    "mature_note": "The hand is read as mature. The age is a lower bound, not a point.",
    "provenance": "How this was made",
    "version": "version",
    "licence": "licence of the weights",
    "timings": "time taken",
    "written": "written",
    "refused_title": "This film was not assessed",
    "refused_code": "code {code}",
}

_CHINESE = {
    "title": "骨龄报告",
    "bone_age": "骨龄",
    "interval": "{percent}% 区间",
    "to": "{low} 至 {high}",
    "sex": "性别",
    "female": "女",
    "male": "男",
    "unknown": "未知",
    "sex_unknown": "性别未知",
    "comma": "，",
    "if_female": "若为女",
    "if_male": "若为男",
    "source_given": "由使用者给出",
    "source_table": "来自表格",
    "source_dicom": "来自 DICOM 文件",
    "source_none": "未说明",
    "chronological_age": "实足年龄",
    "standard": "标准",
    "rsna_readers": "{standard}（RSNA 阅片者所用）",
    "side": "侧别",
    "side_from_joints": "{side}（由关节位置判断）",
    "left": "左",
    "right": "右",
    "warning": "警告",
    "refusal": "原因",
    "model": "模型",
    "notice": "声明",
    "refused": "拒绝评估",
    "refused_line": "{name}：拒绝评估（{code}）：{message}",
    "not_assessed": "未评估",
    "film": "X 线片",
    "film_file": "影像文件",
    "film_size": "{width} × {height} 像素，{bits} 位，{format}",
    "film_spacing": "每像素 {row} × {column} 毫米",
    "film_absent": "本页不含影像。",
    "film_stretched": "显示时已拉伸对比度",
    "film_alt": "手部 X 线片 {name}",
    "film_alt_box": "手部 X 线片 {name}，方框标出所找到的手",
    "hand": "手",
    "rotation": "转正角度",
    "anticlockwise": "逆时针 {degrees}°",
    "clockwise": "顺时针 {degrees}°",
    "show_box": "显示手的方框",
    "scale": "年龄标尺",
    "scale_axis": "年龄（岁）",
    "scale_alt": "0 至 19 岁的标尺：骨龄 {age}，区间 {interval}。",
    "at_chronological": "实足年龄 {age}",
    "curve": "骨龄的概率分布",
    "curve_axis": "骨龄（岁）",
    "curve_height": "% / 月",
    "curve_alt": "骨龄的概率曲线；中位数为 {age}，阴影为区间 {interval}。",
    "curve_median": "中位数 {age}",
    "warnings": "警告",
    "no_warnings": "无警告。",
    "notes": "未评估项目及其他说明（{count}）",
    "both_sexes": "性别未知。以下两个年龄分别在性别为女或为男时成立。",
    "mature_note": "该手判读为已成熟。所示年龄为下限，而非确切值。",
    "provenance": "生成方式",
    "version": "版本",
    "licence": "权重许可",
    "timings": "用时",
    "written": "生成时间",
    "refused_title": "此片未予评估",
    "refused_code": "代码 {code}",
    NOTICE: "研究软件，非医疗器械，不得用于诊断或治疗决策。",
}

_CATALOGUE: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {Language.ENGLISH: MappingProxyType(_ENGLISH), Language.CHINESE: MappingProxyType(_CHINESE)}
)


def language(lang: str) -> Language:
    """Return the language of this code.

    Raises:
        UsageError: if reports are not written in it.
    """
    try:
        return Language(lang)
    except ValueError:
        known = ", ".join(Language)
        raise UsageError(f"reports are written in {known}, got {lang!r}; choose one of these") from None


def words(lang: str) -> Mapping[str, str]:
    """Return the catalogue of a language: phrase by key, the notice by its English sentence."""
    return _CATALOGUE[language(lang)]


def short_age(months: float, *, lang: str = "en") -> str:
    """Write an age without its count of months, `10 years 6 months`; an age below 0 is written as 0."""
    english = age_text(max(0.0, months)).partition(" (")[0]
    if language(lang) is Language.ENGLISH:
        return english
    years, rest = (int(word) for word in english.split() if word.isdigit())
    return f"{years}岁{rest}个月"


def age_phrase(age: BoneAge | SexBoneAge, *, lang: str = "en") -> str:
    """Write a bone age as a reader says it, `mature (at least ...)` where the hand is mature."""
    if language(lang) is Language.ENGLISH:
        return age.text
    short = short_age(age.months, lang=lang)
    return f"已成熟（至少{short}）" if age.mature else f"{short}（{round(age.months, 1):.1f}个月）"


def interval_name(interval: Interval, *, lang: str = "en") -> str:
    """Name an interval by its level, `90 % interval`."""
    return words(lang)["interval"].format(percent=f"{100 * interval.level:g}")


def interval_text(interval: Interval, *, lang: str = "en") -> str:
    """Write an interval in years and months, `9 years 1 months to 11 years 10 months`."""
    low, high = (short_age(months, lang=lang) for months in (interval.low, interval.high))
    return words(lang)["to"].format(low=low, high=high)


def standard_text(standard: str, *, lang: str = "en") -> str:
    """Name the standard that an age follows; of Greulich-Pyle it is said whose reading of it was learned.

    RSNA's challenge films were read against the atlas of Greulich and Pyle (Halabi et al., Radiology 2019;290:498).
    """
    if standard.startswith("Greulich") and "RSNA" not in standard:
        return words(lang)["rsna_readers"].format(standard=standard)
    return standard
