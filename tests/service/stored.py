"""Assessments to store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from capitate.assessment import Assessment, BoneAge, Distribution, Quality, Refusal, Source, Subject
from capitate.report import to_json
from capitate.service.store import NewAssessment, Record, Store
from capitate.types import Interval, Sex, age_text

LIMIT = 1 << 20


def answer(*, months: float = 126.5, by: str | None = None) -> dict[str, Any]:
    """What a worker answers, with an age of one's choice; corrected by somebody if asked."""
    age = BoneAge(
        months=months,
        text=age_text(months),
        standard="Greulich-Pyle",
        mature=False,
        interval=Interval(months - 12, months + 12, 0.9),
        distribution=Distribution(0, 1, (1.0,)),
    )
    subject = Subject(Sex.FEMALE, "given", 121.5)
    written = to_json(Assessment(Source("film.png", "0" * 64), subject, Quality(True), bone_age=age))
    if by is not None:
        written["joints"] = [{"name": "Radius", "grade": {"value": 9, "corrected_by": by}}]
    return written


def refusal() -> dict[str, Any]:
    """What a worker answers of a film without a hand."""
    why = Refusal("no_hand", "No hand was found.")
    subject = Subject(Sex.UNKNOWN, "none")
    return to_json(Assessment(Source("film.png", "0" * 64), subject, Quality(False), error=why))


def queued(store: Store, *, film: bytes = b"film", name: str = "film.png", **more: Any) -> Record:
    """Upload a film and ask for its assessment."""
    new = NewAssessment(store.films.put(film, limit=LIMIT), name)
    return store.assessments.create(replace(new, **more))


def done(store: Store, *, months: float = 126.5, **more: Any) -> Record:
    """The same, and answer."""
    record = store.assessments.start(queued(store, **more).id)
    return store.assessments.finish(record.id, answer(months=months))
