"""Bone age against its reference: joined by id, seen films apart, figures over everything and by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.evaluation.metrics import RESAMPLES, Estimate, Sample, estimate
from capitate.evaluation.prediction import Prediction
from capitate.evaluation.probability import crps, log_score, pit
from capitate.training.manifest import Study

__all__ = ["BANDS", "HIDDEN", "Evaluation", "Group", "Pair", "band", "evaluate", "join"]

BANDS = ((0, 60), (60, 120), (120, 180), (180, math.inf))
HIDDEN = "hidden"


@dataclass(frozen=True)
class Pair:
    """One film with its reference and its prediction, and under which sex it was predicted."""

    study: Study
    prediction: Prediction
    sex: str

    @property
    def truth(self) -> float:
        """Reference bone age, months; NaN if there is none."""
        return math.nan if self.study.bone_age_months is None else self.study.bone_age_months

    @property
    def predicted(self) -> float:
        """Predicted bone age, months; NaN if the film was refused."""
        return math.nan if self.prediction.months is None else self.prediction.months

    @property
    def error(self) -> float:
        """Predicted minus reference, months; NaN if either is missing."""
        return self.predicted - self.truth

    @cached_property
    def pit(self) -> float:
        """Probability integral transform of the reference; NaN without a distribution."""
        distribution = self.prediction.distribution
        return math.nan if distribution is None else pit(distribution, truth=self.truth)

    @cached_property
    def crps(self) -> float:
        """Continuous ranked probability score, months; NaN without a distribution."""
        distribution = self.prediction.distribution
        return math.nan if distribution is None else crps(distribution, truth=self.truth)

    @cached_property
    def log_score(self) -> float:
        """Negative log density at the reference, nats; NaN without a distribution."""
        distribution = self.prediction.distribution
        return math.nan if distribution is None else log_score(distribution, truth=self.truth)


@dataclass(frozen=True)
class Group:
    """Figures over some films.

    Attributes:
        n: films with a reference and a prediction, which the figures are over.
        refused: films with a reference that were refused.
        figures: by name, see `capitate.evaluation.metrics.estimate`.
    """

    n: int
    refused: int
    figures: dict[str, Estimate]

    def to_json(self) -> dict[str, object]:
        """Return the figures by name, and `n` and `refused` as values without an interval."""
        counts = {"n": Estimate(self.n), "refused": Estimate(self.refused)}
        return {name: value.to_json() for name, value in (self.figures | counts).items()}


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation found.

    Attributes:
        overall: the headline: films that the model was not trained on, or all films when predicted out of fold.
        groups: by name: `sex=female`, `age=60-119`, `sex=female,predicted=60-119`, `in_training` and the like.
        pairs: the films of the headline, in the order of the table.
        in_training: the films that the model was trained on, apart from the headline.
        unlabelled: films without a reference bone age.
        hidden: the films of the headline again, predicted with the sex hidden.
        out_of_fold: whether each film was predicted by models that never saw it.
    """

    overall: Group
    groups: dict[str, Group]
    pairs: tuple[Pair, ...]
    in_training: tuple[Pair, ...] = ()
    unlabelled: tuple[Pair, ...] = ()
    hidden: tuple[Pair, ...] = ()
    out_of_fold: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the headline's figures by name, and those of the groups under `groups`."""
        return self.overall.to_json() | {"groups": {name: group.to_json() for name, group in self.groups.items()}}


def band(months: float) -> str:
    """Return the age band of `months`: 0-59, 60-119, 120-179 or 180+."""
    low, high = next((low, high) for low, high in BANDS if months < high)
    return f"{low}+" if math.isinf(high) else f"{low}-{high - 1:.0f}"


def join(studies: Sequence[Study], predictions: Sequence[Prediction], *, sex: str | None = None) -> list[Pair]:
    """Join films and predictions by id; their positions do not matter.

    Raises:
        UsageError: if an id stands twice, a film has no prediction, or a prediction has no film.
    """
    for what, ids in (("films", [s.id for s in studies]), ("predictions", [p.id for p in predictions])):
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            raise UsageError(f"two {what} have one id, got {twice[0]!r} ({len(twice)} such ids); make ids unique")
    by_id = {prediction.id: prediction for prediction in predictions}
    lone = [study.id for study in studies if study.id not in by_id]
    lone += sorted(by_id.keys() - {study.id for study in studies})
    if lone:
        raise UsageError(
            f"films and predictions differ in {len(lone)} ids, got {lone[0]!r} on one side only; "
            "predict exactly the films of the table"
        )
    return [Pair(study=s, prediction=by_id[s.id], sex=sex or s.sex.value) for s in studies]


