from dataclasses import replace

import pytest

from capitate.assessment import NOTICE, Hand, Source
from capitate.errors import UsageError
from capitate.report import to_text
from capitate.report.wording import _CATALOGUE, Language, age_phrase, short_age, standard_text
from capitate.types import Interval, Side

from .examples import MATURE, NORMAL, REFUSED, UNKNOWN_SEX, WARNED


def test_english_text():
    assert to_text(NORMAL).splitlines() == [
        "film.png",
        "    bone age           10 years 6 months (126.5 months)",
        "    90 % interval      9 years 1 months to 11 years 10 months",
        "    sex                female (as given)",
        "    chronological age  9 years 10 months",
        "    standard           Greulich-Pyle, as RSNA's readers used it",
        "    side               left",
        "    model              bone-age-default 1.0.0 (sha256 abababababab, research only (LICENSE-WEIGHTS.md))",
        f"    notice             {NOTICE}",
    ]


def test_chinese_text_lines_up_in_terminal_columns():
    lines = to_text(NORMAL, lang="zh").splitlines()
    assert lines[1] == "    骨龄      10岁6个月（126.5个月）"
    assert lines[2] == "    90% 区间  9岁1个月 至 11岁10个月"
    assert lines[3] == "    性别      女（由使用者给出）"
    assert lines[-1] == "    声明      研究软件，非医疗器械，不得用于诊断或治疗决策。"


def test_unknown_sex_shows_both_ages():
    text = to_text(UNKNOWN_SEX)
    assert "if female      10 years 0 months (120.0 months), 90 % interval 8 years 6 months to" in text
    assert "if male        11 years 1 months (133.3 months)" in text
    assert "unknown (not stated)" in text
    chinese = to_text(UNKNOWN_SEX, lang="zh")
    assert "若为女    10岁0个月（120.0个月）" in chinese
    assert "若为男    11岁1个月（133.3个月）" in chinese


def test_mature_is_no_point_age():
    assert to_text(MATURE).splitlines()[1].endswith("  mature (at least 18 years 0 months)")
    assert to_text(MATURE, lang="zh").splitlines()[1].endswith("  已成熟（至少18岁0个月）")


def test_warnings_are_shown_and_notes_are_not():
    text = to_text(WARNED)
    assert "    warning            The film showed dark bone on bright surroundings and was inverted. (negated)" in text
    assert "joints_not_assessed" not in text


def test_refusal_is_one_line():
    sentence = "The film is blank: all pixels are 0; send a hand radiograph."
    assert to_text(REFUSED) == f"blank.png: refused (not_a_radiograph): {sentence}"
    assert to_text(REFUSED, lang="zh") == f"blank.png：拒绝评估（not_a_radiograph）：{sentence}"


def test_side_that_is_not_known_is_left_out():
    unknown = replace(NORMAL, hand=Hand(side=Side.UNKNOWN, rotation_degrees=0, box=NORMAL.hand.box))
    assert "side" not in to_text(unknown)


def test_nothing_assessed_says_so():
    assert "bone age           not assessed" in to_text(replace(NORMAL, bone_age=None))


def test_a_file_name_cannot_steer_the_terminal():
    text = to_text(replace(NORMAL, source=Source(name="a\x1b[2J\nb\udcff.png", sha256=None)))
    assert text.splitlines()[0] == "a�[2J�b?.png"


def test_another_language_is_a_usage_error():
    with pytest.raises(UsageError, match="en, zh, got 'de'"):
        to_text(NORMAL, lang="de")


def test_both_catalogues_say_the_same_things():
    english, chinese = _CATALOGUE[Language.ENGLISH], _CATALOGUE[Language.CHINESE]
    assert set(chinese) == {*english, NOTICE}


@pytest.mark.parametrize("months", [0.0, 11.94, 11.95, 126.5, 227.99])
def test_english_and_chinese_ages_agree(months):
    digits = [word for word in short_age(months).split() if word.isdigit()]
    assert short_age(months, lang="zh") == "{}岁{}个月".format(*digits)


def test_an_interval_that_reaches_below_birth_starts_at_birth():
    young = replace(NORMAL.bone_age, interval=Interval(low=-2.0, high=9.0, level=0.9))
    assert "0 years 0 months to 0 years 9 months" in to_text(replace(NORMAL, bone_age=young))


def test_the_english_age_is_the_assessment_s_own():
    assert age_phrase(MATURE.bone_age) == MATURE.bone_age.text


def test_standards_that_name_their_readers_are_not_named_twice():
    assert standard_text("Greulich-Pyle (RSNA)") == "Greulich-Pyle (RSNA)"
    assert standard_text("RUS-CHN") == "RUS-CHN"
