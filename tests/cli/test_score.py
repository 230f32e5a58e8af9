"""`capitate score`: a reader's grades in, score and age out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from capitate.methods import Joint

ALL = (
    "Radius=14", "Ulna=1", "MCPFirst=11", "MCPThird=1", "MCPFifth=10", "PIPFirst=7", "PIPThird=7", "PIPFifth=3",
    "MIPThird=4", "MIPFifth=8", "DIPFirst=6", "DIPThird=9", "DIPFifth=3",
)  # fmt: skip
GRADES = [word.partition("=")[2] for word in ALL]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six hands: a good one, one with a gap, and four that are wrong in one way each."""
    good = ["M", *GRADES]
    rows = [
        ["=one", *good],
        ["two", *good[:-1], ""],
        ["three", "", *GRADES],
        ["four", "x", *GRADES],
        ["five", "M", "15", *GRADES[1:]],
        ["six", "M", "G", *GRADES[1:]],
    ]
    path = tmp_path / "hands.csv"
    header = ["Patient", "sex", *Joint]
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_hand_as_text(run):
    result = run("score", "--sex", "male", *ALL)
    assert result.code == 0
    assert result.err == ""
    assert "Ulna grade 1, 25 points; radius grade 14, 209 points." in result.out
    assert "total score 522 points, bone age about 12.73 years." in result.out


def test_a_hand_in_chinese(run):
    assert "受检儿CHN总得分：522分，骨龄约为12.73岁。" in run("score", "--sex", "male", "--lang", "zh", *ALL).out


def test_a_hand_as_json(run):
    written = json.loads(run("score", "--sex", "male", "--format", "json", *ALL).out)
    assert (written["total"], round(written["age"]["years"], 2)) == (522, 12.73)


def test_a_hand_as_csv(run):
    (row,) = rows(run("score", "--sex", "male", "--format", "csv", *ALL).out)
    assert (row["total"], row["age_years"], row["refusal"]) == ("522", "12.73", "")


def test_stages_by_letter(run):
    words = [f"{joint}=G" for joint in Joint]
    result = run("score", "--sex", "female", "--method", "tw3", *words)
    assert "total score 647 points, bone age about 11.7 years." in result.out
    assert "single public source" not in result.out


def test_a_joint_left_out_is_missing(run):
    result = run("score", "--sex", "male", *ALL[:-1])
    assert result.code == 0
    assert "fifth distal phalanx not graded" in result.out
    assert "90 % interval" in result.out
    assert "50 % interval" in run("score", "--sex", "male", "--level", "0.5", *ALL[:-1]).out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no joint was graded"),
        (ALL, "got none; give --sex female or --sex male"),
        (("--sex", "unknown", *ALL), "got unknown; give --sex female or --sex male"),
        (("--sex", "male", "Radis=9"), "no such joint, got 'Radis'"),
        (("--sex", "male", "Radius=15"), "got 15; give one of its grades, 0 (not yet visible) to 14"),
        (("--sex", "male", "Radius=9", "Ulna=E"), "grades and stages in one hand"),
        (("--sex", "male", "Radius=9", "--method", "gp"), "choose one of rus-chn, tw3"),
        (("--sex", "male", "Radius=9", "--level", "90"), "--level must lie between 0 and 1, got 90"),
        (("--sex", "male", "Radius=9", "--table", "hands.csv"), "give one of the two"),
        (("--table", "absent.csv"), "cannot read the table 'absent.csv'"),
    ],
)
def test_wrong_usage_is_one_sentence(run, words, told):
    result = run("score", *words)
    assert result.code == 2
    assert result.out == ""
    assert told in result.err
    assert result.err.count("\n") == 1


def test_a_table_gives_a_table(run, table):
    result = run("score", "--table", table)
    assert result.code == 1
    assert "4 of 6 hands could not be scored" in result.err
    one, two, three, four, five, six = rows(result.out)
    assert (one["patient"], one["total"], one["age_years"]) == ("'=one", "522", "12.73")
    assert (two["missing"], two["DIPFifth"]) == ("DIPFifth", "")
    assert float(two["low_years"]) < float(two["high_years"])
    assert [row["refusal"] for row in (one, two, three, four, five, six)] == [
        "",
        "",
        "usage",
        "table",
        "grade",
        "grade",
    ]
    assert "line 5, column 'sex': unknown sex, got 'x'" in four["refusal_message"]
    assert (five["Radius"], five["sex"]) == ("15", "M")
    assert "grades and stages in one hand, got Ulna=1 and Radius=G" in six["refusal_message"]


def test_its_own_table_can_be_given_again(run, table, tmp_path):
    first = run("score", "--table", table, "--sex", "male").out
    again = tmp_path / "scores.csv"
    again.write_text(first.replace(",15,,", ",14,,"), encoding="utf-8", newline="")
    second = rows(run("score", "--table", again, "--sex", "male").out)
    assert [row["total"] for row in second[:3]] == [row["total"] for row in rows(first)[:3]]
    assert second[4]["total"] == "522"
    assert list(second[0]) == list(rows(first)[0])


def test_a_table_as_text_and_json(run, table):
    text = run("score", "--table", table, "--format", "text").out
    assert "hands.csv, line 2: =one\n    First metacarpal" in text
    assert "hands.csv, line 6: five\n    Radius has no such grade, got 15" in text
    written = [json.loads(line) for line in run("score", "--table", table, "--format", "json").out.splitlines()]
    assert [one["row"]["patient"] for one in written] == ["=one", "two", "three", "four", "five", "six"]
    assert [one["error"] is None for one in written] == [True, True, False, False, False, False]


def test_sex_of_a_row_outweighs_the_option(run, table):
    found = rows(run("score", "--table", table, "--sex", "female").out)
    assert [row["sex"] for row in found[:3]] == ["male", "male", "female"]


def test_a_table_without_joints(run, tmp_path):
    path = tmp_path / "ages.csv"
    path.write_text("path,sex\nfilm.png,F\n", encoding="utf-8")
    result = run("score", "--table", path)
    assert result.code == 2
    assert "no column of a joint, got path, sex" in result.err
