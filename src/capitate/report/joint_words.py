"""The words of the joints in a report: names of all 21, what was read of them, and what is to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from capitate.hand import Joint
from capitate.report.score_words import JOINT_NAMES
from capitate.report.wording import Language

__all__ = ["ALL_NAMES", "JOINT_PHRASES"]

_RAYS = {
    Language.ENGLISH: {"Second": "second", "Fourth": "fourth"},
    Language.CHINESE: {"Second": "第二", "Fourth": "第四"},
}
_BONES = {
    Language.ENGLISH: {
        "MCP": " metacarpal", "PIP": " proximal phalanx", "MIP": " middle phalanx", "DIP": " distal phalanx",
    },
    Language.CHINESE: {"MCP": "掌骨骨骺", "PIP": "近节指骨骨骺", "MIP": "中节指骨骨骺", "DIP": "远节指骨骨骺"},
}  # fmt: skip


def _names(language: Language) -> Mapping[str, str]:
    """Return the names of the 13 joints as the scores have them, and the eight others in the same way."""
    scored = {joint.value: name for joint, name in JOINT_NAMES[language].items()}
    rays, bones = _RAYS[language], _BONES[language]
    return MappingProxyType({joint: scored.get(joint) or rays[joint[3:]] + bones[joint[:3]] for joint in Joint})


ALL_NAMES: Mapping[Language, Mapping[str, str]] = MappingProxyType({one: _names(one) for one in Language})
"""Names of the 21 joints by language."""

_ENGLISH = {
    "joints": "Joints",
    "read": "{joint} grade {step}",
    "read_sure": "{joint} grade {step} ({percent} %)",
    "read_suggestion": "{joint} grade {step} ({percent} %, to be confirmed)",
    "corrected": "{joint} grade {step} (set by {reader}, the machine read {machine})",
    "corrected_unread": "{joint} grade {step} (set by {reader})",
    "confirmed": "{joint} grade {step} (confirmed by {reader}, the machine {percent} %)",
    "struck": "{joint} left out by {reader} (the machine read {machine})",
    "ungraded": "{joint} not graded",
    "machine": "grade {step}, {percent} %",
    "machine_unsure": "grade {step}",
    "counted": ", counted as {points} points (grades {least} to {most} are possible)",
    "points": ", {points} points",
    "points_alone": "{points} points",
    "list": ", ",
    "confirm": "To be confirmed, the machine is less sure of these grades than its card asks for: {joints}.",
    "uncertain": "To be confirmed, these boxes may be wrong: {joints}.",
    "missing": "Not found on the film: {joints}.",
    "missing_scored": "Not found on the film, which widens the score's interval: {joints}.",
    "missing_graded": "Not found on the film, graded by a reader: {joints}.",
    "missing_other": "Not found on the film, without effect on the scores: {joints}.",
    "none_found": "No joint was found on the film.",
    "carpals": "Carpal bones: {count}.",
    "carpals_area": "Carpal bones: {count}, their area {area} % of the hand's length squared.",
    "under": "{sex}: {line}",
    "status_found": "found",
    "status_uncertain": "uncertain",
    "status_missing": "missing",
    "joint": "joint",
    "status": "box",
    "grade": "grade",
    "confidence": "confidence",
    "score": "points",
    "present": "epiphysis",
    "width_ratio": "width ratio",
    "gap": "gap",
    "fused": "fused",
    "remark": "remark",
    "yes": "yes",
    "no": "no",
    "none": "–",
    "to_confirm": "to be confirmed",
    "set_by": "set by {reader}; machine {machine}",
    "confirmed_by": "confirmed by {reader}",
    "tip": "{reading} · box {status}{detection}",
    "show_joints": "joints",
    "show_names": "all names",
    "show_outlines": "outlines",
    "legend_found": "box found",
    "legend_uncertain": "box uncertain (dashed)",
    "legend_missing": "missing, expected here (dotted)",
    "legend_epiphysis": "epiphysis",
    "legend_carpals": "carpal bone",
    "capitate": "capitate",
    "hamate": "hamate",
    "film_alt_joints": "Hand radiograph {name} with its joints; each can be reached by the keyboard",
    "sheet": "The 13 graded joints",
    "sheet_note": (
        "Left the crop that the grader sees, as of an upright left hand; then drawings, not radiographs, of the grade "
        "before, this grade (framed) and the grade after."
    ),
    "crop_alt": "{joint}, crop from the film",
    "drawn_alt": "{joint}, drawing of grade {step}",
    "all_joints": "All 21 joints",
    "table_note": (
        "Width ratio: epiphysis over metaphysis. Gap: growth plate over the metaphysis' width. "
        "A dash: not measured, or not part of the method."
    ),
    "scores": "Scores",
    "total": "total {total} points",
    "not_scored": "not scored",
    "not_graded": "not graded",
    "method_rus-chn": "RUS-CHN",
    "method_tw3": "TW3-RUS",
}

_CHINESE = {
    "joints": "关节",
    "read": "{joint}分级{step}级",
    "read_sure": "{joint}分级{step}级（置信度{percent}%）",
    "read_suggestion": "{joint}分级{step}级（置信度{percent}%，待确认）",
    "corrected": "{joint}分级{step}级（由{reader}订正，机器判为{machine}）",
    "corrected_unread": "{joint}分级{step}级（由{reader}给出）",
    "confirmed": "{joint}分级{step}级（由{reader}确认，机器置信度{percent}%）",
    "struck": "{joint}由{reader}剔除（机器判为{machine}）",
    "ungraded": "{joint}未分级",
    "machine": "{step}级，置信度{percent}%",
    "machine_unsure": "{step}级",
    "counted": "，按{points}分计（可能为{least}至{most}级）",
    "points": "，得{points}分",
    "points_alone": "{points}分",
    "list": "、",
    "confirm": "待确认，以下分级的置信度低于模型说明所要求：{joints}。",
    "uncertain": "待确认，以下关节的定位可能有误：{joints}。",
    "missing": "片上未找到：{joints}。",
    "missing_scored": "片上未找到，得分区间因此变宽：{joints}。",
    "missing_graded": "片上未找到，由阅片者分级：{joints}。",
    "missing_other": "片上未找到，不影响得分：{joints}。",
    "none_found": "片上未找到任何关节。",
    "carpals": "腕骨：{count}块。",
    "carpals_area": "腕骨：{count}块，面积合计为手长平方的{area}%。",
    "under": "{sex}：{line}",
    "status_found": "已找到",
    "status_uncertain": "不确定",
    "status_missing": "未找到",
    "joint": "关节",
    "status": "定位",
    "grade": "分级",
    "confidence": "置信度",
    "score": "得分",
    "present": "骨骺",
    "width_ratio": "宽度比",
    "gap": "间隙",
    "fused": "融合",
    "remark": "备注",
    "yes": "是",
    "no": "否",
    "none": "–",
    "to_confirm": "待确认",
    "set_by": "由{reader}给出；机器{machine}",
    "confirmed_by": "由{reader}确认",
    "tip": "{reading} · 定位{status}{detection}",
    "show_joints": "关节",
    "show_names": "全部名称",
    "show_outlines": "轮廓",
    "legend_found": "定位已找到",
    "legend_uncertain": "定位不确定（虚线）",
    "legend_missing": "未找到，预期在此（点线）",
    "legend_epiphysis": "骨骺",
    "legend_carpals": "腕骨",
    "capitate": "头状骨",
    "hamate": "钩骨",
    "film_alt_joints": "手部 X 线片 {name} 及其关节；各关节均可用键盘到达",
    "sheet": "计分的 13 个关节",
    "sheet_note": "左为分级模型所见的截图（转为直立左手）；其后为前一级、本级（加框）和后一级的示意图，并非 X 线片。",
    "crop_alt": "{joint}，影像截图",
    "drawn_alt": "{joint}，{step}级示意图",
    "all_joints": "全部 21 个关节",
    "table_note": "宽度比：骨骺宽与干骺端宽之比。间隙：骺板与干骺端宽之比。短横：未测量，或不属于计分方法。",
    "scores": "得分",
    "total": "总分 {total} 分",
    "not_scored": "未计分",
    "not_graded": "未分级",
    "method_rus-chn": "RUS-CHN",
    "method_tw3": "TW3-RUS",
}

JOINT_PHRASES: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {Language.ENGLISH: MappingProxyType(_ENGLISH), Language.CHINESE: MappingProxyType(_CHINESE)}
)
"""Phrases by language and key."""
