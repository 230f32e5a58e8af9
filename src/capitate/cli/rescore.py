"""`capitate rescore`: a reader's grades into an assessment, score and age again, and graded crops for training."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.options import Form, Lang, LangOption, QuietOption
from capitate.cli.rescore_options import (
    ByOption,
    ClearOption,
    CorrectedOnlyOption,
    CropsOption,
    FilmOption,
    FilmsOption,
    KnownSexOption,
    MarginOption,
    OutFileOption,
    RescoredFormOption,
    SetOption,
    Words,
)
from capitate.errors import CapitateError, UsageError
from capitate.types import Sex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capitate.assessment import Assessment
    from capitate.assessor.rescoring import Corrections

__all__ = ["rescore"]


def rescore(
    *,
    words: Words,
    grades: SetOption = None,
    clear: ClearOption = None,
    sex: KnownSexOption = None,
    by: ByOption = "reader",
    film: FilmOption = None,
    out: OutFileOption = None,
    form: RescoredFormOption = None,
    lang: LangOption = Lang.EN,
    crops: CropsOption = None,
    films: FilmsOption = None,
    corrected_only: CorrectedOnlyOption = False,
    margin: MarginOption = 0.25,
    quiet: QuietOption = False,
) -> None:
    """Correct the grades of an assessment: RUS-CHN and TW3 scores, ages and intervals again.

    What the machine had said stays beside what a person set. No model is needed.
    """
    from capitate.assessor.rescoring import rescored

    if form is Form.CSV:
        raise UsageError("a rescored assessment is written as json or text, got csv; give one of these")
    if (crops is None) != (films is None):
        given, lacks = ("--crops", "--films") if films is None else ("--films", "--crops")
        raise UsageError(f"{given} without {lacks}; crops are cut from films, give both")
    if crops is None and corrected_only:
        raise UsageError("--corrected-only without --crops; give --crops DIR and --films DIR")
    said = _said(words, grades=grades or [], clear=clear or [])
    corrections = _corrections(said, sex=sex, by=by)
    corrected = bool(said.grades or said.clear or sex)
    chosen = _chosen(_read(said.files), film=film, corrected=corrected)
    results = [rescored(one, corrections) for one in _assessed(chosen)]
    failed = len(chosen) - len(results)
    if crops is not None and films is not None:
        options = _Crops(crops, films, corrected_only=corrected_only, margin=margin, quiet=quiet)
        failed += _export(results, options)
    silent = crops is not None and not corrected
    _give(results, out=out, form=form or (None if silent else Form.TEXT if out else Form.JSON), lang=lang)
    if failed:
        from capitate.cli import REFUSED

        raise typer.Exit(REFUSED)


@dataclass(frozen=True)
class _Said:
    """The words of a call, sorted."""

    files: list[str]
    grades: list[str]
    clear: list[str]


@dataclass(frozen=True)
class _Crops:
    """What is asked for of crops."""

    folder: Path
    films: Path
    corrected_only: bool
    margin: float
    quiet: bool


def _said(words: Sequence[str], *, grades: list[str], clear: list[str]) -> _Said:
    """Sort words: grades may follow `--set` and joints `--clear` without the option being said again."""
    from capitate.methods import Joint

    joints = {joint.casefold() for joint in Joint}
    files, more_grades, more_clear = [], [], []
    for word in words:
        name, equals, _ = word.partition("=")
        if equals and not Path(word).exists():
            more_grades.append(word)
        elif clear and name.casefold() in joints:
            more_clear.append(word)
        else:
            files.append(word)
    if not files:
        raise UsageError(f"no assessment was named, got {words[0]!r}; give the JSON that capitate assess wrote")
    return _Said(files, [*grades, *more_grades], [*clear, *more_clear])


def _corrections(said: _Said, *, sex: Sex | None, by: str) -> Corrections:
    """Read the corrections."""
    from capitate.assessor.rescoring import Corrections
    from capitate.methods import Scale, grading_of, joint_named, pairs
    from capitate.methods.written import MISSING_WORDS

    written = pairs(said.grades)
    present = {joint: text for joint, text in written.items() if text.strip().casefold() not in MISSING_WORDS}
    read = grading_of(present) if present else None
    if read is not None and read.scale is Scale.STAGES:
        joint, text = next(iter(present.items()))
        raise UsageError(f"assessments have RUS-CHN grades, got the stage {joint}={text}; give a number, such as 9")
    given = {} if read is None else {joint: one for joint, one in read.readings.items() if isinstance(one, int)}
    cleared = frozenset(joint_named(name) for name in said.clear)
    return Corrections({joint: given.get(joint) for joint in written}, cleared, sex, by)


def _read(names: Iterable[str]) -> list[Assessment]:
    """Read the assessments of all files."""
    from capitate.report import assessments_of, read_assessments

    found: list[Assessment] = []
    for name in names:
        if name == "-":
            found += assessments_of(sys.stdin.read(), shown="standard input")
        else:
            found += read_assessments(Path(name))
    return found


def _chosen(assessments: list[Assessment], *, film: str | None, corrected: bool) -> list[Assessment]:
    """Choose the film that is meant; without corrections all of them may be."""
    known = ", ".join(sorted({one.source.name for one in assessments})[:5])
    if film is not None:
        shares = [one for one in assessments if film in (one.source.name, one.source.sha256)]
        if not shares:
            raise UsageError(f"no film {film!r} among {len(assessments)} assessments; there are {known}")
        if len(shares) > 1:
            raise UsageError(f"{len(shares)} films are named {film!r}; give the sha256 of one with --film")
        return shares
    if corrected and len(assessments) > 1:
        raise UsageError(f"corrections are of one film, got {len(assessments)} ({known}); say which with --film NAME")
    return assessments


def _assessed(assessments: list[Assessment]) -> list[Assessment]:
    """Leave refused films out of several, and say so."""
    from capitate.cli.output import note

    if len(assessments) == 1:
        return assessments
    for one in assessments:
        if one.error is not None:
            note(f"{one.source.name!r} was refused ({one.error.code}) and is left out", quiet=False)
    return [one for one in assessments if one.error is None]


def _export(results: Sequence[Assessment], options: _Crops) -> int:
    """Write the crops of all films; returns how many films failed. What is wrong with a single one is raised."""
    from capitate.assessor.graded_crops import film_of, write_crops
    from capitate.cli.output import note

    written = failed = 0
    for one in results:
        try:
            film = film_of(one, options.films)
            paths = write_crops(one, film, options.folder, corrected_only=options.corrected_only, margin=options.margin)
        except CapitateError as error:
            if len(results) == 1:
                raise
            failed += 1
            note(str(error), quiet=False)
            continue
        written += len(paths)
    note(f"{str(options.folder)!r}: crops {written}, films {len(results) - failed}", quiet=options.quiet)
    return failed


def _give(results: Sequence[Assessment], *, out: Path | None, form: Form | None, lang: Lang) -> None:
    """Write and print the results; nothing is printed without a form."""
    from capitate import report
    from capitate.cli.output import settle
    from capitate.cli.writing import replace_text

    indent = 2 if len(results) == 1 else None
    if out is not None:
        replace_text(out, "".join(report.dumps(one, indent=indent) + "\n" for one in results))
    if form is None:
        return
    settle(sys.stdout, exact=form is Form.JSON)
    if form is Form.JSON:
        print("\n".join(report.dumps(one) for one in results))
    else:
        print("\n\n".join(report.to_text(one, lang=lang) for one in results))
