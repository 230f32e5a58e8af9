"""How fast training is: the arithmetic of what is reported, and that the parts measured are those of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from PIL import Image  # noqa: E402

from capitate.errors import UsageError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.training.config import BoneAgeConfig, load_config  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.pace import PARTS, Pace, TrainingPace, Wanted, measure_training, verdict  # noqa: E402
from capitate.training.pace.clock import paced  # noqa: E402
from capitate.training.pace.experiment import Bench, alone  # noqa: E402
from capitate.training.pace.held_views import HeldViews  # noqa: E402
from capitate.training.pace.products import product_rate  # noqa: E402
from capitate.training.pace.report import joined  # noqa: E402
from capitate.training.settings.devices import Accelerator, DevicesConfig, Precision  # noqa: E402
from capitate.training.sweeping.costs import multiply_adds  # noqa: E402
from capitate.types import Sex  # noqa: E402

CPU = torch.device("cpu")
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MEASURED = ("decode", "prepare", "load", "augment", "feed", "step", "run", "run_held")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def drawn_film(tmp_path):
    place = tmp_path / "film.png"
    pixels = draw(age_months=100, sex=Sex.FEMALE, height=320, seed=1).radiograph.pixels
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(place)
    return place


def found(**paces: float) -> TrainingPace:
    """Figures with some paces set and the others 100 films a second."""
    each = {name: Pace(name, paces.get(name, 100.0), 8, 3) for name in MEASURED}
    return TrainingPace(
        experiment="e",
        backbone="resnet",
        device="d",
        precision="bf16",
        height=64,
        width=48,
        batch=8,
        shown=2,
        ahead=2,
        threads=1,
        drawn=True,
        paces=each,
        parameters=1,
        multiply_adds=1_000_000,
        product_rate=4.8e9,
        product_side=8,
    )


def test_a_share_of_the_product_rate_counts_three_passes_of_two_operations():
    shown_twice = found(step=100.0)
    assert shown_twice.step_rate == pytest.approx(1e6 * 3 * 2 * 200)
    assert shown_twice.share_of_products == pytest.approx(0.25)
    assert shown_twice.to_json()["share_of_products"] == pytest.approx(0.25)


def test_parts_after_each_other_add_their_times():
    assert joined(30.0, 60.0) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("paces", "bottleneck"),
    [
        ({"step": 50.0, "feed": 50.0}, "step"),
        ({"step": 200.0, "feed": 90.0, "load": 1000.0, "augment": 99.0}, "augment"),
        ({"step": 200.0, "feed": 90.0, "load": 99.0, "augment": 1000.0}, "load"),
    ],
)
def test_the_bottleneck_is_what_the_others_wait_for(paces, bottleneck):
    assert verdict(found(**paces))["bottleneck"] == bottleneck


def test_a_verdict_in_closed_form():
    told = verdict(found(step=50.0, feed=200.0, run=40.0, decode=30.0, prepare=60.0))
    assert told["feed_over_step"] == pytest.approx(4.0)
    assert told["run_over_step"] == pytest.approx(0.8)
    assert told["readers"] == 3  # 50 films a second, 20 for each process


def test_a_pace_is_films_over_the_median_time(monkeypatch):
    from capitate.runtime import laps

    times = iter([0.0] * 4 + [0.0, 1.0, 1.0, 3.0, 3.0, 13.0])  # laps of 1, 2 and 10 seconds
    monkeypatch.setattr(laps.time, "perf_counter", lambda: next(times))
    pace = paced("part", lambda: None, films=8, device=CPU, runs=3, seconds=1e9)
    assert pace == Pace("part", 4.0, 8, 3)


def test_a_product_has_a_rate():
    assert product_rate(CPU, Precision.BF16, runs=2, seconds=0.1, side=32) > 1e5


def test_held_views_are_those_of_the_source(store):
    rows = np.array([7, 3, 20])
    held = HeldViews(store, rows, size=(32, 24), device=CPU)
    ours, theirs = held.batch(np.array([2, 0])), store.batch(rows[[2, 0]], size=(32, 24))
    assert all(torch.equal(first, second) for first, second in zip(ours, theirs, strict=True))
    assert held.ids.tolist() == store.ids[rows].tolist()


def test_one_device_takes_its_share_of_the_batch(tiny):
    several = replace(tiny, devices=DevicesConfig(count=4, ahead=0))
    single = alone(several, ahead=2)
    assert (single.optimiser.batch, single.devices.count, single.devices.ahead) == (2, 1, 2)
    with pytest.raises(UsageError, match="no film for each of 16"):
        alone(replace(tiny, devices=DevicesConfig(count=16)))


def test_what_is_measured_learns_as_a_run_does(store, tiny):
    """The step moves every weight and the schedule, also those that a run would freeze at first."""
    frozen = replace(tiny, freezing=replace(tiny.freezing, epochs=1))
    bench = Bench(store, alone(frozen), np.arange(len(store.ids)))
    before = {name: value.clone() for name, value in bench.state.network.named_parameters()}
    batch = next(bench.fed(store, bench.rows))
    assert len(batch) == 8
    assert tuple(batch.views.shape[2:]) == (64, 48)  # of the last stage
    bench.take(batch)
    assert bench.state.step == 1
    assert all(
        (value != before[name]).any() for name, value in bench.state.network.named_parameters() if value.ndim > 1
    )


def test_a_run_takes_its_batches_from_the_feeder_in_the_background(store, tiny, monkeypatch):
    bench = Bench(store, alone(tiny, ahead=2), np.arange(len(store.ids)))
    took = []
    monkeypatch.setattr(bench, "take", lambda batch: took.append(len(batch)))
    pace = bench.run("run", store, runs=4, seconds=60)
    assert took == [8] * 7  # three that are not counted
    assert (pace.films, pace.calls) == (8, 4)


def test_films_shown_twice_count_once(store, tiny):
    paired = replace(tiny, optimiser=replace(tiny.optimiser, consistency=1.0))
    bench = Bench(store, alone(paired), np.arange(len(store.ids)))
    assert bench.shown == 2
    assert len(next(bench.fed(store, bench.rows))) == 16
    assert bench.run("run", store, runs=1, seconds=0.01).films == 8


@pytest.mark.parametrize("given", [True, False])
def test_every_part_is_measured(given, saved, tiny, drawn_film):
    told: list[str] = []
    wanted = Wanted(data=saved if given else None, films=(drawn_film,), runs=1, seconds=0.01)
    pace = measure_training(tiny, wanted, progress=told.append)
    assert tuple(told) == PARTS
    assert tuple(pace.paces) == MEASURED
    assert all(one.films_a_second > 0 for one in pace.paces.values())
    assert pace.drawn is not given
    assert (pace.height, pace.width, pace.batch, pace.ahead) == (64, 48, 8, 2)
    assert pace.product_rate > 0
    assert pace.multiply_adds == multiply_adds(BoneAgeNetwork(tiny.network), size=(64, 48))


def test_a_device_that_is_not_there_is_refused(tiny, saved, drawn_film):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    gpu = replace(tiny, devices=DevicesConfig(accelerator=Accelerator.CUDA))
    with pytest.raises(UsageError, match="finds 0 GPUs"):
        measure_training(gpu, Wanted(data=saved, films=(drawn_film,)))


def test_the_defaults_are_the_released_recipe_at_its_full_size():
    ours, released = BoneAgeConfig(), load_config(CONFIGS / "bone-age-299px.toml")
    last = [(one.optimiser.stages[-1].height, one.optimiser.stages[-1].width) for one in (ours, released)]
    assert last[0] == last[1]
    for part in ("network", "augment", "devices"):
        assert getattr(ours, part) == getattr(released, part)
    assert ours.optimiser == replace(released.optimiser, stages=ours.optimiser.stages)
