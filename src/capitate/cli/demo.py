"""`capitate demo`: a drawn film, assessed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.options import DEFAULT_MODEL, Lang, LangOption, ModelOption
from capitate.cli.writing import make_folder, writing

__all__ = ["demo"]


def demo(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for film and report.")
    ] = Path("out/demo"),
    lang: LangOption = Lang.EN,
    model: ModelOption = DEFAULT_MODEL,
) -> None:
    """Draw a hand film and assess it: a text result here and an HTML report in a folder.

    No patient's film ships with Capitate. The drawn one is of a girl whose bones are those of 10 years 6 months.
    """
    from capitate import report
    from capitate.assessor import Assessor, Request
    from capitate.phantom import demo_film
    from capitate.types import Sex

    make_folder(out)
    film = out / "phantom.png"
    with writing(film):
        demo_film(film)
    assessed = Assessor(model=model).assess(film, request=Request(sex=Sex.FEMALE))
    _, page, *_ = report.write(assessed.assessment, out, radiograph=assessed.radiograph, lang=lang)
    print(report.to_text(assessed.assessment, lang=lang))
    print(f"\nThe film is a drawing, not a patient: {film}")
    print(f"Report: {page}")
    print(f"Your own film: {_command()} assess FILM.png --sex female --out reports")


def _command() -> str:
    """Say how this very program is called: by its name where the shell finds it, otherwise by its path."""
    program = Path(sys.argv[0])
    if shutil.which("capitate") or program.stem != "capitate":
        return "capitate"
    return str(program)
