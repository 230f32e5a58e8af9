"""`capitate bench`: that it measures what it says; how fast a machine is, is not tested."""

from __future__ import annotations

import json
from pathlib import Path

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
        joints = [one["name"] for one in figures["joints"][threads]]
        assert joints == ["joints", "outlines", "grades", "total with joints"]
        timed = {name for name in bundle_names() if name == "hand-locator" or name.startswith("bone-age")}
        assert {one["name"] for one in figures["bundles"][threads]} == timed
    assert figures["cold_start"]["median_ms"] > 0
    assert figures["peak_memory_bytes"] > 10_000_000
    assert "peak memory of assess" in result.out


def test_bench_of_an_unreadable_film_measures_nothing(run, tmp_path):
    result = run("bench", "--film", tmp_path / "none.png")
    assert result.code == 1
    assert result.out == ""


TINY = (
    *("--set", "network.widths=[8, 8, 16, 16]", "--set", "network.depths=[1, 1, 1, 1]", "--set", "network.hidden=16"),
    *("--set", "optimiser.stages=[[1, 64, 48]]", "--set", "optimiser.batch=4"),
)


def test_training_is_measured_part_by_part(run, film, tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "training.json"
    result = run("bench", "--training", *TINY, "--film", film, "--runs", "1", "--seconds", "0.01", "--out", out, "-q")
    assert result.code == 0
    for part in (
        "decode a film's file",
        "prepare its view",
        "load views",
        "augment",
        "step",
        "run, feeder beside step",
    ):
        assert f"\n{part}" in result.out
    assert "bottleneck of a run: " in result.out
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["bottleneck"] in {"step", "load", "augment"}
    assert figures["batch"] == 4
    assert figures["drawn"] is True
    assert figures["share_of_products"] > 0


@pytest.mark.slow
def test_networks_are_measured_and_written(run, tmp_path):
    pytest.importorskip("torch")
    words = ("--runtime", "onnxruntime", "--threads", "1", "--batch", "2", "--runs", "1")
    result = run("bench", "--inference", "hand-locator", *words, "--out", tmp_path / "speed", "-q")
    assert result.code == 0
    assert "hand-locator            onnxruntime fp32" in result.out
    assert "onnxruntime bf16 (threads 1; batches 2): impossible, onnxruntime has no bfloat16 convolution" in result.out
    written = {path.name for path in (tmp_path / "speed").iterdir()}
    plots = {"latency.svg", "throughput.svg", "size.svg", "batching.svg"}
    assert written == {"speed.csv", "speed.json", "speed.md", *plots}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--inference", "--training"), "give one of them"),
        (("bone-age",), "NAME has no meaning"),
        (("--inference", "--set", "seed=1"), "--set has no meaning with --inference"),
        (("--training", "--batch", "4"), "--batch has no meaning with --training"),
        (("--training", "a.toml", "b.toml"), "takes one configuration, got a.toml, b.toml"),
        (("--threads", "2"), "--threads has no meaning"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, words, message):
    result = run("bench", *words)
    assert result.code == 2
    assert message in result.err


def test_every_part_of_training_is_explained():
    from capitate.cli.bench_training import PART_NAMES

    page = (Path(__file__).resolve().parents[2] / "docs" / "speed.md").read_text(encoding="utf-8")
    assert [name for name in PART_NAMES.values() if f"| {name} |" not in page] == []
