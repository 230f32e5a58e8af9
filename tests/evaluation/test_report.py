from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from noisy_truth import NoisyTruth, studies

from capitate.assessment import NOTICE
from capitate.evaluation import RunDetails, evaluate, run, write
from capitate.evaluation.bone_age import Evaluation

DETAILS = RunDetails(
    command="capitate evaluate films.csv --task bone-age", table="films.csv", version="0.1.0", resamples=50
)
VOID = {"meta", "br", "img", "link", "hr"}


class Balanced(HTMLParser):
    """Collects links, and fails on tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rows = studies(300)
    predictions = run(rows, NoisyTruth(rows, raises={"3"}, trained_on={"8", "9"}))
    return evaluate([replace(rows[0], bone_age_months=None), *rows[1:]], predictions, resamples=50)


def test_metrics_json_has_flat_figures_and_groups(evaluation: Evaluation, tmp_path: Path) -> None:
    write(evaluation, tmp_path, details=DETAILS)
    figures = json.loads((tmp_path / "metrics.json").read_text())
    for name in ["mae", "rmse", "bias", "sd", "r", "within_6", "within_12", "within_24", "coverage", "refused", "n"]:
        assert set(figures[name]) == {"value", "low", "high"}
    assert figures["mae"]["low"] < figures["mae"]["value"] < figures["mae"]["high"]
    assert (figures["n"]["value"], figures["refused"]["value"]) == (296, 1)
    assert figures["groups"]["in_training"]["n"]["value"] == 2
    assert figures["run"]["models"][0]["name"] == "fake"
    assert figures["run"]["seen_in_training"] == 2


def test_predictions_csv_has_one_row_a_film_with_the_contract_columns(evaluation: Evaluation, tmp_path: Path) -> None:
    write(evaluation, tmp_path, details=DETAILS)
    rows = list(csv.DictReader((tmp_path / "predictions.csv").read_text().splitlines()))
    assert list(rows[0])[:7] == ["path", "sex", "bone_age_months", "predicted_months", "low", "high", "refusal"]
    assert len(rows) == 300
    by_id = {row["id"]: row for row in rows}
    assert by_id["3"]["refusal"] == "corrupt_file"
    assert by_id["3"]["predicted_months"] == ""
    assert by_id["0"]["bone_age_months"] == ""
    assert by_id["8"]["in_training"] == "true"
    assert by_id["5"]["path"] == "5.png"
    errors = [
        abs(float(row["predicted_months"]) - float(row["bone_age_months"]))
        for row in rows
        if row["predicted_months"] and row["bone_age_months"] and row["in_training"] == "false"
    ]
    assert sum(errors) / len(errors) == pytest.approx(evaluation.overall.figures["mae"].value, abs=0.01)


def test_report_is_one_balanced_page_without_links(evaluation: Evaluation, tmp_path: Path) -> None:
    write(evaluation, tmp_path, details=DETAILS)
    page = (tmp_path / "report.html").read_text()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert not parser.links
    for text in (NOTICE, DETAILS.command, "corrupt_file", "Bland-Altman", "0" * 64, "2 films were seen in training"):
        assert text in page
    for picture in page.split("<svg")[1:]:
        ET.fromstring("<svg" + picture.split("</svg>")[0] + "</svg>")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["metrics.json", "predictions.csv", "report.html"]


def test_names_are_escaped(tmp_path: Path) -> None:
    rows = [replace(row, path=Path(f"/films/<script>{row.id}.png")) for row in studies(12)]
    write(evaluate(rows, run(rows, NoisyTruth(rows)), resamples=20), tmp_path, details=DETAILS)
    page = (tmp_path / "report.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_thousands_of_films_stay_a_small_page(tmp_path: Path) -> None:
    rows = studies(12_611)
    write(evaluate(rows, run(rows, NoisyTruth(rows)), resamples=20), tmp_path, details=DETAILS)
    assert (tmp_path / "report.html").stat().st_size < 1_500_000


def test_page_says_when_everything_was_seen_in_training(tmp_path: Path) -> None:
    rows = studies(10)
    seen = evaluate(rows, run(rows, NoisyTruth(rows, trained_on={r.id for r in rows})), resamples=20)
    write(seen, tmp_path, details=DETAILS)
    assert "There is no headline" in (tmp_path / "report.html").read_text()


def test_every_film_refused_still_gives_a_report(tmp_path: Path) -> None:
    rows = studies(3)
    write(evaluate(rows, run(rows, NoisyTruth(rows, raises={"0", "1", "2"})), resamples=20), tmp_path, details=DETAILS)
    assert json.loads((tmp_path / "metrics.json").read_text())["refused"]["value"] == 3
