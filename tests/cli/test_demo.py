"""`capitate demo`."""

from __future__ import annotations

import json


def test_demo_assesses_its_film_and_names_the_next_command(run, tmp_path):
    out = tmp_path / "demo"
    result = run("demo", "--out", out)
    assert result.code == 0
    assert "months)" in result.out
    assert f"Report: {out / 'phantom.html'}" in result.out
    assert "assess FILM.png --sex female" in result.out
    assert {path.name for path in out.iterdir()} == {
        "phantom.png", "phantom.html", "phantom.json", "phantom.joints.png", "phantom.contact-sheet.png",
    }  # fmt: skip
    assert json.loads((out / "phantom.json").read_text(encoding="utf-8"))["error"] is None


def test_demo_in_a_place_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("demo", "--out", tmp_path / "file" / "demo")
    assert result.code == 2
    assert "Traceback" not in result.err
