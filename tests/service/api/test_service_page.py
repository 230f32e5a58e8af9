"""docs/service.md, the settings, and the OpenAPI document say what there is."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from capitate.errors import UsageError
from capitate.service.problems import PROBLEMS
from capitate.service.settings import ServiceSettings, read_settings, settings_table

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "service.md").read_text(encoding="utf-8")
ROWS = {line for line in PAGE.splitlines() if line.startswith("|")}


@pytest.mark.parametrize("setting", settings_table(), ids=lambda one: one.name)
def test_settings_are_documented(setting):
    row = f"| `{setting.option}` | `{setting.variable}` | {setting.default} | {setting.help} |"
    assert row in ROWS


@pytest.mark.parametrize("code", PROBLEMS, ids=str)
def test_problems_are_documented(code):
    assert f"| `{code}` | {PROBLEMS[code].status} | {PROBLEMS[code].title} |" in ROWS


def test_nothing_else_is_documented():
    documented = {found.group(1) for line in ROWS if (found := re.match(r"\| `(--[\w-]+)`", line))}
    assert documented == {one.option for one in settings_table()}


@pytest.fixture(scope="module")
def document(served):
    return served.client.get("/v1/openapi.json").json()


def test_routes_are_documented(document):
    told = {found.group(1) for line in ROWS if (found := re.match(r"\| `([A-Z]+ /[^`]*)`", line))}
    there = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    assert told == there


def test_the_openapi_document_holds_together(document):
    assert document["openapi"].startswith("3.1")
    text = str(document)
    schemas = document["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert any(status.startswith("2") for status in operation["responses"])


def test_a_record_is_as_the_document_says(served, document):
    schema = {"$ref": "#/components/schemas/RecordAnswer", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(served.made())


def test_an_option_outweighs_the_environment(tmp_path):
    environment = {"CAPITATE_PORT": "9000", "CAPITATE_WORKERS": "3", "CAPITATE_FOLDER": str(tmp_path)}
    settings = read_settings({"port": 9001, "workers": None}, environment=environment)
    assert (settings.port, settings.workers, settings.folder) == (9001, 3, tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/capitate.db"


@pytest.mark.parametrize(
    ("name", "text"), [("PORT", "many"), ("WORKERS", "0"), ("FILM_SECONDS", "-1"), ("PORT", "70000")]
)
def test_wrong_settings_are_named(name, text, tmp_path):
    with pytest.raises(UsageError, match=name.lower().replace("_", "-") if text != "many" else name):
        read_settings({"folder": tmp_path}, environment={f"CAPITATE_{name}": text})


def test_figures_for_prometheus(served):
    served.made()
    text = served.client.get("/metrics").text
    assert re.search(r'capitate_films_total\{status="done"\} [1-9]', text)
    assert 'route="/v1/assessments",status="201"' in text
    assert "capitate_workers_busy" in text
    assert "hand.png" not in text


def test_the_defaults_are_for_one_machine():
    assert ServiceSettings().host == "127.0.0.1"
