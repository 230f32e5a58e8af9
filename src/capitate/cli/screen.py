"""`capitate screen`: the abnormality screen alone, a row a study."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import Lang, LangOption, QuietOption, ThreadsOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capitate.assessor.screening import ScreenedStudy, Screener

__all__ = ["screen"]

_OUTPUT, _RUNNING = "Output", "Running"


class Listing(StrEnum):
    """What is printed; the forms of `capitate.report.screened`, which is imported later."""

    TABLE = "table"
    KAGGLE = "kaggle"
    JSON = "json"
    CSV = "csv"


_Places = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR|TABLE|FILM...",
        help="Folder of films, MURA's folders, a table of studies (id,label) or of films (path), or films.",
    ),
]
_Model = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        rich_help_panel=_RUNNING,
        help="Screen's bundle, by name or folder; the probabilities of several are averaged.",
    ),
]
_Form = Annotated[
    Listing,
    typer.Option(
        "--format",
        rich_help_panel=_OUTPUT,
        help="table, csv, json (one object a line), or kaggle: id,label with the probability.",
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", dir_okay=False, rich_help_panel=_OUTPUT, help="Write there instead of printing."
    ),
]
_Summary = Annotated[
    bool,
    typer.Option(
        "--summary",
        rich_help_panel=_OUTPUT,
        help="Only the share of studies at or above the threshold, with its 95 % interval; with json, as figures "
        "that export takes.",
    ),
]


def screen(
    *,
    places: _Places,
    model: _Model = None,
    form: _Form = Listing.TABLE,
    output: _Output = None,
    summary: _Summary = False,
    lang: LangOption = Lang.EN,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Say of each study how likely a label of 1 is, by the screen alone; what it means stands in the bundle's card.

    Films of a study are averaged. A study that cannot be judged has a row with the reason, and the exit code is 1.
    """
    from capitate.assessor.screening import SCREEN, Screener
    from capitate.cli import REFUSED
    from capitate.cli.output import counted, note, settle
    from capitate.cli.writing import replace_text
    from capitate.report.screened import ScreenForm, screened_text
    from capitate.training.data.labelled_studies import labelled_studies

    studies = [one.study for one in labelled_studies(places)]
    screener = Screener(model or [SCREEN], threads=threads)
    with counted(total=len(studies), quiet=quiet) as step:
        found = []
        for study in studies:
            found.append(screener.screen(study))
            step()
    of = ", ".join(place.resolve().name for place in places)
    if summary:
        text = _summary(found, screener, of=of, plain=form is Listing.JSON)
    else:
        text = screened_text(found, form=ScreenForm(form), models=screener.models, lang=lang)
    if output is None:
        settle(sys.stdout, exact=form is not Listing.TABLE)
        print(text, end="")
    else:
        replace_text(output, text)
        note(f"{len(found)} studies in {output}", quiet=quiet)
    if form is Listing.KAGGLE or summary:
        _tell_refused(found)
    if any(one.error for one in found):
        raise typer.Exit(REFUSED)


def _summary(found: Sequence[ScreenedStudy], screener: Screener, *, of: str, plain: bool) -> str:
    """Say which share of the studies is called."""
    from capitate.evaluation.bootstrap import wilson
    from capitate.runtime.abnormality import FALSE_ALARMS

    judged = [one for one in found if one.error is None]
    called = sum(one.above is True for one in judged)
    strange = sum(one.familiar is False for one in judged)
    share = wilson(called, len(judged))
    if plain:
        figure = {"name": FALSE_ALARMS, **share.to_json(), "unit": "share", "on": f"{len(judged)} studies of {of}"}
        return json.dumps([figure]) + "\n"
    if not judged:
        return f"none of {len(found)} studies could be judged\n"
    return (
        f"{called} of {len(judged)} studies reach the threshold {screener.threshold:.3f}: {100 * share.value:.1f} % "
        f"({100 * share.low:.1f} to {100 * share.high:.1f} %)\n"
        f"{strange} have a film that does not look like the training's; {len(found) - len(judged)} were refused\n"
    )


def _tell_refused(found: Sequence[ScreenedStudy]) -> None:
    """Say on standard error why studies have no probability, and which answers are guesses."""
    for one in found:
        if one.error is not None:
            print(f"capitate: {one.id}: {one.error.message} ({one.error.code})", file=sys.stderr)
        for finding in one.findings if one.error is None else ():
            print(f"capitate: {one.id}: {finding.message} ({finding.code})", file=sys.stderr)
