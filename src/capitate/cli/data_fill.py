"""`capitate data fill`: films of which parts alone are sharp, made whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import QuietOption

__all__ = ["fill"]


def fill(
    *,
    parts: Annotated[Path, typer.Argument(metavar="PARTS", help="Folder of films that are black outside their masks.")],
    masks: Annotated[Path, typer.Option("--masks", metavar="DIR", help="Masks of the same names; 0: cut away.")],
    whole: Annotated[
        list[Path],
        typer.Option("--whole", metavar="DIR", help="Folder of the same films whole; several, best first."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="New folder for the films.")],
    quiet: QuietOption = False,
) -> None:
    """Fill what was cut away from films with the same films at a lower resolution, for outlines."""
    from capitate.cli.output import counted

    with training_parts("Filling films for training"):
        from capitate.training.data.filled import fill_films
        from capitate.training.data.film_finder import films_under

        with counted(total=len(films_under(parts)), quiet=quiet) as step:
            written, refused = fill_films(parts, masks, whole, out, progress=step)
    print(f"{len(written)} films written to {out}; {len(refused)} left out")
    for one in list(refused.values())[:5]:
        print(f"  {one.id}: {one.message}")
