import csv
import io
from dataclasses import replace

import pytest

from capitate.assessment import Refusal
from capitate.report import COLUMNS, TableWriter, table_row
from capitate.report.joint_columns import JOINT_COLUMNS
from capitate.types import Sex

from .examples import EXAMPLES, MATURE, NORMAL, REFUSED, UNKNOWN_SEX, WARNED
from .joint_examples import assessed, corrected, drawn, without


def _read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_rows_keep_their_order_and_path():
    stream = io.StringIO(newline="")
    table = TableWriter(stream)
    for index, example in enumerate(EXAMPLES.values()):
        table.write(example, path=f"folder/{index}.png")
    rows = _read(stream.getvalue())
    assert [row["path"] for row in rows] == [f"folder/{index}.png" for index in range(len(EXAMPLES))]
    assert stream.getvalue().splitlines(keepends=True)[0] == ",".join(COLUMNS) + "\r\n"


def test_cells_of_an_assessed_film():
    row = table_row(NORMAL)
    assert not any(row.pop(column) for column in JOINT_COLUMNS)
    assert row == {
        "path": "film.png",
        "sex": "female",
        "sex_source": "given",
        "bone_age_months": "126.50",
        "low": "109.00",
        "high": "142.40",
        "level": "0.9",
        "text": "10 years 6 months (126.5 months)",
        "mature": "false",
        "female_months": "",
        "male_months": "",
        "chronological_age_months": "118.00",
        "standard": "Greulich-Pyle",
        "side": "left",
        "warnings": "",
        "refusal": "",
        "refusal_message": "",
        "model": "bone-age-default 1.0.0",
        "sha256": "3f" * 32,
        "abnormality": "",
        "abnormality_threshold": "",
        "marks": "",
    }


def test_cells_of_the_other_examples():
    assert table_row(MATURE)["mature"] == "true"
    unknown = table_row(UNKNOWN_SEX)
    assert (unknown["female_months"], unknown["male_months"]) == ("120.00", "133.26")
    assert table_row(WARNED)["warnings"] == "negated; sex_contradicted"
    refused = table_row(REFUSED)
    assert refused["refusal"] == "not_a_radiograph"
    assert refused["bone_age_months"] == refused["text"] == refused["mature"] == ""


def test_cells_of_joints():
    row = table_row(corrected(without(assessed(drawn()), "MCPThird"), "Radius", 9))
    assert (row["Radius"], row["Radius_confidence"]) == ("9", "0.800")
    assert (row["Ulna"], row["Ulna_confidence"]) == ("6", "0.450")
    assert (row["MCPThird"], row["MCPThird_confidence"]) == ("", "")
    assert row["joints_missing"] == "MCPThird"
    assert row["grades_to_confirm"] == "Ulna; MIPFifth"
    assert row["grades_corrected"] == "Radius"
    assert row["rus_chn_reach"] == "within"
    assert float(row["rus_chn_low_total"]) < float(row["rus_chn_total"]) < float(row["rus_chn_high_total"])
    assert float(row["rus_chn_low_years"]) < float(row["rus_chn_years"]) < float(row["rus_chn_high_years"])
    assert row["rus_chn_female_years"] == row["tw3_male_years"] == ""


def test_ages_of_either_sex_where_it_is_unknown():
    row = table_row(assessed(drawn(), sex=Sex.UNKNOWN))
    assert row["rus_chn_total"] == row["rus_chn_years"] == row["tw3_reach"] == ""
    assert float(row["rus_chn_female_years"]) < float(row["rus_chn_male_years"])
    assert row["joints_missing"] == row["grades_corrected"] == ""


def test_a_row_is_on_disk_before_the_next_film(tmp_path):
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        TableWriter(stream).write(NORMAL)
        assert len(_read(path.read_text(encoding="utf-8"))) == 1


def test_quotes_commas_and_lines_survive():
    message = 'It says "no", twice,\nand stops. 骨'
    stream = io.StringIO(newline="")
    TableWriter(stream).write(replace(REFUSED, error=Refusal("corrupt_file", message)))
    assert _read(stream.getvalue())[0]["refusal_message"] == message


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_no_cell_is_a_formula(start):
    assert table_row(NORMAL, path=f"{start}cmd|' /C calc'!A0.png")["path"].startswith("'")


@pytest.mark.parametrize("number", ["-1", "+2.5", "-1e-3"])
def test_numbers_stay_numbers(number):
    assert table_row(NORMAL, path=number)["path"] == number


def test_a_path_that_is_no_unicode_can_be_written():
    assert table_row(NORMAL, path="f\udcff.png")["path"].encode("utf-8") == b"f\\udcff.png"