def evaluate(
    studies: Sequence[Study],
    predictions: Sequence[Prediction],
    *,
    hidden: Sequence[Prediction] | None = None,
    out_of_fold: bool = False,
    group_by: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Compare predicted with reference bone ages.

    Args:
        studies: films of a table.
        predictions: one a film, in any order.
        hidden: predictions of the same films with the sex hidden from the model, for the group `sex=hidden`.
        out_of_fold: predictions come from models that never saw the film, so that none is set apart.
        group_by: further columns of the table to take groups by, such as `kind`.
        resamples: bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        UsageError: if the ids do not match, no film has a reference, or a column to group by is not in the table.
    """
    pairs = join(studies, predictions)
    blind = [] if hidden is None else join(studies, hidden, sex=HIDDEN)
    for column in group_by:
        if not any(column in study.labels for study in studies):
            raise UsageError(f"cannot group by {column!r}: the table has no such column; name one that it has")
    unlabelled = [pair for pair in pairs if math.isnan(pair.truth)]
    if len(unlabelled) == len(pairs):
        raise UsageError(f"none of {len(pairs)} films has a reference bone age; fill the column bone_age_months")
    labelled = [pair for pair in pairs if not math.isnan(pair.truth)]
    apart = [] if out_of_fold else [pair for pair in labelled if pair.prediction.in_training]
    main = labelled if out_of_fold else [pair for pair in labelled if not pair.prediction.in_training]
    kept = {pair.study.id for pair in main}
    blind = [pair for pair in blind if pair.study.id in kept]
    groups = {
        name: _group(films, resamples=resamples, seed=seed)
        for name, films in _groups(main, blind=blind, group_by=group_by)
    }
    if apart:
        groups["in_training"] = _group(apart, resamples=resamples, seed=seed)
    return Evaluation(
        overall=_group(main, resamples=resamples, seed=seed),
        groups=groups,
        pairs=tuple(main),
        in_training=tuple(apart),
        unlabelled=tuple(unlabelled),
        hidden=tuple(blind),
        out_of_fold=out_of_fold,
    )


def _groups(
    pairs: Sequence[Pair], *, blind: Sequence[Pair], group_by: Sequence[str]
) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the groups that have films, by name. Refused films have no predicted age and stand in no such group."""
    bands = [band(low) for low, _ in BANDS]
    everyone = [*pairs, *blind]
    sexes = [name for name in ("female", "male", "unknown", HIDDEN) if any(pair.sex == name for pair in everyone)]
    for sex in sexes:
        yield f"sex={sex}", [pair for pair in everyone if pair.sex == sex]
    for name in bands:
        yield from _if_any(f"age={name}", [pair for pair in pairs if band(pair.truth) == name])
    for sex in sexes:
        for name in bands:
            films = [pair for pair in everyone if pair.sex == sex and _predicted_band(pair) == name]
            yield from _if_any(f"sex={sex},predicted={name}", films)
            aged = [pair for pair in everyone if pair.sex == sex and band(pair.truth) == name]
            yield from _if_any(f"sex={sex},age={name}", aged)
    for column in group_by:
        for value in sorted({pair.study.labels.get(column, "") for pair in pairs}):
            yield f"{column}={value}", [pair for pair in pairs if pair.study.labels.get(column, "") == value]


def _if_any(name: str, films: list[Pair]) -> Iterator[tuple[str, list[Pair]]]:
    if films:
        yield name, films


def _predicted_band(pair: Pair) -> str | None:
    return None if math.isnan(pair.predicted) else band(pair.predicted)


def _group(pairs: Sequence[Pair], *, resamples: int, seed: int) -> Group:
    answered = [pair for pair in pairs if not math.isnan(pair.predicted)]
    figures = estimate(_sample(answered), resamples=resamples, seed=seed)
    return Group(n=len(answered), refused=len(pairs) - len(answered), figures=figures)


def _sample(pairs: Sequence[Pair]) -> Sample:
    def column(values: Iterator[float | None]) -> NDArray[np.float64]:
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    names = [pair.study.patient_id or f"film {pair.study.id}" for pair in pairs]
    number = {name: position for position, name in enumerate(dict.fromkeys(names))}
    return Sample(
        truth=column(pair.truth for pair in pairs),
        predicted=column(pair.predicted for pair in pairs),
        low=column(pair.prediction.low for pair in pairs),
        high=column(pair.prediction.high for pair in pairs),
        crps=column(pair.crps for pair in pairs),
        log_score=column(pair.log_score for pair in pairs),
        cluster=np.array([number[name] for name in names], dtype=np.int64),
    )
