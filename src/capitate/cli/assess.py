"""`capitate assess`: films in, bone ages out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import (
    DEFAULT_MODEL,
    BirthDate,
    Form,
    FormOption,
    JointsOption,
    Lang,
    LangOption,
    MapsOption,
    ModelsOption,
    OutOption,
    PdfOption,
    QuietOption,
    ScreenOption,
    SexOption,
    StudyDate,
    ThreadsOption,
    YearsOption,
)

if TYPE_CHECKING:
    from capitate.assessor import Assessed, Assessor
    from capitate.cli.films import Film
    from capitate.cli.output import Printer, Reports

__all__ = ["assess"]


def assess(
    context: typer.Context,
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Films, or folders that hold films.", show_default=False),
    ] = None,
    sex: SexOption = None,
    age: YearsOption = None,
    birth_date: BirthDate = None,
    study_date: StudyDate = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="CSV",
            rich_help_panel="The child",
            help="Table with columns path, sex, age_years, birth_date, study_date; alone, it names the films.",
        ),
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Text file with one film a line.", show_default=False)
    ] = None,
    form: FormOption = Form.TEXT,
    lang: LangOption = Lang.EN,
    out: OutOption = None,
    maps: MapsOption = False,
    pdf: PdfOption = False,
    model: ModelsOption = None,
    joints: JointsOption = None,
    screen: ScreenOption = False,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Assess films: bone age with a 90 % interval, joints with their grades, RUS-CHN and TW3 scores.

    Reads PNG, JPEG, TIFF, WebP and DICOM. A film that cannot be assessed is reported as refused, and the others go on.
    """
    from capitate.cli.films import Child, choose
    from capitate.cli.output import Printer, note

    _check_folder(out, maps=maps, pdf=pdf)
    child = Child(sex=sex, years=age, birth_date=birth_date, study_date=study_date)
    films = choose(paths or [], table=table, listed=listed, child=child)
    unlisted = sum(bool(film.findings) for film in films)
    if unlisted:
        note(f"{unlisted} of {len(films)} films have no row in the table", quiet=quiet)
    assessor = _assessor(model or [], joints=joints, maps=maps, screen=screen, threads=threads)
    with Printer(form=form, lang=lang, total=len(films), quiet=quiet) as printer:
        debug = bool(context.find_root().params.get("debug"))
        refused, faults = _assess_all(films, assessor, printer, out=out, pdf=pdf, lang=lang, debug=debug)
    if refused and len(films) > 1:
        note(f"{refused} of {len(films)} films were refused", quiet=quiet)
    _end(refused=refused, faults=faults)


def _check_folder(out: Path | None, *, maps: bool, pdf: bool) -> None:
    """Refuse, before any film is read, what could not be written in the end."""
    from capitate.errors import UsageError
    from capitate.report import require_pdf

    if maps and out is None:
        raise UsageError("--maps writes pictures and arrays, and no folder was named for them; add --out DIR")
    if pdf and out is None:
        raise UsageError("--pdf writes a report a film, and no folder was named for them; add --out DIR")
    if pdf:
        require_pdf()


def _assessor(models: list[str], *, joints: bool | None, maps: bool, screen: bool, threads: int | None) -> Assessor:
    """Load the models that were chosen."""
    from capitate.assessor import (
        Assessor,
        JointModels,
        ScreenModels,
        ScreenReader,
        chosen_models,
        chosen_screens,
    )
    from capitate.errors import UsageError

    models, screens = chosen_screens(models)
    if screens != ScreenModels() and not screen:
        raise UsageError("a --model of the abnormality screen was given, and the screen runs on request; add --screen")
    bone_age, chosen = chosen_models(models, bone_age=DEFAULT_MODEL)
    if joints is False and chosen != JointModels():
        raise UsageError("--no-joints, and a --model that reads joints; leave one of the two out")
    assessor = Assessor(
        model=bone_age,
        joints=False if joints is False else chosen,
        maps=maps,
        screen=ScreenReader.load(screens, threads=threads) if screen else None,
        threads=threads,
    )
    if assessor.joints is None and (joints or chosen != JointModels()):
        raise UsageError(f"Joints cannot be read without a model that finds them: {chosen.absent('detector')}")
    return assessor


def _assess_all(
    films: list[Film], assessor: Assessor, printer: Printer, *, out: Path | None, pdf: bool, lang: Lang, debug: bool
) -> tuple[int, int]:
    """Assess every film in order; returns how many were refused, and how many of those by a fault."""
    from capitate.cli.output import Reports

    refused = faults = 0
    folder: Reports | nullcontext[None] = nullcontext() if out is None else Reports(out, lang=lang, pdf=pdf)
    with folder as reports:
        for film in films:
            assessed = _assess_one(film, assessor, debug=debug)
            error = assessed.assessment.error
            refused += error is not None
            faults += error is not None and error.code == "fault"
            told = assessed.assessment if reports is None else reports.write(assessed, shown=film.shown)
            printer.print(told, shown=film.shown)
    return refused, faults


def _assess_one(film: Film, assessor: Assessor, *, debug: bool) -> Assessed:
    """Assess one film; a fault in Capitate refuses this film and leaves the others alone."""
    from capitate.assessor import Assessed, refusal, with_findings
    from capitate.cli.faults import FaultError

    try:
        assessed = assessor.assess(film.path, request=film.request)
    except Exception as error:
        if debug:
            raise
        return Assessed(refusal(film.shown, FaultError(error), request=film.request), None)
    return replace(assessed, assessment=with_findings(assessed.assessment, *film.findings))


def _end(*, refused: int, faults: int) -> None:
    """End with the exit code that says how it went."""
    from capitate.cli import FAULT, REFUSED

    if faults:
        raise typer.Exit(FAULT)
    if refused:
        raise typer.Exit(REFUSED)
