"""Killing a writing process at random moments and counting what it had acknowledged; `make soak` may ask for more."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capitate.errors import RecordNotFoundError
from capitate.service.store import Store

CHILD = Path(__file__).with_name("writing_child.py")


@dataclass
class Tally:
    """What several rounds added up to."""

    kills: int = 0
    acknowledged: int = 0
    deleted: int = 0
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def kill_writers(url: str, folder: Path, *, rounds: int, seed: int) -> Tally:
    """Start a writer, kill it after a random number of acknowledgements, look at the store; again and again."""
    dice, tally = random.Random(seed), Tally()
    for _ in range(rounds):
        said = _killed_after(dice.randint(1, 40), url, folder)
        tally.kills += 1
        with Store.open(url, folder=folder) as store:
            _compare(store, said, tally)
            tally.problems += [problem.message for problem in store.check()]
            store.assessments.requeue_interrupted()
    return tally


def _killed_after(lines: int, url: str, folder: Path) -> list[dict[str, Any]]:
    """Let a writer acknowledge so many steps, kill it, and return all that it acknowledged until it died."""
    command = [sys.executable, CHILD, url, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines + 1)]
        child.kill()
        said += child.stdout.readlines()
    whole = [line for line in said if line.endswith("\n")]
    assert len(whole) > lines, "the writer ended by itself"
    return [json.loads(line) for line in whole]


def _compare(store: Store, said: list[dict[str, Any]], tally: Tally) -> None:
    """Look up everything that was acknowledged; what was being deleted may be there or not."""
    latest = {one["id"]: one for one in said if "sha256" in one}
    going = {one["id"] for one in said if one["step"] == "deleting"}
    gone = {one["id"] for one in said if one["step"] == "deleted"}
    tally.acknowledged += len(latest)
    tally.deleted += len(gone)
    for identifier, one in latest.items():
        try:
            record = store.assessments.get(identifier)
        except RecordNotFoundError:
            tally.lost += [] if identifier in going else [identifier]
            continue
        kept = identifier not in gone and record.revision >= one["revision"]
        same = record.revision != one["revision"] or record.bone_age_months == one.get("months")
        film = store.films.read(record.film_sha256) if record.film_sha256 == one["sha256"] else b""
        shown = not record.revision or store.artifacts.get(identifier, "map.png") == b"map" * 1000
        tally.lost += [] if kept and same and film and shown else [identifier]
