"""Figures of several folds joined for a card."""

from __future__ import annotations

import json

import pytest

from capitate.errors import UsageError
from capitate.training.pooled import pooled_figures


def run(folder, *, fold, ids, value, half, task="joint-detector"):
    folder.mkdir()
    figure = {"value": value, "low": value - half, "high": value + half}
    (folder / "metrics.json").write_text(json.dumps({"map50": figure, "loss": 3.0, "by": {"Radius": figure}}))
    (folder / "config.json").write_text(json.dumps({"task": task}))
    (folder / "split.json").write_text(json.dumps({"fold": fold}))
    (folder / "predictions.csv").write_text("id,score\n" + "".join(f"{one},0.5\n" for one in ids))
    (folder / "weights.safetensors").write_bytes(b"")
    return folder


def test_folds_are_weighed_by_what_they_held_out(tmp_path):
    first = run(tmp_path / "a", fold=0, ids="aab", value=0.6, half=0.03)
    second = run(tmp_path / "b", fold=1, ids="cdefgh", value=0.8, half=0.04)
    found = {one["name"]: one for one in pooled_figures([first, second])}
    assert set(found) == {"map50", "by: Radius"}
    assert found["map50"]["value"] == pytest.approx(0.25 * 0.6 + 0.75 * 0.8)
    half = ((0.25 * 0.03) ** 2 + (0.75 * 0.04) ** 2) ** 0.5
    assert found["map50"]["high"] - found["map50"]["value"] == pytest.approx(half, abs=1e-6)
    assert found["map50"]["on"] == "8 held out, in 2 folds"
    assert pooled_figures([]) == []


def test_what_cannot_be_joined(tmp_path):
    first = run(tmp_path / "a", fold=0, ids="a", value=0.6, half=0.03)
    again = run(tmp_path / "b", fold=0, ids="b", value=0.6, half=0.03)
    other = run(tmp_path / "c", fold=1, ids="c", value=0.6, half=0.03, task="outlines")
    with pytest.raises(UsageError, match="every run must have held another fold out, got 0, 0"):
        pooled_figures([first, again])
    with pytest.raises(UsageError, match="runs of one task, got joint-detector, outlines"):
        pooled_figures([first, other])
