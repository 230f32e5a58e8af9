"""Options that several commands share, and the closed sets among their values."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from capitate.types import Sex

__all__ = [
    "DEFAULT_MODEL",
    "BirthDate",
    "ChangesOption",
    "Form",
    "FormOption",
    "JointsOption",
    "Lang",
    "LangOption",
    "MapsOption",
    "ModelOption",
    "ModelsOption",
    "OutOption",
    "PdfOption",
    "QuietOption",
    "ScreenOption",
    "SexOption",
    "StudyDate",
    "ThreadsOption",
    "YearsOption",
    "day",
]

DEFAULT_MODEL = "bone-age"
_CHILD, _OUTPUT, _RUNNING = "The child", "Output", "Running"


class Form(StrEnum):
    """What `assess` prints."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class Lang(StrEnum):
    """Languages of text and pages; those of `capitate.report.Language`, which is imported later."""

    EN = "en"
    ZH = "zh"


def day(text: str) -> date:
    """Read a date written as 2017-05-31 or, as DICOM does, 20170531.

    Raises:
        typer.BadParameter: if it is neither.
    """
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise typer.BadParameter(f"not a date, got {text!r}; write year-month-day, such as 2017-05-31")


SexOption = Annotated[
    Sex | None,
    typer.Option(
        "--sex",
        case_sensitive=False,
        rich_help_panel=_CHILD,
        help="Sex of the child. Left out, a DICOM file or the table states it, or it is unknown.",
    ),
]
YearsOption = Annotated[
    float | None,
    typer.Option(
        "--age",
        metavar="YEARS",
        rich_help_panel=_CHILD,
        help="Chronological age in years, such as 10.5.",
    ),
]
BirthDate = Annotated[
    date | None,
    typer.Option("--birth-date", parser=day, metavar="DATE", rich_help_panel=_CHILD, help="Birth date, 2006-11-30."),
]
StudyDate = Annotated[
    date | None,
    typer.Option(
        "--study-date", parser=day, metavar="DATE", rich_help_panel=_CHILD, help="Date of the film, 2017-05-31."
    ),
]
FormOption = Annotated[
    Form,
    typer.Option(
        "--format",
        rich_help_panel=_OUTPUT,
        help="What is printed: text, json (one object a line) or csv (one row a film).",
    ),
]
LangOption = Annotated[
    Lang, typer.Option("--lang", rich_help_panel=_OUTPUT, help="Language of text and pages: English or Chinese.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        file_okay=False,
        rich_help_panel=_OUTPUT,
        help="Also write an HTML page and a JSON file a film, and results.csv, into this folder.",
    ),
]
ChangesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Change a value of the configuration; several times."),
]
ModelOption = Annotated[
    str,
    typer.Option("--model", metavar="NAME", rich_help_panel=_RUNNING, help="Bone-age bundle, by name or folder."),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        rich_help_panel=_RUNNING,
        help="Bundle, by name or folder, in place of the released one of its task: bone-age, joint-detector, "
        "outlines, joint-grades or, with --screen, abnormality and fractures; several times.",
    ),
]
JointsOption = Annotated[
    bool | None,
    typer.Option(
        "--joints/--no-joints",
        rich_help_panel=_RUNNING,
        help="Read the joints too; left out, they are read if their models are installed.",
        show_default=False,
    ),
]
MapsOption = Annotated[
    bool,
    typer.Option(
        "--maps",
        rich_help_panel=_OUTPUT,
        help="Also map what the answers rest on: a picture and an array each in the folder of --out, and on the page.",
    ),
]
PdfOption = Annotated[
    bool,
    typer.Option(
        "--pdf",
        rich_help_panel=_OUTPUT,
        help="Also write a PDF a film in the folder of --out, in the language of --lang; needs capitate\\[report].",
    ),
]
ScreenOption = Annotated[
    bool,
    typer.Option(
        "--screen",
        rich_help_panel=_RUNNING,
        help="Also run the abnormality screen, and mark places to look at if the localiser is installed.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, metavar="N", rich_help_panel=_RUNNING, help="Threads for a network; at most 4 if left out."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", rich_help_panel=_RUNNING, help="No progress bar and no notes.")
]
