"""Options of `capitate rescore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.options import Form
from capitate.types import Sex

__all__ = [
    "ByOption",
    "ClearOption",
    "CorrectedOnlyOption",
    "CropsOption",
    "FilmOption",
    "FilmsOption",
    "KnownSexOption",
    "MarginOption",
    "OutFileOption",
    "RescoredFormOption",
    "SetOption",
    "Words",
]

_CORRECTIONS, _CROPS = "Corrections", "Crops for training"

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="ASSESSMENT.json...",
        help="What capitate assess wrote as JSON, one film or one a line; - for standard input.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="JOINT=GRADE",
        rich_help_panel=_CORRECTIONS,
        help="A grade that counts in place of the machine's, such as Radius=9; - for none. More may follow.",
    ),
]
ClearOption = Annotated[
    list[str] | None,
    typer.Option("--clear", metavar="JOINT", rich_help_panel=_CORRECTIONS, help="Let the machine's grade count again."),
]
KnownSexOption = Annotated[
    Sex | None,
    typer.Option(
        "--sex", case_sensitive=False, rich_help_panel=_CORRECTIONS, help="Sex of the child, if it was unknown."
    ),
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", rich_help_panel=_CORRECTIONS, help="Who corrects.")]
FilmOption = Annotated[
    str | None,
    typer.Option("--film", metavar="NAME", help="Of several films, the one that is meant: name or sha256."),
]
OutFileOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", dir_okay=False, help="Write the JSON here, and print the text."),
]
RescoredFormOption = Annotated[
    Form | None,
    typer.Option("--format", help="What is printed: json (if there is no --out) or text.", show_default=False),
]
CropsOption = Annotated[
    Path | None,
    typer.Option(
        "--crops",
        metavar="DIR",
        file_okay=False,
        rich_help_panel=_CROPS,
        help="Write the graded joints as JOINT/GRADE/ pictures here; needs --films.",
    ),
]
FilmsOption = Annotated[
    Path | None,
    typer.Option("--films", metavar="DIR", rich_help_panel=_CROPS, help="The film, or the folder that holds it."),
]
CorrectedOnlyOption = Annotated[
    bool, typer.Option("--corrected-only", rich_help_panel=_CROPS, help="Only joints that a person graded.")
]
MarginOption = Annotated[
    float,
    typer.Option(
        "--margin",
        min=0,
        max=2,
        rich_help_panel=_CROPS,
        help="What a crop shows beyond the joint's box, as a share of it; that of the experiment that will train.",
    ),
]
