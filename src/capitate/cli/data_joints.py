"""`capitate data joints`: joints cut from whole films, for a grader to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import QuietOption

__all__ = ["joints"]


def joints(
    *,
    table: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Manifest CSV, a published table, or its folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="CROPS", file_okay=False, help="New folder for the crops.")],
    detector: Annotated[
        str, typer.Option("--detector", metavar="NAME", help="Bundle that finds the joints.")
    ] = "joint-detector",
    margin: Annotated[
        float, typer.Option("--margin", min=0, max=2, help="Shown around a joint, as a share of its longer side.")
    ] = 0.25,
    aspect: Annotated[
        float, typer.Option("--aspect", min=0, max=4, help="Width over height of films stored squashed; 0: their own.")
    ] = 0.0,
    films: Annotated[
        Path | None,
        typer.Option("--films", metavar="DIR", help="The same films in better pixels; joints are cut from these."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR", help="Masks of --films; outside them nothing is known of the film."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Find, name and cut the 13 joints of every film, with sex and bone age in crops.csv."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted

    with training_parts("Cutting joints for training"):
        from capitate.training.joint_grades.cutting import Cutting, cut_joints
        from capitate.training.layouts import read_any

        studies = read_any(table)
        cutting = Cutting(detector, margin=margin, aspect=aspect, films=films, masks=masks)
        with counted(total=len(studies), quiet=quiet) as step:
            crops, refused = cut_joints(studies, out, cutting=cutting, workers=workers, progress=step)
    hands = len({crop.hand for crop in crops})
    print(f"{len(crops)} joints of {hands} films written to {out}; {len(refused)} films without")
    for one in list(refused.values())[:5]:
        print(f"  {one.id}: {one.message}")
    if refused:
        raise typer.Exit(REFUSED)
