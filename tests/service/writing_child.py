"""A process that writes into a store for ever and prints what was acknowledged, to be killed by a test.

python writing_child.py URL FOLDER
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

from capitate.assessment import SCHEMA
from capitate.service.store import NewAssessment, Store


def answer(months: float) -> dict[str, object]:
    subject = {"sex": "female", "chronological_age_months": 120.0}
    interval = {"low": 1.0, "high": 200.0, "level": 0.9}
    return {"schema": SCHEMA, "subject": subject, "bone_age": {"months": months, "text": "", "interval": interval}}


def acknowledge(step: str, **what: object) -> None:
    print(json.dumps({"step": step, **what}), flush=True)


def main(url: str, folder: Path) -> None:
    store = Store.open(url, folder=folder)
    acknowledge("open")
    previous = None
    for number in count():
        film = store.films.put(f"film {number % 7}".encode() * 5000, limit=1 << 20)
        record = store.assessments.create(NewAssessment(film, f"{number}.png"))
        acknowledge("create", id=record.id, revision=0, sha256=film.sha256)
        store.assessments.start(record.id)
        store.artifacts.put(record.id, "map.png", b"map" * 1000)
        done = store.assessments.finish(record.id, answer(100.0))
        acknowledge("finish", id=record.id, revision=1, sha256=film.sha256, months=done.bone_age_months)
        done = store.assessments.revise(
            record.id, expected_revision=1, assessment=answer(number), by="reader", change={"n": number}
        )
        acknowledge("revise", id=record.id, revision=2, sha256=film.sha256, months=done.bone_age_months)
        if previous is not None and number % 3 == 0:
            acknowledge("deleting", id=previous)
            store.assessments.delete(previous, by="reader")
            acknowledge("deleted", id=previous)
        previous = record.id


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
