"""How far an age moves when the same film is stored another way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capitate.assessment import Assessment
from capitate.errors import FilmError
from capitate.evaluation.changes import CHANGES, Change
from capitate.files import read
from capitate.radiograph import Radiograph
from capitate.training.manifest import Study

__all__ = ["Line", "Shift", "measure", "summarise", "to_markdown"]

Assess = Callable[[Radiograph, Study], Assessment]
_WORST = 10


@dataclass(frozen=True)
class Shift:
    """What a change did to one film.

    Attributes:
        id: of the film.
        change: name of the change.
        before: bone age of the film as it is, months, or None if refused.
        after: bone age of the changed film, months, or None if refused or not changed.
        refusal: code of the refusal, of the film as it is or else of the changed one; `no_hand_box` where the change
            needs the hand's box and there is none.
    """

    id: str
    change: str
    before: float | None = None
    after: float | None = None
    refusal: str | None = None

    @property
    def months(self) -> float | None:
        """Bone age after minus before, months; None if either is missing."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Line:
    """One change over all films; shifts in months without their sign.

    Attributes:
        change: its name.
        n: films with an age before and after.
        refused: films that lost their age, or had none.
        median: of the shift.
        p95: 95th percentile of the shift.
        largest: shift.
        below_1: share of films moved by less than 1 month.
        below_3: share of films moved by less than 3 months.
        worst: the films moved most, by id, with the signed shift.
    """

    change: str
    n: int
    refused: int
    median: float
    p95: float
    largest: float
    below_1: float
    below_3: float
    worst: tuple[tuple[str, float], ...]


def measure(
    studies: Sequence[Study],
    assess: Assess,
    *,
    changes: Sequence[Change] = CHANGES,
    progress: Callable[[int, int], None] | None = None,
) -> list[Shift]:
    """Assess every film as it is and after every change; changed films are files that are read like any other.

    Args:
        studies: films.
        assess: assesses a film that was read.
        changes: what to change.
        progress: called after every film with the number of films done and of all films.

    Returns:
        One shift a film and change, in the order of the films.
    """
    shifts: list[Shift] = []
    for number, study in enumerate(studies, start=1):
        shifts += _of_film(study, assess, changes)
        if progress is not None:
            progress(number, len(studies))
    return shifts


def _of_film(study: Study, assess: Assess, changes: Sequence[Change]) -> list[Shift]:
    try:
        film = read(study.path)
        assessment = assess(film, study)
    except FilmError as error:
        return [Shift(study.id, change.name, refusal=error.code) for change in changes]
    before, refusal = _age(assessment)
    if before is None:
        return [Shift(study.id, change.name, refusal=refusal) for change in changes]
    box = assessment.hand.box if assessment.hand else None
    shifts = []
    for change in changes:
        if box is None and change.needs_box:
            shifts.append(Shift(study.id, change.name, before=before, refusal="no_hand_box"))
            continue
        name = Path(study.path.name).with_suffix(change.suffix).name
        try:
            after, refusal = _age(assess(read(change.apply(film, study.id, box), name=name), study))
        except FilmError as error:
            after, refusal = None, error.code
        shifts.append(Shift(study.id, change.name, before=before, after=after, refusal=refusal))
    return shifts


def _age(assessment: Assessment) -> tuple[float | None, str | None]:
    if assessment.bone_age is not None:
        return assessment.bone_age.months, None
    return None, assessment.error.code if assessment.error else "no_bone_age"


def summarise(shifts: Sequence[Shift], *, worst: int = _WORST) -> list[Line]:
    """Sum up the shifts, one line a change in the order of their first film."""
    return [
        _line(name, [shift for shift in shifts if shift.change == name], worst=worst)
        for name in dict.fromkeys(shift.change for shift in shifts)
    ]


def _line(change: str, shifts: Sequence[Shift], *, worst: int) -> Line:
    moved = [(shift.id, shift.months) for shift in shifts if shift.months is not None]
    size = np.abs(np.array([months for _, months in moved], dtype=np.float64))
    known = size if size.size else np.array([np.nan])
    return Line(
        change=change,
        n=len(moved),
        refused=len(shifts) - len(moved),
        median=float(np.median(known)),
        p95=float(np.percentile(known, 95)),
        largest=float(np.max(known)),
        below_1=float(np.mean(size < 1)) if size.size else float("nan"),
        below_3=float(np.mean(size < 3)) if size.size else float("nan"),
        worst=tuple(sorted(moved, key=lambda item: -abs(item[1]))[:worst]),
    )


def to_markdown(lines: Sequence[Line]) -> str:
    """Write the lines as a Markdown table, and below it the films that moved most."""
    head = "| change | films | refused | median (months) | 95th percentile | largest | below 1 month | below 3 months |"
    rows = [
        f"| {line.change} | {line.n} | {line.refused} | {line.median:.2f} | {line.p95:.2f} | {line.largest:.2f} "
        f"| {100 * line.below_1:.1f} % | {100 * line.below_3:.1f} % |"
        for line in lines
    ]
    moved = [
        f"- {line.change}: " + ", ".join(f"{name} ({months:+.1f})" for name, months in line.worst) for line in lines
    ]
    return "\n".join([head, "|---|" + "---:|" * 7, *rows, "", "Moved most, by film (months):", "", *moved]) + "\n"
