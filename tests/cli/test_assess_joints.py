"""Options of `capitate assess` that are about joints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capitate.runtime.bundle import write_sums


@pytest.fixture
def uninstalled(monkeypatch) -> None:
    """No bundle of joints is installed."""
    monkeypatch.setattr("capitate.assessor.joint_models.is_bundle", lambda name: False)


def messages(out: str) -> dict[str, str]:
    return {one["code"]: one["message"] for one in json.loads(out)["quality"]["findings"]}


def test_left_out_joints_are_read_where_their_models_are_installed(run, film, uninstalled):
    result = run("assess", film, "--format", "json", "--model", "bone-age-small")
    assert result.code == 0
    told = messages(result.out)["joints_not_assessed"]
    assert told.startswith("Joints are not read: no bundle 'joint-detector' is installed; update Capitate")


def test_joints_that_are_asked_for_and_cannot_be_read_are_an_error(run, film, uninstalled):
    result = run("assess", film, "--joints")
    assert (result.code, result.out) == (2, "")
    assert "no bundle 'joint-detector' is installed" in result.err


def test_no_joints(run, film):
    result = run("assess", film, "--format", "json", "--no-joints", "--model", "bone-age-small")
    written = json.loads(result.out)
    assert (written["joints"], written["methods"]) == (None, None)
    assert messages(result.out)["joints_not_assessed"] == "Joints were not asked for."
    assert {one["name"] for one in written["models"]} == {"bone-age-small", "hand-locator"}
    assert not {"joints", "outlines", "grades", "scores"} & set(written["timings_ms"])


def test_a_grader_without_a_detector_is_not_left_unused_in_silence(run, film, tmp_path: Path, uninstalled):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps({"name": "mine", "task": "joint-grades", "version": "1"}))
    write_sums(folder)
    result = run("assess", film, "--model", folder)
    assert (result.code, result.out) == (2, "")
    assert "Joints cannot be read without a model that finds them" in result.err
    assert "leave one of the two out" in run("assess", film, "--model", folder, "--no-joints").err
