"""A search by optuna whose draws and answers lie in the sweep's folder, so that it goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from capitate.errors import UsageError
from capitate.training.settings.sweep import SearchRange
from capitate.training.sweeping.listing import Planned
from capitate.training.sweeping.plan import SearchPlan

__all__ = ["JOURNAL", "Search"]

JOURNAL = "search.journal"
_SEEDS = 2**32
_APART = 1_000_003
"""A prime, so that the draws of one seed's trials are not those of the next seed's."""


class Search:
    """Values drawn by the tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), a trial after another.

    Each trial draws from its own seed, so that an interrupted search draws the values of an unbroken one.
    """

    def __init__(self, plan: SearchPlan, folder: Path) -> None:
        """Open the search of a folder or begin one.

        Raises:
            UsageError: if the folder holds a search over other ranges or of another seed.
        """
        self.plan = plan
        self._distributions = {key: _distribution(one) for key, one in plan.ranges.items()}
        storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
        self._study = optuna.create_study(
            study_name="sweep", storage=storage, direction="minimize", load_if_exists=True, sampler=TPESampler(seed=0)
        )
        stated = {
            "seed": plan.config.seed,
            "ranges": {key: optuna.distributions.distribution_to_json(d) for key, d in self._distributions.items()},
        }
        if self._study.user_attrs.setdefault("stated", stated) != stated:
            raise UsageError(f"{folder} holds a search over other ranges or of another seed; choose another --out")
        self._study.set_user_attr("stated", stated)

    def finished(self) -> list[Planned]:
        """List the trials that have their answer, or failed, in order."""
        return [self._planned(trial) for trial in self._study.trials if trial.state.is_finished()]

    def waiting(self) -> Iterator[Planned]:
        """Give the trials that were begun and not told of, then new ones up to `search.trials`."""
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            yield self._planned(trial)
        while (number := len(self._study.get_trials(deepcopy=False))) < self.plan.config.trials:
            self._study.sampler = TPESampler(seed=(self.plan.config.seed * _APART + number) % _SEEDS)
            yield self._planned(self._study.ask(self._distributions))

    def tell(self, run: Planned, error: float | None) -> None:
        """Say what error a trial reached, months, or None for a trial that failed."""
        number = int(run.name.rpartition("-")[2])
        state = TrialState.FAIL if error is None else TrialState.COMPLETE
        self._study.tell(number, error, state=state)

    def _planned(self, trial: Any) -> Planned:  # noqa: ANN401  optuna's Trial and FrozenTrial
        return Planned(f"trial-{trial.number:03d}", {key: self._value(key, trial.params[key]) for key in trial.params})

    def _value(self, key: str, drawn: Any) -> Any:  # noqa: ANN401  values of TOML
        return json.loads(drawn) if self.plan.ranges[key].choices else drawn


def _distribution(one: SearchRange) -> BaseDistribution:
    """Give optuna's form of a range; choices go through JSON, because lists may be among them."""
    if one.choices:
        return CategoricalDistribution([json.dumps(choice) for choice in one.choices])
    if isinstance(one.low, int) and isinstance(one.high, int):
        return IntDistribution(one.low, one.high, log=one.log)
    return FloatDistribution(float(one.low), float(one.high), log=one.log)
