"""What a process of the inference-speed tool does: laps, batches, answers, and what it says when it has none."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime import laps, memory
from capitate.runtime.precision import InferencePrecision


class Doubling:
    """A network that doubles."""

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor

    def run(self, inputs):
        return [np.asarray(inputs["x"] * self.factor, dtype=np.float32)]


@pytest.fixture
def task(tmp_path):
    films = tmp_path / "films.npz"
    np.savez(films, x=np.arange(6, dtype=np.float32).reshape(3, 2))
    place = tmp_path / "task.json"
    laps.Task(
        networks=("a", "b"),
        precision=InferencePrecision.FP32,
        threads=1,
        batch=5,
        runs=4,
        seconds=60,
        inputs=str(films),
        result=str(tmp_path / "result.json"),
        answers=str(tmp_path / "answers.npz"),
    ).save(place)
    return place


def result_of(task):
    return json.loads((task.parent / "result.json").read_text(encoding="utf-8"))


def test_a_task_comes_back_as_it_was_saved(task):
    found = laps.Task.load(task)
    assert found.networks == ("a", "b")
    assert found.precision is InferencePrecision.FP32
    assert (found.batch, found.runs, found.seconds) == (5, 4, 60)


def test_a_task_is_measured_and_answers_are_the_mean_over_networks(task):
    factors = iter((2.0, 4.0))
    assert laps.perform(task, lambda: lambda _task, _path: Doubling(next(factors))) == 0
    found = result_of(task)
    assert len(found["laps_ms"]) == len(found["cpu_ms"]) == 4
    assert all(found[f"{name}_ms"] >= 0 for name in ("import", "load", "first"))
    assert found["peak_memory_bytes"] >= found["import_memory_bytes"] > 1_000_000
    with np.load(task.parent / "answers.npz") as kept:
        np.testing.assert_array_equal(kept["answers"], 3 * np.arange(6).reshape(3, 2))


@pytest.mark.parametrize(("error", "state"), [(UsageError("no such unit"), "impossible"), (OSError("gone"), "failed")])
def test_what_cannot_be_is_told_apart_from_what_went_wrong(task, error, state):
    def library():
        raise error

    assert laps.perform(task, library) == 1
    found = result_of(task)
    assert set(found) == {state}
    assert str(error) in found[state]


def test_laps_end_with_the_time_but_never_before_three(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(laps.time, "perf_counter", lambda: float(next(clock)))
    assert len(laps.timed_laps(lambda: None, runs=50, seconds=1e-9)) == laps.LEAST_RUNS
    assert len(laps.timed_laps(lambda: None, runs=2, seconds=1e9)) == 2
    assert [one.wall_ms for one in laps.timed_laps(lambda: None, runs=5, seconds=1e9)] == [1000.0] * 5


def test_waiting_and_computing_are_told_apart(monkeypatch):
    wall, busy = itertools.count(), itertools.count(0, 0.25)
    monkeypatch.setattr(laps.time, "perf_counter", lambda: float(next(wall)))
    monkeypatch.setattr(laps.time, "process_time", lambda: next(busy))
    assert laps.timed_laps(lambda: None, runs=2, seconds=1e9) == [laps.Lap(1000.0, 250.0)] * 2


def test_a_batch_of_any_size_repeats_the_films():
    made = laps.repeated({"x": np.arange(3)}, 7)
    assert made["x"].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_memory_grows_with_what_is_held():
    before = memory.peak_memory()
    if before is None:
        pytest.skip("this system does not tell")
    held = np.ones(40_000_000, dtype=np.uint8)
    present = memory.present_memory()
    assert memory.peak_memory() >= present >= held.nbytes
