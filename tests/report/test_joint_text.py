"""The text of a hand whose joints were read: system 000's sentences, and what they rest on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from capitate.assessed_joints import AssessedJoint, Carpals, GradeReading
from capitate.assessment import NOTICE, Side
from capitate.hand import Joint
from capitate.methods import GRADE_COUNT
from capitate.methods import Joint as Scored
from capitate.report import to_text
from capitate.report.joint_text import joint_lines, reading_text, totals
from capitate.report.joint_words import ALL_NAMES, JOINT_PHRASES
from capitate.report.wording import Language
from capitate.types import Box, Sex

from .examples import NORMAL
from .joint_examples import assessed, corrected, drawn, scored, with_joint, without

HAND = {
    "Radius": 14, "Ulna": 1, "MCPFirst": 11, "MCPThird": 1, "MCPFifth": 10, "PIPFirst": 7, "PIPThird": 7,
    "PIPFifth": 3, "MIPThird": 4, "MIPFifth": 8, "DIPFirst": 6, "DIPThird": 9, "DIPFifth": 3,
}  # fmt: skip
"""The boy of system 000's own screen: 522 points, 12.73 years."""


def certain(name: str) -> AssessedJoint:
    """A joint whose grade is beyond doubt, so that its points are those of the table."""
    grade = HAND.get(name)
    reading = None
    if grade is not None:
        shares = tuple(float(step == grade) for step in range(GRADE_COUNT[Scored(name)] + 1))
        reading = GradeReading(grade, shares, 1.0, grade, None, False)
    return AssessedJoint(name, Box(10, 20, 30, 40), "found", 0.9, None, reading, None, None)


BOY = scored(
    replace(
        NORMAL,
        subject=replace(NORMAL.subject, sex=Sex.MALE, chronological_age_months=None),
        joints=tuple(certain(joint.value) for joint in Joint),
    )
)
CHINESE = """\
film.png
    骨龄      10岁6个月（126.5个月）
    90% 区间  9岁1个月 至 11岁10个月
    性别      男（由使用者给出）
    标准      Greulich-Pyle（RSNA 阅片者所用）
    侧别      左

    第一掌骨骺分级11级（置信度100%），得66分；第三掌骨骨骺分级1级（置信度100%），得3分；第五掌骨骨骺分级10级（置信度100%），得50分；
    第一近节指骨骨骺分级7级（置信度100%），得29分；第三近节指骨骨骺分级7级（置信度100%），得23分；第五近节指骨骨骺分级3级（置信度100%），得6分；
    第三中节指骨骨骺分级4级（置信度100%），得9分；第五中节指骨骨骺分级8级（置信度100%），得31分；
    第一远节指骨骨骺分级6级（置信度100%），得28分；第三远节指骨骨骺分级9级（置信度100%），得37分；第五远节指骨骨骺分级3级（置信度100%），得6分；
    尺骨分级1级（置信度100%），得25分；桡骨骨骺分级14级（置信度100%），得209分。

    RUS-CHN分级计分法，受检儿CHN总得分：522分，骨龄约为12.73岁。
    标准：RUS-CHN，中国儿童，中华05调查。性别：男。
"""


def test_chinese_is_the_report_of_system_000_with_confidence_models_and_notice():
    text = to_text(BOY, lang="zh")
    assert text.startswith(CHINESE)
    assert "TW3-RUS分期计分法，受检儿RUS总得分：" in text
    assert text.splitlines()[-3:] == [
        "",
        "    模型      bone-age-default 1.0.0 (sha256 abababababab, research only (LICENSE-WEIGHTS.md))",
        "    声明      研究软件，非医疗器械，不得用于诊断或治疗决策。",
    ]


