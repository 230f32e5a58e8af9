"""Measuring every part of training for one experiment, one after the other, then all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from capitate import files
from capitate.radiograph import Radiograph
from capitate.runtime.locator import HandLocator
from capitate.runtime.view_mask import view_mask
from capitate.runtime.views import ViewRule
from capitate.training.config import BoneAgeConfig
from capitate.training.devices import deterministic
from capitate.training.opened_store import open_source
from capitate.training.pace.clock import paced
from capitate.training.pace.drawn import draw_films, draw_store
from capitate.training.pace.experiment import Bench, alone
from capitate.training.pace.products import SIDES, product_rate
from capitate.training.pace.report import Pace, TrainingPace
from capitate.training.prepare import cut_view
from capitate.training.view_store import ViewSource

__all__ = ["PARTS", "Wanted", "measure_training"]

PARTS = ("films", "decode", "prepare", "load", "augment", "feed", "step", "run", "run_held", "products")
"""What is done, in this order."""
_STEPS = 4
"""Steps of an epoch over a drawn store."""
_AHEAD = 2
"""Batches prepared beside the step where the experiment prepares each when it is needed."""
Progress = Callable[[str], None]
Timed = Callable[..., Pace]


@dataclass(frozen=True)
class Wanted:
    """What to measure on, and for how long.

    Attributes:
        data: store or table of films as `capitate train` takes it; a drawn store if None.
        films: files to decode; drawn PNG files if empty.
        runs: most calls of a part.
        seconds: after which a part is not called again, once it was three times.
    """

    data: Path | None = None
    films: tuple[Path, ...] = ()
    runs: int = 20
    seconds: float = 10.0


def measure_training(config: BoneAgeConfig, wanted: Wanted, *, progress: Progress | None = None) -> TrainingPace:
    """Measure an experiment on its own device, in its last and largest stage.

    Args:
        config: the experiment.
        wanted: see `Wanted`.
        progress: called with the name of each of `PARTS` once it is done.

    Raises:
        UsageError: if the device or the data are not there.
        FilmError: if a film to decode cannot be read.
    """
    told = progress or (lambda _name: None)
    single = alone(config, ahead=config.devices.ahead or _AHEAD)
    with TemporaryDirectory(prefix="capitate-pace-") as place, deterministic(wanted=config.devices.deterministic):
        paths = wanted.films or tuple(draw_films(Path(place)))
        with _opened(single, wanted, paths, Path(place)) as source:
            told("films")
            bench = Bench(source, single, np.arange(len(source.ids)))
            paces = dict(_parts(bench, wanted, paths, told))
            precision = single.devices.precision
            rate = product_rate(bench.device, precision, runs=wanted.runs, seconds=wanted.seconds)
            told("products")
            return TrainingPace(
                experiment=config.name,
                backbone=config.network.backbone,
                device=_name(bench.device),
                precision=str(precision),
                height=bench.size[0],
                width=bench.size[1],
                batch=single.optimiser.batch,
                shown=bench.shown,
                ahead=single.devices.ahead,
                threads=torch.get_num_threads(),
                drawn=wanted.data is None,
                paces=paces,
                parameters=bench.parameters,
                multiply_adds=bench.multiply_adds(),
                product_rate=rate,
                product_side=SIDES[bench.device.type],
            )


@contextmanager
def _opened(config: BoneAgeConfig, wanted: Wanted, paths: Sequence[Path], place: Path) -> Iterator[ViewSource]:
    """Open the data that were given, or draw a store."""
    if wanted.data is not None:
        source: ViewSource = open_source(wanted.data, config.reading)
    else:
        last = config.optimiser.stages[-1]
        films = config.optimiser.batch * _STEPS
        source = draw_store(paths, place / "store", films=films, size=(last.height, last.width))
    try:
        yield source
    finally:
        source.close()


def _parts(bench: Bench, wanted: Wanted, paths: Sequence[Path], told: Progress) -> Iterator[tuple[str, Pace]]:
    """Measure the parts one after the other."""
    timed = partial(paced, runs=wanted.runs, seconds=wanted.seconds)
    makers: dict[str, Callable[[], Pace]] = {
        "decode": lambda: _decode(paths, timed),
        "prepare": lambda: _prepare(bench, paths, timed),
        "load": lambda: _load(bench, timed),
        "augment": lambda: _augment(bench, timed),
        "feed": lambda: _feed(bench, timed),
        "step": lambda: _step(bench, timed),
        "run": lambda: bench.run("run", bench.source, runs=wanted.runs, seconds=wanted.seconds),
        "run_held": lambda: bench.run("run_held", bench.held(steps=_STEPS), runs=wanted.runs, seconds=wanted.seconds),
    }
    for name, make in makers.items():
        yield name, make()
        told(name)


_CPU = torch.device("cpu")


def _decode(paths: Sequence[Path], timed: Timed) -> Pace:
    """Read files, one after the other, in one process."""
    turns = cycle(paths)
    return timed("decode", lambda: files.read(next(turns)), films=1, device=_CPU)


def _prepare(bench: Bench, paths: Sequence[Path], timed: Timed) -> Pace:
    """Find the hand on films that are read, cut the view and its mask, in one process."""
    turns = cycle([files.read(path) for path in paths[:4]])
    reading = bench.config.reading
    rule = ViewRule(*bench.size, source=reading.source, proportions=reading.proportions)
    locator = HandLocator(threads=1)

    def cut(film: Radiograph) -> None:
        view_mask(cut_view(film, locator=locator, rule=rule))

    return timed("prepare", lambda: cut(next(turns)), films=1, device=_CPU)


def _load(bench: Bench, timed: Timed) -> Pace:
    """Read a step's views from where they lie, at the size of the stage."""
    size = bench.config.optimiser.batch
    order = np.random.default_rng(0).permutation(bench.rows)
    shares = cycle(np.array_split(order, max(1, order.size // size)))

    def read() -> None:
        rows = bench.source.usable(next(shares))
        bench.source.batch(rows, size=bench.size)

    return timed("load", read, films=min(size, order.size), device=_CPU)


def _augment(bench: Bench, timed: Timed) -> Pace:
    """Augment a step's views that are on the device already."""
    held = bench.held()
    batches = bench.fed(held, np.arange(len(held.ids)))
    return timed("augment", lambda: next(batches), films=len(held.ids), device=bench.device)


def _feed(bench: Bench, timed: Timed) -> Pace:
    """Load and augment a step's views, as the feeder does."""
    batches = bench.fed(bench.source, bench.rows)
    films = bench.rows.size // max(1, round(bench.rows.size / bench.config.optimiser.batch))
    return timed("feed", lambda: next(batches), films=films, device=bench.device)


def _step(bench: Bench, timed: Timed) -> Pace:
    """Learn from a batch that is on the device already."""
    held = bench.held()
    batch = next(bench.fed(held, np.arange(len(held.ids)))).to(bench.device)
    return timed("step", lambda: bench.take(batch), films=len(batch) // bench.shown, device=bench.device)


def _name(device: torch.device) -> str:
    """Name a GPU by its maker's name, and the processor as the speed of assessment names it."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    from capitate.evaluation.speed import machine

    return str(machine()["processor"])
