"""`capitate bench`: that it measures what it says; how fast a machine is, is not tested."""

from __future__ import annotations

import json

import pytest

from capitate.runtime.bundle import bundle_names


@pytest.mark.slow
def test_bench_prints_and_writes_every_figure(run, film, tmp_path):
    out = tmp_path / "speed.json"
    result = run("bench", "--film", film, "--runs", "1", "--out", out)
    assert result.code == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    for threads in ("1", "2"):
        steps = {one["name"]: one["median_ms"] for one in figures["warm"][threads]}
        assert set(steps) == {"read", "squash", "locate", "views", "network", "total"}
        assert all(taken > 0 for taken in steps.values())
        sizes = [one["name"] for one in figures["batches"][threads]]
        assert sizes == [f"batch of {size}" for size in (1, 2, 4, 8, 16, 32)]
        assert [one["name"] for one in figures["bundles"][threads]] == bundle_names()
    assert figures["cold_start"]["median_ms"] > 0
    assert figures["peak_memory_bytes"] > 10_000_000
    assert "peak memory of assess" in result.out


def test_bench_of_an_unreadable_film_measures_nothing(run, tmp_path):
    result = run("bench", "--film", tmp_path / "none.png")
    assert result.code == 1
    assert result.out == ""
