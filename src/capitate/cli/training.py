"""`capitate train`, `predict` and `calibrate`: from prepared films to runs and intervals."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import ChangesOption, QuietOption
from capitate.errors import UsageError

__all__ = ["calibrate", "log_progress", "predict", "train"]

_Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders of `capitate train`.")]
_Workers = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")]
_Teacher = Annotated[
    list[Path] | None,
    typer.Option("--teacher", metavar="RUN", help="Learn from this run's answers too; may be given several times."),
]
_TeacherData = Annotated[
    Path | None,
    typer.Option("--teacher-data", metavar="STORE", help="Views of the teachers, if theirs are of another size."),
]
_Start = Annotated[
    Path | None,
    typer.Option("--start", metavar="RUN", help="Begin with the weights of this run, or of a released bundle by name."),
]
_Devices = Annotated[
    int | None,
    typer.Option("--devices", min=1, metavar="N", help="Processes that torchrun started; devices.count if left out."),
]
_Accelerator = Annotated[
    str | None,
    typer.Option("--accelerator", metavar="KIND", help="cpu or cuda; devices.accelerator if left out."),
]
_Resume = Annotated[
    bool, typer.Option("--resume", help="Insist on a run that was begun; without it a new one may begin.")
]
_Threads = Annotated[int, typer.Option("--threads", min=1, metavar="N", help="Threads of the network.")]


def train(
    *,
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of an experiment, see configs/.")],
    source: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="STORE",
            help="Views of `data prepare`, or a table of films to read while training; other tasks: docs/tasks.md.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", file_okay=False, help="Run folder; resumed if begun.")],
    fold: Annotated[
        int | None, typer.Option("--fold", min=0, metavar="K", help="Hold this fold out and predict it afterwards.")
    ] = None,
    teacher: _Teacher = None,
    teacher_data: _TeacherData = None,
    start: _Start = None,
    changes: ChangesOption = None,
    devices: _Devices = None,
    accelerator: _Accelerator = None,
    resume: _Resume = False,
    threads: _Threads = 1,
    workers: _Workers = 1,
    quiet: QuietOption = False,
) -> None:
    """Train one network from one TOML file; the same command again goes on where it stopped."""
    log_progress(quiet=quiet or _is_helper())
    with training_parts("Training"):
        from capitate.training.config import load_experiment
        from capitate.training.running import RunOptions, run_experiment
        from capitate.training.threads import use_threads

        experiment = load_experiment(config, overrides=[*(changes or ()), *_device_changes(accelerator, devices)])
        use_threads(threads)
        options = RunOptions(
            fold=fold,
            start=start,
            teachers=tuple(teacher or ()),
            teacher_data=teacher_data,
            resume=resume,
            workers=workers,
        )
        figures = run_experiment(experiment, source, out, options)
    if not _is_helper():
        print(json.dumps(figures, indent=1))
        print(f"Written to {out}")


def _device_changes(accelerator: str | None, devices: int | None) -> list[str]:
    """Write the devices of the command line as changes of the configuration."""
    kind = [] if accelerator is None else [f"devices.accelerator={accelerator}"]
    return [*kind, *([] if devices is None else [f"devices.count={devices}"])]


def _is_helper() -> bool:
    """Say whether torchrun started this process beside one that tells what happens."""
    return os.environ.get("RANK", "0") != "0"


def predict(
    *,
    runs: _Runs,
    source: Annotated[Path, typer.Option("--data", metavar="STORE", help="Views of `data prepare`.")],
    out: Annotated[Path, typer.Option("--out", metavar="OOF.npz", dir_okay=False, help="For `calibrate`.")],
    changes: ChangesOption = None,
    threads: _Threads = 1,
) -> None:
    """Predict the held-out films of finished runs anew: by other test views, or on views cut anew."""
    with training_parts("Predicting held-out films"):
        from capitate.training.held_out import answer_again, errors_of
        from capitate.training.opened_store import open_store
        from capitate.training.out_of_fold import OutOfFold
        from capitate.training.threads import use_threads

        use_threads(threads)
        store = open_store(source)
        parts = [answer_again(run, store, changes=changes or ()) for run in runs]
        films = OutOfFold.beside(parts)
        films.save(out)
    print(json.dumps(errors_of(films), indent=1))


def calibrate(
    *,
    films: Annotated[
        list[Path],
        typer.Argument(metavar="OOF.npz...", help="Out-of-fold predictions, or the run folders that hold them."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="JSON", dir_okay=False, help="Keep the report for `export`.")
    ] = None,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.99, help="Nominal coverage.")] = 0.9,
) -> None:
    """Calibrate the interval on some folds, measure it on the others, and print the tables in Markdown.

    Several runs that held out the same films are averaged by film id, and how far they scatter is measured.
    """
    from capitate.training.calibrate import calibrate as fit
    from capitate.training.calibration_text import to_markdown
    from capitate.training.ensemble import load_joined
    from capitate.training.runs import OUT_OF_FOLD

    joined = load_joined([path / OUT_OF_FOLD if path.is_dir() else path for path in films])
    report = fit(joined.films, level=level)
    if out is not None:
        values = {"of": [path.name for path in films], **report.to_json(), **joined.to_json()}
        _write(out, json.dumps(values, indent=1) + "\n")
    print(to_markdown(report, disagreement=joined.disagreement()), end="")


def log_progress(*, quiet: bool) -> None:
    """Show what training logs on standard error."""
    if quiet:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("capitate.training")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another --out") from error
