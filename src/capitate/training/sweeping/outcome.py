"""What became of a run of a sweep, kept beside the run so that a second call knows it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from capitate.evaluation.metrics import Sample, estimate
from capitate.runtime.calibration import quantile
from capitate.training.out_of_fold import OutOfFold
from capitate.training.runs import OUT_OF_FOLD, read_json, write_json
from capitate.training.sweeping.costs import Costs
from capitate.training.sweeping.listing import Planned

__all__ = ["Outcome", "State", "held_out_interval", "seconds_of"]

OUTCOME = "sweep.json"


class State(StrEnum):
    """How far a run has come."""

    FINISHED = "finished"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class Outcome:
    """A line of a sweep's table.

    Attributes:
        name: of the run.
        state: see `State`.
        changes: values by dotted key that the run has beside the base.
        figures: of the run's `metrics.json`, and `mae_low`, `mae_high` with a held-out fold.
        costs: see `Costs`; None unless finished.
        training_seconds: that steps took, data included, over all calls that the run needed.
        message: why it failed, in one sentence.
    """

    name: str
    state: State
    changes: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    costs: Costs | None = None
    training_seconds: float | None = None
    message: str = ""

    @classmethod
    def load(cls, folder: Path, run: Planned) -> Outcome:
        """Read the outcome of a finished run.

        Raises:
            UsageError: if the file is damaged.
        """
        values = read_json(folder / OUTCOME)
        costs, seconds = Costs(**values["costs"]), values["training_seconds"]
        return cls(run.name, State.FINISHED, run.changes, values["figures"], costs, seconds)

    def save(self, folder: Path) -> None:
        """Write it into the run's folder."""
        write_json(folder / OUTCOME, json.loads(json.dumps(asdict(self))))

    def to_row(self) -> dict[str, Any]:
        """Give the line as plain values, without nested tables."""
        costs = asdict(self.costs) if self.costs else {}
        return {
            "name": self.name,
            "state": str(self.state),
            **self.figures,
            **costs,
            "training_seconds": self.training_seconds,
            "changes": json.dumps(self.changes),
            "message": self.message,
        }


def held_out_interval(folder: Path) -> dict[str, float]:
    """Give the bootstrap 95 % interval of a run's mean absolute error on its held-out fold, months; empty without."""
    path = folder / OUT_OF_FOLD
    if not path.exists():
        return {}
    films = OutOfFold.load([path])
    truth = films.months.astype(float)
    mae = estimate(Sample.of(truth, quantile(films.given, 0.5).astype(float)))["mae"]
    return {"mae_low": round(mae.low, 4), "mae_high": round(mae.high, 4)}


def seconds_of(folder: Path) -> float:
    """Sum the seconds of a run's epochs, whichever call they were trained by."""
    with (folder / "history.csv").open(encoding="utf8", newline="") as stream:
        return round(sum(float(line["seconds"]) for line in csv.DictReader(stream)), 3)