def test_english_says_the_same():
    lines = to_text(BOY).splitlines()
    assert lines[7].startswith(
        "    First metacarpal grade 11 (100 %), 66 points; third metacarpal grade 1 (100 %), 3 poi"
    )
    assert lines[11] == "    Ulna grade 1 (100 %), 25 points; radius grade 14 (100 %), 209 points."
    assert lines[13:15] == [
        "    RUS-CHN scoring by grades: total score 522 points, bone age about 12.73 years.",
        "    Standard: RUS-CHN, Chinese children, China 05 survey. Sex: male.",
    ]
    assert lines[-1] == f"    notice         {NOTICE}"


def test_what_a_reader_set_stands_beside_what_the_machine_read():
    read = corrected(assessed(drawn()), "Radius", 9)
    assert "radius grade 9 (set by Dr Li, the machine read grade 8, 80 %), 138 points." in to_text(read)
    assert "桡骨骨骺分级9级（由Dr Li订正，机器判为8级，置信度80%），得138分。" in to_text(read, lang="zh")
    struck = joint_lines(corrected(read, "Radius", None), lang="en")[-1]
    assert "radius left out by Dr Li (the machine read grade 8, 80 %), counted as " in struck
    alone = GradeReading(3, None, None, None, "a reader", False)
    assert reading_text("Ulna", alone, lang="en") == "ulna grade 3 (set by a reader)"
    assert reading_text("Ulna", alone, lang="zh") == "尺骨分级3级（由a reader给出）"


def test_a_confirmed_grade_and_one_of_a_missing_joint_are_said_so():
    read = corrected(assessed(drawn()), "Ulna", 6)
    assert "Ulna grade 6 (confirmed by Dr Li, the machine 45 %), 95 points" in to_text(read)
    assert "尺骨分级6级（由Dr Li确认，机器置信度45%），得95分；" in to_text(read, lang="zh")
    assert "its card asks for: fifth middle phalanx." in to_text(read), "the ulna need not be confirmed any more"
    alone = GradeReading(3, None, None, None, "a reader", False)
    read = with_joint(without(assessed(drawn()), "Ulna"), "Ulna", grade=alone)
    assert "Not found on the film, graded by a reader: ulna." in to_text(read)
    assert "widens" not in to_text(read)


def test_a_reader_s_name_cannot_steer_the_terminal():
    assert "\x1b" not in to_text(corrected(assessed(drawn()), "Radius", 9, reader="\x1b[2J"))


def test_missing_joints_say_what_they_cost():
    read = without(without(assessed(drawn()), "MCPThird"), "PIPSecond")
    english, chinese = to_text(read), to_text(read, lang="zh")
    graded = sum(one.score for one in read.joints if one.score is not None)
    assert round(graded / (1000 - 51) * 51, 1) == 26.3, "a girl's third metacarpal has 51 of 1000 points"
    assert "; third metacarpal not graded, counted as 26.3 points (grades 5 to 8 are possible); fifth" in english
    assert "第三掌骨骨骺未分级，按26.3分计（可能为5至8级）；" in chinese
    assert "    Not found on the film, which widens the score's interval: third metacarpal.\n" in english
    assert "    Not found on the film, without effect on the scores: second proximal phalanx.\n" in english
    assert "片上未找到，得分区间因此变宽：第三掌骨骨骺。" in chinese
    assert "片上未找到，不影响得分：第二近节指骨骨骺。" in chinese


def test_suggestions_and_uncertain_boxes_are_to_be_confirmed():
    read = with_joint(assessed(drawn()), "MIPThird", status="uncertain")
    english, chinese = to_text(read), to_text(read, lang="zh")
    assert "Ulna grade 6 (45 %, to be confirmed), 95 points; radius" in english
    assert "less sure of these grades than its card asks for: ulna, fifth middle phalanx." in english
    assert "these boxes may be wrong: third middle phalanx." in english
    assert "尺骨分级6级（置信度45%，待确认），得95分；" in chinese
    assert "以下分级的置信度低于模型说明所要求：尺骨、第五中节指骨骨骺。" in chinese
    assert "以下关节的定位可能有误：第三中节指骨骨骺。" in chinese


