"""The words of a scored hand, in English and Chinese.

The Chinese names and sentences are those of the report that system 000 printed; the English says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from capitate.methods import Joint, Method
from capitate.report.wording import Language

__all__ = ["JOINT_NAMES", "LINES", "PHRASES", "POPULATIONS"]

LINES = (
    (Joint.MCP_FIRST, Joint.MCP_THIRD, Joint.MCP_FIFTH),
    (Joint.PIP_FIRST, Joint.PIP_THIRD, Joint.PIP_FIFTH),
    (Joint.MIP_THIRD, Joint.MIP_FIFTH),
    (Joint.DIP_FIRST, Joint.DIP_THIRD, Joint.DIP_FIFTH),
    (Joint.ULNA, Joint.RADIUS),
)
"""Joints in the order in which the report names them, line by line."""

JOINT_NAMES: Mapping[Language, Mapping[Joint, str]] = MappingProxyType(
    {
        Language.ENGLISH: MappingProxyType(
            {
                Joint.MCP_FIRST: "first metacarpal",
                Joint.MCP_THIRD: "third metacarpal",
                Joint.MCP_FIFTH: "fifth metacarpal",
                Joint.PIP_FIRST: "first proximal phalanx",
                Joint.PIP_THIRD: "third proximal phalanx",
                Joint.PIP_FIFTH: "fifth proximal phalanx",
                Joint.MIP_THIRD: "third middle phalanx",
                Joint.MIP_FIFTH: "fifth middle phalanx",
                Joint.DIP_FIRST: "first distal phalanx",
                Joint.DIP_THIRD: "third distal phalanx",
                Joint.DIP_FIFTH: "fifth distal phalanx",
                Joint.ULNA: "ulna",
                Joint.RADIUS: "radius",
            }
        ),
        Language.CHINESE: MappingProxyType(
            {
                Joint.MCP_FIRST: "第一掌骨骺",
                Joint.MCP_THIRD: "第三掌骨骨骺",
                Joint.MCP_FIFTH: "第五掌骨骨骺",
                Joint.PIP_FIRST: "第一近节指骨骨骺",
                Joint.PIP_THIRD: "第三近节指骨骨骺",
                Joint.PIP_FIFTH: "第五近节指骨骨骺",
                Joint.MIP_THIRD: "第三中节指骨骨骺",
                Joint.MIP_FIFTH: "第五中节指骨骨骺",
                Joint.DIP_FIRST: "第一远节指骨骨骺",
                Joint.DIP_THIRD: "第三远节指骨骨骺",
                Joint.DIP_FIFTH: "第五远节指骨骨骺",
                Joint.ULNA: "尺骨",
                Joint.RADIUS: "桡骨骨骺",
            }
        ),
    }
)

_ENGLISH = {
    "grades": "{joint} grade {step}, {points} points",
    "stages": "{joint} stage {step}, {points} points",
    "probable_grades": "{joint} grade {step} ({percent} %), {points} points",
    "probable_stages": "{joint} stage {step} ({percent} %), {points} points",
    "missing_grades": "{joint} not graded, counted as {points} points (grades {least} to {most} are possible)",
    "missing_stages": "{joint} not graded, counted as {points} points (stages {least} to {most} are possible)",
    "between": "; ",
    "line_end": ";",
    "end": ".",
    Method.RUS_CHN: "RUS-CHN scoring by grades: total score {total} points, bone age {age}.",
    Method.TW3: "TW3-RUS scoring by stages: total score {total} points, bone age {age}.",
    "within": "about {years} years",
    "early": "below {limit} years (about {years} years)",
    "below_table": "below {limit} years",
    "mature": "at least {limit} years (mature)",
    "interval": "{percent} % interval: total score {low_total} to {high_total} points, bone age {low} to {high}.",
    "years": "{years} years",
    "standard": "Standard: {name}, {population}. Sex: {sex}.",
    "stages_from_grades": "TW3 stages were told from RUS-CHN grades by a relation that has a single public source.",
}

_CHINESE = {
    "grades": "{joint}分级{step}级，得{points}分",
    "stages": "{joint}分期{step}期，得{points}分",
    "probable_grades": "{joint}分级{step}级（概率{percent}%），得{points}分",
    "probable_stages": "{joint}分期{step}期（概率{percent}%），得{points}分",
    "missing_grades": "{joint}未分级，按{points}分计（可能为{least}至{most}级）",
    "missing_stages": "{joint}未分期，按{points}分计（可能为{least}至{most}期）",
    "between": "；",
    "line_end": "；",
    "end": "。",
    Method.RUS_CHN: "RUS-CHN分级计分法，受检儿CHN总得分：{total}分，骨龄{age}。",
    Method.TW3: "TW3-RUS分期计分法，受检儿RUS总得分：{total}分，骨龄{age}。",
    "within": "约为{years}岁",
    "early": "低于{limit}岁（约为{years}岁）",
    "below_table": "低于{limit}岁",
    "mature": "至少为{limit}岁（已成熟）",
    "interval": "{percent}%区间：总得分{low_total}至{high_total}分，骨龄{low}至{high}。",
    "years": "{years}岁",
    "standard": "标准：{name}，{population}。性别：{sex}。",
    "stages_from_grades": "TW3分期由RUS-CHN分级换算，该换算关系仅有一个公开来源。",
}

PHRASES: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {Language.ENGLISH: MappingProxyType(_ENGLISH), Language.CHINESE: MappingProxyType(_CHINESE)}
)
"""Sentences by language and key; the keys are scales, statuses, reaches and methods."""

POPULATIONS: Mapping[Method, str] = MappingProxyType(
    {Method.RUS_CHN: "中国儿童，中华05调查", Method.TW3: "欧裔儿童，TW3"}
)
"""The populations in Chinese; in English the table has them."""
