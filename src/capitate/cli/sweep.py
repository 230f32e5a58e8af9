"""`capitate sweep`: many experiments from one file, and the table that compares them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import QuietOption
from capitate.cli.training import log_progress

__all__ = ["sweep"]


def sweep(
    *,
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="TOML file with a grid, runs or a search, see docs/sweeps.md.")
    ],
    source: Annotated[Path, typer.Option("--data", metavar="STORE", help="Views of `data prepare`, for every run.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", file_okay=False, help="Folder of the sweep; resumed if begun.")
    ],
    fold: Annotated[
        int | None, typer.Option("--fold", min=0, metavar="K", help="Hold this fold out in every run.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Change a value in every run; several times."),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, metavar="N", help="Threads of training.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Train experiments one after another and compare them; the same command again goes on where it stopped.

    Exit code 1 says that at least one run failed; the others are in the table, and the next call tries it again.
    """
    log_progress(quiet=quiet)
    with training_parts("A sweep"):
        from capitate.training.sweeping import State, load_sweep, run_sweep, to_markdown
        from capitate.training.threads import use_threads

        logging.getLogger("optuna").setLevel(logging.WARNING)
        plan = load_sweep(config, overrides=changes or (), fold=fold)
        use_threads(threads)
        outcomes = run_sweep(plan, source, out)
    print(to_markdown(outcomes, error=str(plan.config.error)), end="")
    failed = [one.name for one in outcomes if one.state is State.FAILED]
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} runs finished. Written to {out}")
    if failed:
        print(f"Failed: {', '.join(failed)}; see failure.txt in the folder of each under {out / 'runs'}")
        raise typer.Exit(1)
