"""`capitate data copies`: files that are turned, mirrored or darkened copies, brought together to films."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import QuietOption

if TYPE_CHECKING:
    from capitate.training.checks.copied_films import CopySearch

__all__ = ["Contradictory", "copies"]

_SHOWN = 5


class Contradictory(StrEnum):
    """What becomes of films whose copies are labelled differently."""

    LEAVE_OUT = "leave-out"
    UNLABELLED = "unlabelled"


def copies(
    *,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Manifest, published table, table of boxes by file, or folder.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for films.csv, copies.csv and copies.json."),
    ],
    films: Annotated[
        Path | None,
        typer.Option("--films", metavar="DIR", help="Folder or zip archive with the films, if not in a usual place."),
    ] = None,
    contradictory: Annotated[
        Contradictory,
        typer.Option("--contradictory", help="Films whose copies are labelled differently: left out, or unlabelled."),
    ] = Contradictory.LEAVE_OUT,
    only_groups: Annotated[
        bool, typer.Option("--only-groups", help="Compare films of one source, patient or examination alone.")
    ] = False,
    in_group: Annotated[
        float | None,
        typer.Option(
            "--in-group",
            min=0.15,
            max=1,
            metavar="LEAST",
            help="Correlation of copies in a group; 0.8, in a source 0.36.",
        ),
    ] = None,
    anywhere: Annotated[
        float | None,
        typer.Option("--anywhere", min=0.5, max=1, metavar="LEAST", help="Correlation of copies anywhere; 0.8."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Find turned, mirrored and darkened copies; write a table with one row a film and one with a row a file."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.cli.writing import make_folder, writing
    from capitate.training.checks.copied_films import CopyLimits, find_copies
    from capitate.training.data.copy_files import films_to_compare, write_copies

    files = films_to_compare(source, films=films)
    limits = CopyLimits(
        files.in_group if in_group is None else in_group,
        CopyLimits().anywhere if anywhere is None else anywhere,
        only_groups=only_groups,
    )
    make_folder(out)
    with counted(total=len(files.studies), quiet=quiet) as step:
        found = find_copies(files.studies, limits=limits, workers=workers, progress=step)
    with writing(out):
        kept = write_copies(found, out, keep_contradictory=contradictory is Contradictory.UNLABELLED)
    _tell(found, kept, contradictory)
    print(f"{kept} films: {out / 'films.csv'}; all files: {out / 'copies.csv'}")
    if found.refused:
        raise typer.Exit(REFUSED)


def _tell(found: CopySearch, kept: int, contradictory: Contradictory) -> None:
    """Say how many films there are, and what has to be looked at."""
    told = found.to_json()
    sizes = ", ".join(f"{count} of {size}" for size, count in told["films_by_number_of_files"].items())
    print(f"{told['files']} files are {told['films']} films ({sizes} files) of {told['groups']} groups")
    if told["contradictory"]:
        done = "left out" if contradictory is Contradictory.LEAVE_OUT else "kept without a reading"
        _named(
            f"{len(told['contradictory'])} films have copies with other labels and were {done}",
            [" = ".join(ids) for ids in told["contradictory"]],
        )
    if told["joined"]:
        lines = [f"{first} = {second} ({value:.2f})" for first, second, value in told["joined"]]
        _named(f"{len(lines)} pairs of copies join different groups", lines)
    if told["groups_in_two_splits"]:
        lines = [f"{name}: {', '.join(splits)}" for name, splits in told["groups_in_two_splits"].items()]
        _named(f"{len(lines)} groups stand in two splits; make the split again with `capitate data split`", lines)
    if told["near_misses"]:
        print(f"{len(told['near_misses'])} pairs lie just below a limit; look at near_misses in copies.json")
    _named(f"{len(found.refused)} files cannot be read", [f"{one.id}: {one.message}" for one in found.refused])


def _named(what: str, lines: list[str]) -> None:
    """Print a sentence with the first few of its cases, where there are any."""
    if lines:
        more = f"\n  ... {len(lines) - _SHOWN} more in copies.json" if len(lines) > _SHOWN else ""
        print(f"{what}:\n  " + "\n  ".join(lines[:_SHOWN]) + more)
