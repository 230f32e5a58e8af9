"""`capitate assess`: films in, results out, one film's failure its own."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
from PIL import Image

from capitate import report
from capitate.assessor import Assessor
from capitate.explain import ActivationMap
from capitate.explain.arrays import read_npz
from capitate.runtime.bone_age import BoneAgeModel

from .conftest import write_film


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_text_of_one_film_has_age_interval_and_notice(run, film):
    result = run("assess", film, "--sex", "female")
    assert result.code == 0
    assert "months)" in result.out
    assert "90 % interval" in result.out
    assert "not a medical device" in result.out
    assert result.err == ""


def test_json_of_one_film_is_one_valid_object(run, film):
    result = run("assess", film, "--sex", "female", "--age", "10.5", "--format", "json")
    told = json.loads(result.out)
    jsonschema.validate(told, report.schema())
    assert told["source"]["name"] == "film10.png"
    assert told["subject"] == {"sex": "female", "sex_source": "given", "chronological_age_months": 126.0}


def test_json_of_several_films_is_one_object_a_line_in_order(run, drawn):
    result = run("assess", drawn / "film11.png", drawn / "film2.png", "--format", "json")
    names = [json.loads(line)["source"]["name"] for line in result.out.splitlines()]
    assert names == ["film11.png", "film2.png"]


def test_folder_gives_csv_in_natural_order(run, drawn):
    result = run("assess", drawn, "--format", "csv")
    table = rows(result.out)
    assert [row["path"].rsplit("film", 1)[1] for row in table] == ["2.png", "10.png", "11.png"]
    assert all(float(row["low"]) <= float(row["bone_age_months"]) <= float(row["high"]) for row in table)


def test_unknown_sex_shows_both_ages(run, film):
    table = rows(run("assess", film, "--format", "csv").out)
    assert table[0]["sex"] == "unknown"
    assert table[0]["female_months"]
    assert table[0]["male_months"]


def test_chinese(run, film):
    assert "骨龄" in run("assess", film, "--lang", "zh").out


def test_models_are_loaded_once(run, drawn, monkeypatch):
    made = []
    start = Assessor.__init__
    monkeypatch.setattr(Assessor, "__init__", lambda self, **options: (made.append(1), start(self, **options))[1])
    assert run("assess", drawn, "--format", "csv").code == 0
    assert made == [1]


def test_a_failing_film_does_not_stop_the_others(run, drawn, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    result = run("assess", tmp_path / "none.png", tmp_path / "empty.png", drawn / "film2.png", "--format", "csv")
    table = rows(result.out)
    assert result.code == 1
    assert [bool(row["refusal"]) for row in table] == [True, True, False]
    assert table[0]["refusal"] == "unreadable_path"
    assert "2 of 3 films were refused" in result.err


def test_quiet_says_nothing_on_standard_error(run, film, tmp_path):
    result = run("assess", tmp_path / "none.png", film, "--quiet")
    assert result.code == 1
    assert result.err == ""


def test_out_holds_page_and_json_a_film_and_the_table(run, drawn, tmp_path):
    out = tmp_path / "reports"
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("assess", drawn, tmp_path / "broken.png", "--sex", "male", "--out", out)
    assert result.code == 1
    names = {path.name for path in out.iterdir()}
    stems = ("film2", "film10", "film11", "broken")
    pictures = {f"{stem}.{kind}.png" for stem in stems if stem != "broken" for kind in ("joints", "contact-sheet")}
    pages = {f"{stem}.{ending}" for stem in stems for ending in ("html", "json")}
    assert names == {"results.csv", *pages, *pictures}
    table = rows((out / "results.csv").read_text(encoding="utf-8"))
    assert len(table) == 4
    assert table[3]["refusal"] == "corrupt_file"
    assert "data:image/" in (out / "film2.html").read_text(encoding="utf-8")


def test_table_alone_names_films_sexes_and_ages(run, drawn, tmp_path):
    shutil.copy(drawn / "film2.png", tmp_path / "b.png")
    shutil.copy(drawn / "film10.png", tmp_path / "a.png")
    table = tmp_path / "studies.csv"
    table.write_text("path,sex,age_years\nb.png,F,5\na.png,M,\n", encoding="utf-8")
    told = [json.loads(line) for line in run("assess", "--table", table, "--format", "json").out.splitlines()]
    assert [one["source"]["name"] for one in told] == ["b.png", "a.png"]
    assert [one["subject"]["sex"] for one in told] == ["female", "male"]
    assert [one["subject"]["sex_source"] for one in told] == ["table", "table"]
    assert [one["subject"]["chronological_age_months"] for one in told] == [60.0, None]


def test_table_beside_a_folder_is_looked_up_by_name(run, drawn, tmp_path):
    table = tmp_path / "studies.csv"
    table.write_text("path,sex\nfilm10,M\nsomewhere/film2.png,F\n", encoding="utf-8")
    result = run("assess", drawn, "--table", table, "--format", "csv")
    told = rows(result.out)
    assert [row["sex"] for row in told] == ["female", "male", "unknown"]
    assert told[2]["warnings"] == "not_in_table"
    assert "1 of 3 films have no row" in result.err


def test_published_layout_serves_as_table(run, drawn, tmp_path):
    shutil.copy(drawn / "film2.png", tmp_path / "4.png")
    table = tmp_path / "train.csv"
    table.write_text("id,boneage,male\n4,60,False\n", encoding="utf-8")
    assert rows(run("assess", "--table", table, "--format", "csv").out)[0]["sex"] == "female"


def test_sex_fills_rows_that_have_none(run, drawn, tmp_path):
    table = tmp_path / "studies.csv"
    table.write_text(f"path,sex\n{drawn / 'film2.png'},\n{drawn / 'film10.png'},F\n", encoding="utf-8")
    told = rows(run("assess", "--table", table, "--sex", "female", "--format", "csv").out)
    assert [(row["sex"], row["sex_source"]) for row in told] == [("female", "given"), ("female", "table")]


def test_list_is_read_in_order_after_the_paths(run, drawn, tmp_path):
    listed = tmp_path / "films.txt"
    listed.write_text(f"# later first\n{drawn / 'film11.png'}\n\n{drawn / 'film2.png'}\n", encoding="utf-8")
    result = run("assess", drawn / "film10.png", "--list", listed, "--format", "csv")
    assert [row["path"].rsplit("film", 1)[1] for row in rows(result.out)] == ["10.png", "11.png", "2.png"]


TABLES = {
    "no column path": ("film,sex\na.png,F\n", "path"),
    "unknown sex": ("path,sex\na.png,girl\n", "'girl'"),
    "bad age": ("path,age_years\na.png,old\n", "'old'"),
    "empty": ("", "empty"),
    "sex contradicts": ("path,sex\na.png,M\n", "contradicts"),
}


@pytest.mark.parametrize("name", TABLES)
def test_wrong_table_is_wrong_usage(run, tmp_path, name):
    text, told = TABLES[name]
    table = tmp_path / "t.csv"
    table.write_text(text, encoding="utf-8")
    result = run("assess", "--table", table, "--sex", "female", "--format", "csv")
    assert result.code == 2
    assert told in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


WRONG = {
    "nothing named": ([], "no film was named"),
    "unknown sex": (["FILM", "--sex", "girl"], "girl"),
    "age in months": (["FILM", "--age", "126"], "126"),
    "no date": (["FILM", "--birth-date", "31.5.2017"], "31.5.2017"),
    "born after the film": (["FILM", "--birth-date", "2017-05-31", "--study-date", "2016-05-31"], "before"),
    "no such model": (["FILM", "--model", "nine"], "bone-age-ensemble"),
    "locator as model": (["FILM", "--model", "hand-locator"], "hand-locator"),
    "no such option": (["FILM", "--gender", "F"], "--gender"),
    "no threads": (["FILM", "--threads", "0"], "--threads"),
    "missing table": (["--table", "none.csv"], "none.csv"),
    "missing list": (["--list", "none.txt"], "none.txt"),
    "age beside a table": (["--table", "t.csv", "--age", "10"], "age_years"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_sentence_and_exit_code_2(run, film, name):
    words, told = WRONG[name]
    result = run("assess", *(film if word == "FILM" else word for word in words))
    assert result.code == 2
    assert told in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_folder_without_a_film_is_wrong_usage(run, tmp_path):
    result = run("assess", tmp_path)
    assert result.code == 2
    assert "no film in the folder" in result.err


def test_out_that_is_a_file_is_wrong_usage(run, film):
    assert run("assess", film, "--out", film).code == 2


def test_out_that_cannot_be_made_is_wrong_usage(run, film):
    result = run("assess", film, "--out", film / "below")
    assert result.code == 2
    assert "Traceback" not in result.err


def test_flipped_byte_in_a_bundle_refuses_to_run(run, film, tmp_path):
    from capitate.runtime.bundle import load_bundle

    folder = tmp_path / "bundle"
    shutil.copytree(load_bundle("bone-age").folder, folder)
    network = folder / "model.onnx"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    result = run("assess", film, "--model", folder, "--out", tmp_path / "out")
    assert result.code == 2
    assert "model.onnx" in result.err
    assert result.out == ""
    assert not (tmp_path / "out").exists()


def test_a_fault_refuses_its_film_alone_and_tells_no_more_than_its_kind(run, drawn, monkeypatch):
    through = Assessor.assess

    def faulty(self, source, **options):
        if source.name == "film10.png":
            raise ZeroDivisionError("Jane Doe")
        return through(self, source, **options)

    monkeypatch.setattr(Assessor, "assess", faulty)
    result = run("assess", drawn, "--format", "csv")
    assert result.code == 70
    assert [row["refusal"] for row in rows(result.out)] == ["", "fault", ""]
    assert "ZeroDivisionError" in result.out
    assert "Jane" not in result.out + result.err
    with pytest.raises(ZeroDivisionError):
        run("--debug", "assess", drawn)


@pytest.mark.films
def test_native_films_are_assessed(run, films_root):
    native = films_root / "rsna-highres" / "native"
    told = rows(run("assess", native, "--format", "csv").out)
    assert len(told) == 12
    assert not any(row["refusal"] for row in told)


def test_dates_give_the_chronological_age(run, tmp_path):
    film = write_film(tmp_path / "f.png", months=100)
    result = run("assess", film, "--birth-date", "2010-01-01", "--study-date", "20200101", "--format", "json")
    assert json.loads(result.out)["subject"]["chronological_age_months"] == pytest.approx(120, abs=0.1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_full_disk_is_one_sentence(run, film, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.csv").symlink_to("/dev/full")
    result = run("assess", film, "--out", out)
    assert result.code == 2
    assert "results.csv" in result.err
    assert "Traceback" not in result.err


def test_a_link_to_nowhere_and_a_folder_named_like_a_film(run, film, tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "inside.png").write_bytes(film.read_bytes())
    told = rows(run("assess", tmp_path, "--format", "csv").out)
    assert [row["refusal"] for row in told] == ["", "unreadable_path"]


HEEDING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background is deaf to it
from capitate.cli import main
main(sys.argv[1:])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_interrupted_run_ends_with_130_and_whole_rows(film, tmp_path):
    for number in range(30):
        shutil.copy(film, tmp_path / f"{number}.png")
    command = [sys.executable, "-c", HEEDING, "assess", tmp_path, "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    table = rows("".join(lines) + rest)
    assert 1 <= len(table) < 30
    assert all(row["sha256"] for row in table)


def test_maps_need_a_folder(run, film):
    result = run("assess", film, "--maps")
    assert result.code == 2
    assert "--maps writes pictures and arrays, and no folder was named for them; add --out DIR" in result.err


def test_a_pdf_needs_a_folder(run, film):
    result = run("assess", film, "--pdf")
    assert result.code == 2
    assert "--pdf writes a report a film, and no folder was named for them; add --out DIR" in result.err


def test_a_pdf_is_written_for_every_film_refused_ones_too(run, film, tmp_path):
    pytest.importorskip("reportlab", reason="PDF reports need capitate[report]")
    blank, out = tmp_path / "blank.png", tmp_path / "out"
    Image.new("L", (400, 500)).save(blank)
    options = ("--no-joints", "--model", "bone-age-small", "--out", out)
    assert run("assess", film, blank, "--pdf", "--lang", "zh", *options).code == 1
    for name in ("film10.pdf", "blank.pdf"):
        assert (out / name).read_bytes().startswith(b"%PDF-")
        assert b"/Lang (zh-Hans)" in (out / name).read_bytes()
    assert run("assess", film, *options).code == 0
    assert len(list(out.glob("*.pdf"))) == 2


def test_without_reportlab_a_run_ends_before_any_film(run, film, tmp_path, monkeypatch):
    for name in [one for one in sys.modules if one.partition(".")[0] == "reportlab"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "reportlab", None)
    result = run("assess", film, "--pdf", "--out", tmp_path / "out")
    assert result.code == 2
    assert (
        "A PDF report needs an optional part that is not installed; run: pip install 'capitate[report]'" in result.err
    )
    assert not (tmp_path / "out").exists()


def test_maps_are_written_and_named_in_what_is_printed(run, film, tmp_path, monkeypatch):
    made = ActivationMap("bone-age-small", "bone_age", "months", np.full((4, 3), 0.5, np.float32), 120.0, 126.0)
    monkeypatch.setattr(BoneAgeModel, "explained", lambda model, views, sexes, **_: (model.answer(views, sexes), made))
    options = ("--no-joints", "--model", "bone-age-small", "--format", "json", "--out", tmp_path)
    result = run("assess", film, "--maps", *options)
    assert result.code == 0
    told = json.loads(result.out)
    assert told["maps"] == {"bone_age": "film10-map-bone-age.png", "abnormality": None, "grades": None}
    assert json.loads((tmp_path / "film10.json").read_text(encoding="utf-8"))["maps"] == told["maps"]
    assert read_npz(tmp_path / "film10-map-bone-age.npz").activation.answer == 126
    assert "radiogroup" in (tmp_path / "film10.html").read_text(encoding="utf-8")
    assert json.loads(run("assess", film, *options).out)["maps"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film10.html", "film10.json", "results.csv"]
