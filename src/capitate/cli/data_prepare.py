"""`capitate data prepare`: films cut to views once, for every epoch to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import QuietOption

__all__ = ["prepare"]


def prepare(
    *,
    table: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Manifest CSV, a published table, or its folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="STORE", file_okay=False, help="Folder for the views.")],
    height: Annotated[int, typer.Option("--height", min=16, metavar="ROWS", help="Rows of a view.")] = 160,
    width: Annotated[int, typer.Option("--width", min=16, metavar="COLUMNS", help="Columns of a view.")] = 128,
    source: Annotated[
        int | None,
        typer.Option(
            "--source",
            min=64,
            metavar="PIXELS",
            help="Side of the square film that views are cut from; 299 if left out.",
        ),
    ] = None,
    proportions: Annotated[
        bool,
        typer.Option("--proportions", help="Keep the film's proportions; its long side has --source pixels at most."),
    ] = False,
    locator: Annotated[
        str, typer.Option("--locator", metavar="NAME", help="Bundle that finds the hand.")
    ] = "hand-locator",
    whole_film: Annotated[
        bool, typer.Option("--whole-film", help="Squash the whole film instead of cutting the hand (to compare).")
    ] = False,
    folds_from_table: Annotated[
        bool, typer.Option("--folds-from-table", help="Keep the folds of the column split; by id if left out.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Cut films to views exactly as assessment does, and keep them with sex, age and id."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted

    with training_parts("Preparing films for training"):
        from capitate.runtime.views import SQUASH_SIZE, ViewRule
        from capitate.training.layouts import read_any
        from capitate.training.prepare import prepare_views

        margins = (0.0, 0.0, 0.0, 0.0) if whole_film else ViewRule().margins
        side = SQUASH_SIZE if source is None else source
        rule = ViewRule(height=height, width=width, margins=margins, source=side, proportions=proportions)
        studies = read_any(table)
        with counted(total=len(studies), quiet=quiet) as step:
            refused = prepare_views(
                studies,
                out,
                rule=rule,
                locator=locator,
                whole_film=whole_film,
                folds_from_table=folds_from_table,
                workers=workers,
                progress=lambda _done, _all: step(),
            )
    print(f"views of {height} x {width} written to {out}; {len(refused)} films refused")
    if refused:
        raise typer.Exit(REFUSED)
