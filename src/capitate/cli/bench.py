"""`capitate bench`: how fast this computer assesses films, runs networks, or trains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from capitate.cli import bench_options as options
from capitate.cli.options import DEFAULT_MODEL, ModelOption, QuietOption
from capitate.errors import UsageError

__all__ = ["bench"]

Value = TypeVar("Value")


def bench(
    *,
    names: options.Names = None,
    inference: options.Inference = False,
    training: options.Training = False,
    film: options.Film = None,
    runs: options.Runs = 20,
    seconds: options.Seconds = 5.0,
    model: ModelOption = DEFAULT_MODEL,
    out: options.Out = None,
    threads: options.Threads = None,
    runtimes: options.Runtimes = None,
    precisions: options.Precisions = None,
    batches: options.Batches = None,
    height: options.Height = 160,
    width: options.Width = 128,
    data: options.Data = None,
    changes: options.Changes = None,
    quiet: QuietOption = False,
) -> None:
    """Measure the speed of every step, of batches and of a cold start, and the memory of one assessment.

    With --inference, measure networks alone: in every runtime and precision, each figure in a process of its own. With
    --training, measure what a training run does with films, and say which part the others wait for.
    """
    networks = {"--runtime": runtimes, "--precision": precisions, "--batch": batches}
    learning = {"--data": data, "--set": changes}
    if inference and training:
        raise UsageError("--inference and --training are two measurements; give one of them")
    if inference:
        from capitate.cli.bench_inference import Choice, bench_inference

        _refuse({**learning, "--film": film}, "--inference")
        what = Choice(tuple(names or ()), tuple(runtimes or ()), tuple(precisions or ()))
        choice = replace(what, threads=tuple(threads or ()), batches=tuple(batches or ()), size=(height, width))
        bench_inference(replace(choice, runs=runs, seconds=seconds), out=out, quiet=quiet)
    elif training:
        from capitate.cli.bench_training import Call, bench_training

        _refuse(networks, "--training")
        config, count = _one_at_most(names, "configuration"), _one_at_most(threads, "number of threads")
        place = None if config is None else Path(config)
        call = Call(place, tuple(changes or ()), data=data, film=film, runs=runs, seconds=seconds)
        bench_training(call, threads=count or 1, out=out, quiet=quiet)
    else:
        from capitate.cli.bench_assessment import bench_assessment

        _refuse({**networks, **learning, "--threads": threads, "NAME": names}, "neither --inference nor --training")
        bench_assessment(film, runs=runs, model=model, out=out)


def _refuse(options_given: Mapping[str, object], measurement: str) -> None:
    """Refuse options that a measurement has no use for.

    Raises:
        UsageError: naming the first of them.
    """
    given = [name for name, value in options_given.items() if value]
    if given:
        raise UsageError(f"{given[0]} has no meaning with {measurement}; leave it out")


def _one_at_most(values: Sequence[Value] | None, what: str) -> Value | None:
    """Give the only value.

    Raises:
        UsageError: if there are several.
    """
    if values and len(values) > 1:
        raise UsageError(f"--training takes one {what}, got {', '.join(map(str, values))}")
    return values[0] if values else None
