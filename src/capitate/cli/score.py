"""`capitate score`: grades of a hand in, points, total and bone age out. No film and no model is needed."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import Form, Lang, LangOption
from capitate.errors import CapitateError, UsageError
from capitate.types import Sex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capitate.cli.hands import Hand
    from capitate.methods import Method, Score

__all__ = ["score"]


def score(
    *,
    joints: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOINT=GRADE...",
            help="Grades such as Radius=9, or TW3 stages such as Radius=G; a joint left out is missing.",
            show_default=False,
        ),
    ] = None,
    sex: Annotated[
        Sex | None,
        typer.Option("--sex", case_sensitive=False, help="Sex of the child; with a table, of rows without one."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="rus-chn|tw3", help="What is scored: RUS-CHN or TW3-RUS.")
    ] = "rus-chn",
    table: Annotated[
        Path | None,
        typer.Option("--table", metavar="CSV", help="Table with a column for each joint and sex, one hand a row."),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Probability inside the interval.")] = 0.9,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format", help="text, json (one object a line) or csv; text for a hand, csv for a table if left out."
        ),
    ] = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Score a hand from the grades of its joints: points, total and bone age by RUS-CHN or TW3-RUS."""
    from capitate.cli import REFUSED
    from capitate.cli.output import note, settle
    from capitate.methods import method_named

    by = method_named(method)
    if not 0 < level < 1:
        raise UsageError(f"--level must lie between 0 and 1, got {level:g}; give 0.9 for 90 %")
    hands = _hands(joints or [], table=table, sex=sex)
    chosen = form or (Form.TEXT if table is None else Form.CSV)
    results: Iterator[Score | CapitateError] = (_scored(hand, method=by, level=level) for hand in hands)
    if table is None:
        results = iter([_one(results)])
    settle(sys.stdout, exact=chosen is not Form.TEXT)
    refused = _print(hands, results, form=chosen, lang=lang)
    if refused:
        note(f"{refused} of {len(hands)} hands could not be scored", quiet=False)
        raise typer.Exit(REFUSED)


def _hands(joints: Sequence[str], *, table: Path | None, sex: Sex | None) -> list[Hand]:
    """Return the hands of the call: one of the words, or those of the table."""
    from capitate.cli.hands import Hand, read_hands
    from capitate.methods import pairs

    if table is not None and joints:
        raise UsageError(f"grades and --table in one call, got {joints[0]!r} and {table.name!r}; give one of the two")
    if table is not None:
        return read_hands(table, sex=sex)
    if not joints:
        raise UsageError("no joint was graded, got none; give grades such as Radius=9 Ulna=8, or --table FILE")
    if sex is None or sex is Sex.UNKNOWN:
        raise UsageError(f"points and ages are by sex, got {sex or 'none'}; give --sex female or --sex male")
    return [Hand(sex=sex, written=pairs(joints))]


def _scored(hand: Hand, *, method: Method, level: float) -> Score | CapitateError:
    """Score one hand; what is wrong with it is returned."""
    from capitate import methods

    if hand.fault is not None:
        return hand.fault
    try:
        return methods.score(methods.grading_of(hand.written), sex=hand.sex, method=method, level=level)
    except CapitateError as error:
        return error


def _one(results: Iterator[Score | CapitateError]) -> Score:
    """Return the only result; what is wrong with it is wrong usage."""
    result = next(results)
    if isinstance(result, CapitateError):
        raise result
    return result


def _print(hands: Sequence[Hand], results: Iterator[Score | CapitateError], *, form: Form, lang: Lang) -> int:
    """Print every hand as soon as it is scored; returns how many could not be."""
    if form is Form.CSV:
        return _print_rows(hands, results)
    from capitate.report.score_forms import refused_hand_json, score_json
    from capitate.report.score_text import score_text

    refused = 0
    for number, (hand, result) in enumerate(zip(hands, results, strict=True)):
        refused += isinstance(result, CapitateError)
        if form is Form.JSON:
            if isinstance(result, CapitateError):
                print(refused_hand_json(result, row=hand.kept))
            else:
                print(score_json(result, row=hand.kept))
            continue
        name = f"{hand.shown}\n" if hand.shown else ""
        told = f"    {result}" if isinstance(result, CapitateError) else score_text(result, lang=lang)
        print(("\n" if number else "") + name + told)
    return refused


def _print_rows(hands: Sequence[Hand], results: Iterator[Score | CapitateError]) -> int:
    """Print a table: what the given one holds besides joints, then the result."""
    from capitate.report.score_forms import SCORE_COLUMNS, refused_hand_row, score_row
    from capitate.report.table import safe_cell

    rows = csv.writer(sys.stdout)
    rows.writerow([*map(safe_cell, hands[0].kept), *SCORE_COLUMNS])
    refused = 0
    for hand, result in zip(hands, results, strict=True):
        if isinstance(result, CapitateError):
            refused += 1
            cells = refused_hand_row(result, written=hand.cells)
        else:
            cells = score_row(result)
        rows.writerow([*map(safe_cell, hand.kept.values()), *cells.values()])
    return refused
