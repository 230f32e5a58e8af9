"""The runs of a sweep, one after another through the function that `capitate train` calls."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from capitate.errors import CapitateError, ReportWriteError, UsageError
from capitate.training.bone_age_run import run_bone_age
from capitate.training.config import BoneAgeConfig
from capitate.training.opened_store import open_store, views_digest
from capitate.training.related_runs import last_size, load_bone_age_run
from capitate.training.runs import Run, label_digest, read_json, write_text
from capitate.training.sweeping.costs import costs_of
from capitate.training.sweeping.listing import Planned
from capitate.training.sweeping.outcome import OUTCOME, Outcome, State, held_out_interval, seconds_of
from capitate.training.sweeping.plan import SweepPlan
from capitate.training.sweeping.search import Search
from capitate.training.sweeping.table import write_tables
from capitate.training.writing import writing

__all__ = ["run_sweep"]

FAILURE = "failure.txt"
_log = logging.getLogger(__name__)


def run_sweep(plan: SweepPlan, data: Path, out: Path) -> list[Outcome]:
    """Train every run that has not finished, and write the table after each.

    A run that fails is named and counted, and the others go on; the same call tries it again. What was finished with
    the same experiment and the same films is not trained again, and a run that was broken off goes on.

    Args:
        plan: from `load_sweep`.
        data: folder of the store that every run reads.
        out: folder of the sweep: `runs/NAME`, `table.csv`, `table.json`, `table.md`, `pareto.svg`, `search.journal`.

    Returns:
        The table's lines, in the order of the plan.

    Raises:
        UsageError: if the store cannot be read, or the folder holds another search.
        ReportWriteError: if the system refuses a file, such as on a full disk.
    """
    open_store(data)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    sweep = _Sweep(plan, data, out)
    outcomes = sweep.search(Search(plan.search, out)) if plan.search else sweep.listed()
    lines: list[Outcome] = []
    for lines in outcomes:
        write_tables(lines, plan, out)
    return lines


@dataclass(frozen=True)
class _Sweep:
    """One call of `run_sweep`: what its runs share."""

    plan: SweepPlan
    data: Path
    out: Path

    def listed(self) -> Iterator[list[Outcome]]:
        """Run a grid or a list, and give the whole table after each run, those to come waiting."""
        done: dict[str, Outcome] = {}
        for run in self.plan.runs:
            done[run.name] = self._one(run)
            waiting = (Outcome(one.name, State.WAITING, one.changes) for one in self.plan.runs)
            yield [done.get(one.name, one) for one in waiting]

    def search(self, search: Search) -> Iterator[list[Outcome]]:
        """Run a search, and give the table so far after each trial."""
        lines = [self._known(run) for run in search.finished()]
        if lines:
            yield lines
        for run in search.waiting():
            outcome = self._one(run)
            search.tell(run, outcome.figures.get(self.plan.config.error))
            lines = [*lines, outcome]
            yield lines

    def _known(self, run: Planned) -> Outcome:
        folder = self._folder(run)
        if (folder / OUTCOME).exists():
            return Outcome.load(folder, run)
        told = folder / FAILURE
        message = told.read_text(encoding="utf8").splitlines()[0] if told.exists() else "its folder was removed"
        return Outcome(run.name, State.FAILED, run.changes, message=message)

    def _one(self, run: Planned) -> Outcome:
        """Train a run unless it has finished, and say what became of it."""
        folder, config = self._folder(run), self.plan.experiment(run)
        try:
            if (folder / OUTCOME).exists() and self._same(folder, config):
                _log.info("%s has finished already", run.name)
                return Outcome.load(folder, run)
            return self._train(run, config, folder)
        except ReportWriteError:
            raise
        except Exception as error:  # whatever a library raises, the other runs go on
            return self._failed(run, folder, error)

    def _train(self, run: Planned, config: BoneAgeConfig, folder: Path) -> Outcome:
        _log.info("%s begins", run.name)
        figures = run_bone_age(config, self.data, folder, fold=self.plan.config.fold)
        if self.plan.config.error not in figures:
            raise UsageError(f"the run has no {self.plan.config.error}: no film was left to measure it on")
        network, _ = load_bone_age_run(Run.load(folder))
        outcome = Outcome(
            run.name,
            State.FINISHED,
            run.changes,
            {**figures, **held_out_interval(folder)},
            costs_of(network, size=last_size(config)),
            seconds_of(folder),
        )
        outcome.save(folder)
        (folder / FAILURE).unlink(missing_ok=True)
        return outcome

    def _failed(self, run: Planned, folder: Path, error: Exception) -> Outcome:
        """Name a failure, and keep where a fault that is not the user's came from."""
        message = " ".join(str(error).split()) or type(error).__name__
        message = message if isinstance(error, CapitateError) else f"{type(error).__name__}: {message}"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FAILURE, f"{message}\n\n{''.join(traceback.format_exception(error))}")
        _log.warning("%s failed: %s", run.name, message)
        return Outcome(run.name, State.FAILED, run.changes, message=message)

    def _same(self, folder: Path, config: BoneAgeConfig) -> bool:
        """Say whether a folder's run is of this experiment and these films."""
        fold = self.plan.config.fold
        wanted = {"task": "bone-age", **replace(config, seed=config.seed + (fold or 0)).to_dict()}
        split = read_json(folder / "split.json")
        same_films = all(split.get(name) == value for name, value in self._digests.items())
        return same_films and read_json(folder / "config.json") == json.loads(json.dumps(wanted))

    def _folder(self, run: Planned) -> Path:
        return self.out / "runs" / run.name

    @cached_property
    def _digests(self) -> dict[str, object]:
        store, config = open_store(self.data), self.plan.config
        labels = label_digest(store.ids, store.months, store.sexes)
        return {"labels_sha256": labels, "views_sha256": views_digest(self.data), "fold": config.fold}
