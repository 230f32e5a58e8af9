"""`capitate bench --training`: films a second of every part of training, and which part the others wait for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capitate.cli.extras import training_parts
from capitate.cli.writing import writing

if TYPE_CHECKING:
    from capitate.training.pace import TrainingPace

__all__ = ["PART_NAMES", "Call", "bench_training"]

PART_NAMES = {
    "decode": "decode a film's file",
    "prepare": "prepare its view",
    "load": "load views",
    "augment": "augment",
    "feed": "load and augment",
    "step": "step",
    "run": "run, feeder beside step",
    "run_held": "run, views on the device",
}
"""What each pace of `capitate.training.pace` is called on the screen."""
_WAITS = {
    "step": "the step; the feeder keeps up with it",
    "load": "loading views; the step would take more",
    "augment": "augmentation; the step would take more",
}


@dataclass(frozen=True)
class Call:
    """What is to be measured.

    Attributes:
        config: TOML file of an experiment, the defaults if None.
        changes: of the configuration.
        data: store or table of films; a drawn store if None.
        film: file or folder to decode; drawn films if None.
        runs: most calls of a part.
        seconds: after which a part is not called again.
    """

    config: Path | None
    changes: tuple[str, ...]
    data: Path | None
    film: Path | None
    runs: int
    seconds: float


def bench_training(call: Call, *, threads: int, out: Path | None, quiet: bool) -> None:
    """Measure, print, and write the figures if asked for.

    Args:
        call: what to measure.
        threads: of torch.
        out: JSON file.
        quiet: whether no progress is shown.

    Raises:
        UsageError: naming what does not fit.
        MissingExtraError: if training's libraries are not installed.
    """
    from capitate import files
    from capitate.cli.output import counted

    with training_parts("Measuring training"):
        from capitate.training.config import load_config
        from capitate.training.pace import PARTS, Wanted, measure_training
        from capitate.training.threads import use_threads

        experiment = load_config(call.config, overrides=call.changes)
        use_threads(threads)
        films = tuple(files.find(call.film)) if call.film is not None else ()
        wanted = Wanted(data=call.data, films=films, runs=call.runs, seconds=call.seconds)
        with counted(total=len(PARTS), quiet=quiet) as step:
            found = measure_training(experiment, wanted, progress=lambda _name: step())
    _print(found)
    if out is not None:
        with writing(out):
            out.write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")


def _print(found: TrainingPace) -> None:
    """Print the figures as a table, and what follows from them."""
    from capitate.training.pace import verdict

    where = f"{found.device}, {found.precision}, {found.threads} thread{'s' if found.threads > 1 else ''}"
    what = f"{found.backbone}, views of {found.height} x {found.width}, batch {found.batch}"
    data = "drawn films and store" if found.drawn else "the data given"
    print(f"{found.experiment}: {what}\n{where}; {data}; {found.ahead} batches ahead\n")
    print(f"{'part':26}{'films a second':>16}")
    for name, told in PART_NAMES.items():
        print(f"{told:26}{found.paces[name].films_a_second:16.4g}")
    follows = verdict(found)
    print(f"\nbottleneck of a run: {_WAITS[follows['bottleneck']]}")
    print(
        f"feeder {follows['feed_over_step']:.3g} times as fast as the step; a run keeps "
        f"{follows['run_over_step']:.0%} of the step's pace"
    )
    print(f"reading films while training would take {follows['readers']} processes")
    side = found.product_side
    print(
        f"step {found.step_rate / 1e9:.4g} GFLOP/s: {found.share_of_products:.1%} of the "
        f"{found.product_rate / 1e9:.4g} of a product of {side} x {side} matrices"
    )