def test_without_a_sex_there_are_grades_and_both_totals():
    read = assessed(drawn(), sex=Sex.UNKNOWN)
    assert joint_lines(read, lang="zh")[-1] == "尺骨分级6级（置信度45%，待确认）；桡骨骨骺分级8级（置信度80%）。"
    found = totals(read, lang="en")
    assert [line.partition(":")[0] for line in found if line.startswith("If ")] == [
        "If female", "If male", "If female", "If male",
    ]  # fmt: skip
    assert found[0].startswith("If female: RUS-CHN scoring by grades: total score 511 points, bone age about 10.48 ")
    assert sum("single public source" in line for line in found) == 1


def test_without_a_grade_or_a_joint_no_sentence_stands_for_nothing():
    read = assessed(drawn())
    found = scored(replace(read, joints=tuple(replace(one, grade=None) for one in read.joints)))
    assert joint_lines(found, lang="en") == totals(found, lang="en") == []
    assert to_text(found).count("\n\n") == 2, "facts, carpal bones, models"
    assert "Not found on the film: ulna.\n" in to_text(scored(without(found, "Ulna")))
    nothing = tuple(replace(one, box=None, status="missing", detection=None) for one in found.joints)
    text = to_text(replace(found, joints=nothing, carpals=None))
    assert "\n\n    No joint was found on the film.\n\n" in text
    assert "metacarpal" not in text


def test_an_uncertain_total_has_its_interval():
    lines = totals(assessed(drawn()), lang="zh")
    assert lines[1].startswith("90%区间：总得分472至547分，骨龄10.16岁至10.78岁。")


def test_ends_of_a_method_are_said_as_bounds():
    none = scored(replace(BOY, joints=tuple(_graded(one, 0) for one in BOY.joints)))
    assert totals(none, lang="en")[0].endswith("total score 0 points, bone age below 1.0 years.")
    full = scored(replace(BOY, joints=tuple(_graded(one, None) for one in BOY.joints)))
    assert totals(full, lang="zh")[0] == "RUS-CHN分级计分法，受检儿CHN总得分：1000分，骨龄至少为18.0岁（已成熟）。"


def _graded(joint: AssessedJoint, grade: int | None) -> AssessedJoint:
    """The joint with a reader's grade, its last where none is given."""
    if joint.grade is None:
        return joint
    value = GRADE_COUNT[Scored(joint.name)] if grade is None else grade
    return replace(joint, grade=replace(joint.grade, value=value, corrected_by="reader"))


def test_carpal_bones_are_counted():
    assert "Carpal bones: 7, their area 8.1 % of the hand's length squared." in to_text(assessed(drawn()))
    assert "腕骨：8块。" in to_text(replace(BOY, carpals=Carpals(8, None)), lang="zh")


def test_a_side_that_only_the_joints_tell_is_said_so():
    hand = replace(NORMAL.hand, side=Side.RIGHT, side_source="joints")
    assert "side               right (as the joints lie)" in to_text(replace(NORMAL, hand=hand))
    assert "侧别      右（由关节位置判断）" in to_text(replace(NORMAL, hand=hand), lang="zh")


def test_the_documented_text_is_what_is_written():
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    told = re.search(r"```\n(    First metacarpal.*?)\n```", page, flags=re.S)[1].splitlines()
    written = to_text(corrected(without(assessed(drawn()), "MCPThird"), "Radius", 9)).splitlines()
    assert len(told) == 6
    assert [line for line in told if line.strip() != "..." and line not in written] == []


@pytest.mark.parametrize("language", Language)
def test_every_joint_and_phrase_is_there_in_every_language(language):
    assert list(ALL_NAMES[language]) == [joint.value for joint in Joint]
    assert len(set(ALL_NAMES[language].values())) == 21
    assert set(JOINT_PHRASES[language]) == set(JOINT_PHRASES[Language.ENGLISH])
    assert ALL_NAMES[Language.CHINESE]["MCPFirst"] == "第一掌骨骺"
    assert ALL_NAMES[Language.CHINESE]["DIPFourth"] == "第四远节指骨骨骺"
