"""The words of maps in a report, in English and Chinese, and their numbers as text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from capitate.explain import ActivationMap
from capitate.report.wording import Language, language

__all__ = ["MAP_PHRASES", "amount_text", "level_text", "limit_text", "unit_text"]

_DECIMALS = {"months": 1, "logit": 2, "grades": 2}
"""Decimals by unit: a tenth of a month is what ages are written with."""

_ENGLISH = {
    "maps": "What the answers rest on",
    "bone_age": "Bone age",
    "abnormality": "Abnormality screen",
    "grades": "Grades of the joints, added up",
    "months": "months",
    "logit": "log-odds",
    "grades_unit": "grades",
    "value": "{number} {unit}",
    "up_bone_age": "raises the age",
    "down_bone_age": "lowers the age",
    "up_abnormality": "raises the screen's answer",
    "down_abnormality": "lowers the screen's answer",
    "up_grades": "raises the grades",
    "down_grades": "lowers the grades",
    "most_bone_age": "What raises the age most: {up}. What lowers it most: {down}.",
    "most_abnormality": "What raises the screen's answer most: {up}. What lowers it most: {down}.",
    "most_grades": "What raises the grades most: {up}. What lowers them most: {down}.",
    "from": "The map starts from a base of {base}; the parts of the film add {sum} and lead to {answer}.",
    "part": "{region} ({amount})",
    "nothing": "nothing",
    "list": ", ",
    "hand": "rest of the hand",
    "hand_alone": "hand",
    "outside": "outside the hand",
    "carpals": "carpal bones",
    "others": "other joints ({count})",
    "region": "region",
    "amount": "adds ({unit})",
    "area": "share of the film",
    "total": "in all",
    "density": "{unit} per 1 % of the film's area",
    "lines": "A line surrounds what reaches half of the strongest value: drawn through where the answer is raised, "
    "dashed where it is lowered.",
    "opacity": "Opacity of the map: {title}",
    "opacity_short": "opacity",
    "film_alone": "film",
    "map_alone": "map",
    "alt": "Hand radiograph {name} with the map over it: {title}. {most}",
    "bar_alt": "Colour scale from {low} to {high} {density}: blue lowers, orange raises the answer.",
    "bar_alt_up": "Colour scale from {low} to {high} {density}: orange raises the answer.",
    "note": "A map says what moved this network's answer from its base. It is no finding.",
    "regions_note": "A place in several joints' boxes counts for the one whose middle is nearest.",
    "model": "model {model}",
}

_CHINESE = {
    "maps": "结果的依据",
    "bone_age": "骨龄",
    "abnormality": "异常筛查",
    "grades": "各关节分级之和",
    "months": "个月",
    "logit": "对数几率",
    "grades_unit": "级",
    "value": "{number} {unit}",
    "up_bone_age": "使骨龄升高",
    "down_bone_age": "使骨龄降低",
    "up_abnormality": "使筛查结果升高",
    "down_abnormality": "使筛查结果降低",
    "up_grades": "使分级升高",
    "down_grades": "使分级降低",
    "most_bone_age": "使骨龄升高最多：{up}。使骨龄降低最多：{down}。",
    "most_abnormality": "使筛查结果升高最多：{up}。使筛查结果降低最多：{down}。",
    "most_grades": "使分级升高最多：{up}。使分级降低最多：{down}。",
    "from": "图以 {base} 为基准，片上各部分合计 {sum}，得到 {answer}。",
    "part": "{region}（{amount}）",
    "nothing": "无",
    "list": "、",
    "hand": "手的其余部分",
    "hand_alone": "手",
    "outside": "手以外",
    "carpals": "腕骨",
    "others": "其他关节（{count} 个）",
    "region": "部位",
    "amount": "贡献（{unit}）",
    "area": "占片面积",
    "total": "合计",
    "density": "{unit}（每 1% 片面积）",
    "lines": "线条围出达到最强值一半之处：使结果升高处为实线，使结果降低处为虚线。",
    "opacity": "图的不透明度：{title}",
    "opacity_short": "不透明度",
    "film_alone": "影像",
    "map_alone": "图",
    "alt": "手部 X 线片 {name}，其上叠加：{title}。{most}",
    "bar_alt": "色标，自 {low} 至 {high} {density}：蓝色使结果降低，橙色使结果升高。",
    "bar_alt_up": "色标，自 {low} 至 {high} {density}：橙色使结果升高。",
    "note": "图只说明什么使此网络的结果偏离基准，并非影像所见。",
    "regions_note": "同时位于几个关节方框内之处，归于中心最近的关节。",
    "model": "模型 {model}",
}

MAP_PHRASES: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {Language.ENGLISH: MappingProxyType(_ENGLISH), Language.CHINESE: MappingProxyType(_CHINESE)}
)
"""Phrases by language and key."""


def unit_text(unit: str, *, lang: str) -> str:
    """Write a map's unit."""
    return MAP_PHRASES[language(lang)]["grades_unit" if unit == "grades" else unit]


def amount_text(amount: float, unit: str) -> str:
    """Write what a region adds, signed, without its unit; 0 has no sign."""
    rounded = round(amount, _DECIMALS[unit])
    text = f"{abs(rounded):.{_DECIMALS[unit]}f}"
    return text if rounded == 0 else f"{'+' if rounded > 0 else '−'}{text}"


def level_text(value: float, unit: str, *, lang: str, signed: bool = False) -> str:
    """Write a base, an answer or (signed) a contribution with its unit."""
    number = amount_text(value, unit)
    number = number if signed else number.removeprefix("+")
    return MAP_PHRASES[language(lang)]["value"].format(number=number, unit=unit_text(unit, lang=lang))


def limit_text(activation: ActivationMap, *, strongest: float, lang: str) -> tuple[str, str]:
    """Write what the full colour stands for: a number, and the unit that it is in.

    A cell's value is spread over its share of the film, so that maps of different grids can be compared.

    Args:
        activation: the map.
        strongest: value of a cell that has the full colour.
        lang: `en` or `zh`.
    """
    rows, columns = activation.values.shape
    density = strongest * rows * columns / 100
    unit = unit_text(activation.unit, lang=lang)
    return f"{density:.3g}", MAP_PHRASES[language(lang)]["density"].format(unit=unit)
