"""A scored hand as text in both languages, as JSON and as a row."""

from __future__ import annotations

import json

import pytest

from capitate.assessment import NOTICE
from capitate.errors import GradeError, UsageError
from capitate.methods import Grading, Joint, Scale, point_table, score
from capitate.methods.tables import Method
from capitate.report import Language
from capitate.report.score_forms import (
    SCORE_COLUMNS,
    refused_hand_json,
    refused_hand_row,
    score_json,
    score_row,
)
from capitate.report.score_text import points_text, score_text
from capitate.report.score_words import JOINT_NAMES, LINES, PHRASES, POPULATIONS
from capitate.types import Sex

HAND = {
    "Radius": 14, "Ulna": 1, "MCPFirst": 11, "MCPThird": 1, "MCPFifth": 10, "PIPFirst": 7, "PIPThird": 7,
    "PIPFifth": 3, "MIPThird": 4, "MIPFifth": 8, "DIPFirst": 6, "DIPThird": 9, "DIPFifth": 3,
}  # fmt: skip
BOY = score(Grading(HAND), sex="male")
CHINESE = """\
    第一掌骨骺分级11级，得66分；第三掌骨骨骺分级1级，得3分；第五掌骨骨骺分级10级，得50分；
    第一近节指骨骨骺分级7级，得29分；第三近节指骨骨骺分级7级，得23分；第五近节指骨骨骺分级3级，得6分；
    第三中节指骨骨骺分级4级，得9分；第五中节指骨骨骺分级8级，得31分；
    第一远节指骨骨骺分级6级，得28分；第三远节指骨骨骺分级9级，得37分；第五远节指骨骨骺分级3级，得6分；
    尺骨分级1级，得25分；桡骨骨骺分级14级，得209分。

    RUS-CHN分级计分法，受检儿CHN总得分：522分，骨龄约为12.73岁。
    标准：RUS-CHN，中国儿童，中华05调查。性别：男。
    研究软件，非医疗器械，不得用于诊断或治疗决策。"""


def test_chinese_is_the_report_of_system_000_with_what_it_rests_on():
    assert score_text(BOY, lang="zh") == CHINESE


def test_english_says_the_same():
    text = score_text(BOY)
    assert text.startswith("    First metacarpal grade 11, 66 points; third metacarpal grade 1, 3 points; fifth ")
    assert "Ulna grade 1, 25 points; radius grade 14, 209 points." in text
    assert "total score 522 points, bone age about 12.73 years.\n" in text
    assert text.endswith(NOTICE)
    assert "interval" not in text


def test_every_joint_and_phrase_is_there_in_every_language():
    assert sorted(joint for line in LINES for joint in line) == sorted(Joint)
    for language in Language:
        assert set(JOINT_NAMES[language]) == set(Joint)
        assert set(PHRASES[language]) == set(PHRASES[Language.ENGLISH])
    assert set(POPULATIONS) == set(Method)


@pytest.mark.parametrize(
    ("hand", "english", "chinese"),
    [
        (dict.fromkeys(Joint, 0), "bone age below 1.0 years.", "骨龄低于1.0岁。"),
        (
            dict.fromkeys(Joint, 1) | {"Ulna": 0},
            "total score 44 points, bone age below 3.8 years (about 2.14 years).",
            "受检儿CHN总得分：44分，骨龄低于3.8岁（约为2.14岁）。",
        ),
        (
            {joint: len(listed) - 1 for joint, listed in point_table(Method.RUS_CHN, Sex.MALE).points.items()},
            "bone age at least 18.0 years (mature).",
            "骨龄至少为18.0岁（已成熟）。",
        ),
    ],
)
def test_ends_of_the_range_are_said(hand, english, chinese):
    result = score(Grading(hand), sex="male")
    assert english in score_text(result)
    assert chinese in score_text(result, lang="zh")


def test_missing_and_probable_joints_and_the_interval():
    shares = [0.0] * 15
    shares[8], shares[9] = 0.72, 0.28
    hand = dict.fromkeys(Joint, 8) | {"Radius": shares}
    del hand["DIPFifth"]
    result = score(Grading(hand), sex="male")
    english, chinese = score_text(result), score_text(result, lang="zh")
    assert "radius grade 8 (72 %), 118 points" in english
    assert "桡骨骨骺分级8级（概率72%），得118分" in chinese
    assert "fifth distal phalanx not graded, counted as " in english
    assert "第五远节指骨骨骺未分级，按" in chinese
    low, high = points_text(result.interval.low_total), points_text(result.interval.high_total)
    ages = f"{result.interval.low.years:.2f} years to {result.interval.high.years:.2f} years"
    assert f"90 % interval: total score {low} to {high} points, bone age {ages}." in english


def test_stages_are_letters():
    result = score(Grading(dict.fromkeys(Joint, 6), scale=Scale.STAGES), sex="female", method="tw3")
    assert "First metacarpal stage G, 43 points" in score_text(result)
    assert "第一掌骨骺分期G期，得43分" in score_text(result, lang="zh")
    told = score(Grading(HAND), sex="female", method="tw3")
    assert "single public source" in score_text(told)
    assert "single public source" not in score_text(result)


def test_other_languages_are_refused():
    with pytest.raises(UsageError, match="'ko'"):
        score_text(BOY, lang="ko")


def test_json_holds_every_joint_and_the_age():
    written = json.loads(score_json(BOY, row={"id": "7"}))
    assert written["schema"] == "capitate.score/1"
    assert written["row"] == {"id": "7"}
    assert written["total"] == 522
    assert written["age"] == {"years": 12.7308, "reach": "within", "limit_years": None, "text": "about 12.73 years"}
    assert sum(one["points"] for one in written["joints"]) == 522
    radius = {"name": "Radius", "status": "graded", "grade": 14, "probability": 1.0, "points": 209.0, "possible": None}
    assert written["joints"][0] == radius
    assert written["interval"]["low_years"] == written["interval"]["high_years"] == 12.7308
    assert written["error"] is None


def test_json_of_missing_stages():
    written = json.loads(score_json(score(Grading({"Radius": 6}, scale=Scale.STAGES), sex="male", method="tw3")))
    ulna = written["joints"][1]
    assert (ulna["status"], ulna["stage"]) == ("missing", None)
    assert set("".join(ulna["possible"])) <= set("ABCDEFGHI")
    assert sum(one["code"] == "joint_missing" for one in written["findings"]) == 12


def test_row_and_refusals():
    row = score_row(BOY)
    assert tuple(row) == SCORE_COLUMNS
    assert (row["Radius"], row["Radius_points"], row["total"], row["age_years"]) == ("14", "209", "522", "12.73")
    error = GradeError("=no such grade")
    refused = refused_hand_row(error, written={"Radius": "15"})
    assert tuple(refused) == SCORE_COLUMNS
    assert (refused["Radius"], refused["refusal"], refused["refusal_message"]) == ("15", "grade", "'=no such grade")
    assert json.loads(refused_hand_json(error))["error"] == {"code": "grade", "message": "=no such grade"}
