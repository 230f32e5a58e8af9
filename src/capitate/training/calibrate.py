"""Calibration of a model from out-of-fold predictions, and its honest measurement: fitted and measured on other folds.

The calibration that ships is fitted on all films. Its coverage is measured by cross-fitting: for each fold it is
fitted on the other folds and measured on that one, so that no film helps to set its own interval. Where a single run
held one fold out, parts of that fold take the place of folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import Distribution
from capitate.errors import UsageError
from capitate.evaluation.bootstrap import wilson
from capitate.evaluation.metrics import RESAMPLES, Estimate, Sample, estimate
from capitate.evaluation.probability import crps, log_score, pit
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.calibration import BANDS, Calibration, band_of, cumulative, quantile
from capitate.training.folds import FOLDS, fold_of
from capitate.training.out_of_fold import OutOfFold
from capitate.types import Sex

__all__ = [
    "LEVEL",
    "MATURE_MONTHS",
    "CalibrationReport",
    "Cell",
    "Scored",
    "band_name",
    "calibrate",
    "fit",
    "intervals",
    "scored",
    "wilson",
]

LEVEL = 0.9
MATURE_MONTHS: Mapping[Sex, float] = {Sex.FEMALE: 180.0, Sex.MALE: 198.0, Sex.UNKNOWN: 198.0}
"""Bone age in months from which a hand counts as mature: where the TW3 RUS score reaches its end, 15.0 years in girls
and 16.5 in boys (Tanner et al. 2001, Assessment of Skeletal Maturity and Prediction of Adult Height, tables A1 and A3).
Where the sex is unknown, the hand has to be mature as either."""

PIT_BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Coverage in one cell.

    Attributes:
        sex: as given to the network.
        band: index into `BANDS`.
        by: `predicted` or `true` age.
        n: films.
        coverage: share of films whose label lies in its interval, with Wilson's 95 % interval (Wilson 1927, JASA
            22:209); NaN without films.
        width: mean width of the intervals, months; NaN without films.
    """

    sex: Sex
    band: int
    by: str
    n: int
    coverage: Estimate
    width: float


@dataclass(frozen=True)
class CalibrationReport:
    """What `capitate calibrate` finds.

    Attributes:
        films: number of films.
        calibration: fitted on all of them; this goes into the bundle.
        cells: cross-fitted coverage by sex x predicted band, then by sex x true band.
        figures: of the predictions and cross-fitted intervals, by group: `given`, `female`, `male`, `unknown`, and
            `given, 0-59 months` and so on by true age.
        counts: films in each of these groups.
        pit: by sex as given to the network, share of films in each tenth of the probability integral transform.
    """

    films: int
    calibration: Calibration
    cells: tuple[Cell, ...]
    figures: Mapping[str, Mapping[str, Estimate]]
    counts: Mapping[str, int]
    pit: Mapping[Sex, tuple[float, ...]]

    def to_json(self) -> dict[str, Any]:
        """Give everything as plain values; `calibration` is the part of a card."""
        return {
            "films": self.films,
            "counts": dict(self.counts),
            "calibration": self.calibration.to_card(),
            "coverage": [
                {
                    "sex": str(cell.sex),
                    "by": cell.by,
                    "band_months": list(BANDS[cell.band]),
                    "n": cell.n,
                    "coverage": cell.coverage.to_json(),
                    "width_months": None if np.isnan(cell.width) else round(cell.width, 2),
                }
                for cell in self.cells
            ],
            "figures": {
                group: {name: value.to_json() for name, value in values.items()}
                for group, values in self.figures.items()
            },
            "pit": {str(sex): [round(share, 4) for share in shares] for sex, shares in self.pit.items()},
        }


@dataclass(frozen=True, eq=False)
class Scored:
    """Films under one sex as given to the network; every array has one element a film."""

    sex: Sex
    ids: NDArray[np.str_]
    truth: Floats
    probabilities: NDArray[np.float32]
    predicted: Floats
    score: Floats

    @property
    def bands(self) -> NDArray[np.int64]:
        """Band of each prediction."""
        return np.array([band_of(value) for value in self.predicted], dtype=np.int64)

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of each film; of a single fold, as one run holds it out, as many parts that its films' ids decide."""
        found = np.array([fold_of(str(name), folds=count) for name in self.ids], dtype=np.int64)
        if len(np.unique(found)) > 1:
            return found
        return np.array([fold_of(f"part of a fold: {name}", folds=count) for name in self.ids], dtype=np.int64)


def calibrate(
    films: OutOfFold,
    *,
    level: float = LEVEL,
    folds: int = FOLDS,
    mature_months: Mapping[Sex, float] = MATURE_MONTHS,
    resamples: int = RESAMPLES,
) -> CalibrationReport:
    """Fit a calibration, and measure it on folds that it was not fitted on.

    Args:
        films: predictions by networks that never saw them.
        level: nominal coverage.
        folds: number of folds, those of training.
        mature_months: by sex, passed into the calibration.
        resamples: of the bootstrap.

    Raises:
        UsageError: if girls or boys are missing.
    """
    groups = _groups(films)
    ends = {sex: _cross_fit(group, folds=folds, level=level) for sex, group in groups.items()}
    grouped = dict(_grouped({sex: _sample(group, *ends[sex]) for sex, group in groups.items()}))
    return CalibrationReport(
        films=len(films),
        calibration=_fit(groups, level=level, mature_months=mature_months),
        cells=tuple(
            cell for by in ("predicted", "true") for sex in groups for cell in _cells(groups[sex], ends[sex], by)
        ),
        figures={name: estimate(one, resamples=resamples) for name, one in grouped.items()},
        counts={name: len(one) for name, one in grouped.items()},
        pit={sex: _pit(group) for sex, group in groups.items()},
    )


def fit(films: OutOfFold, *, level: float = LEVEL, mature_months: Mapping[Sex, float] = MATURE_MONTHS) -> Calibration:
    """Fit a calibration on films without measuring it.

    Raises:
        UsageError: if girls or boys are missing.
    """
    return _fit(_groups(films), level=level, mature_months=mature_months)


def _groups(films: OutOfFold) -> dict[Sex, Scored]:
    """Give the films by sex, and all of them with the sex hidden."""
    return {sex: scored(films, sex) for sex in Sex}


def scored(films: OutOfFold, sex: Sex) -> Scored:
    """Take the films of one sex, or all films with the sex hidden.

    Raises:
        UsageError: if there are none.
    """
    rows = np.full(len(films), True) if sex is Sex.UNKNOWN else films.sexes == SEX_CODES[sex]
    if not rows.any():
        raise UsageError(f"no film of sex {sex} among {len(films)}; calibration needs girls and boys")
    probabilities = (films.unknown if sex is Sex.UNKNOWN else films.given)[rows]
    truth = films.months[rows].astype(np.float64)
    predicted = quantile(probabilities, 0.5)
    score = np.abs(cumulative(probabilities, truth) - 0.5)
    return Scored(sex, films.ids[rows], truth, probabilities, predicted, score)


def intervals(group: Scored, calibration: Calibration) -> tuple[Floats, Floats]:
    """Give the interval of every film, as `Calibration.interval` gives it for one."""
    reach = np.array(calibration.reach[group.sex])[group.bands]
    return quantile(group.probabilities, 0.5 - reach), quantile(group.probabilities, 0.5 + reach)


def _fit(groups: Mapping[Sex, Scored], *, level: float, mature_months: Mapping[Sex, float]) -> Calibration:
    scores = {sex: (group.predicted, group.score) for sex, group in groups.items()}
    return Calibration.fit(scores, level=level, mature_months=mature_months)


def _cross_fit(group: Scored, *, folds: int, level: float) -> tuple[Floats, Floats]:
    """Give each film the interval of a calibration that was fitted on the other folds."""
    fold = group.folds(folds)
    low, high = np.full(len(fold), np.nan), np.full(len(fold), np.nan)
    for k in np.unique(fold):
        here, others = _take(group, fold == k), _take(group, fold != k)
        if len(others.ids) == 0:
            raise UsageError(
                f"the {len(fold)} films of sex {group.sex} are all of one part; cross-fitting needs more films"
            )
        low[fold == k], high[fold == k] = intervals(
            here, _fit({group.sex: others}, level=level, mature_months=MATURE_MONTHS)
        )
    return low, high


def _take(group: Scored, rows: NDArray[np.bool_]) -> Scored:
    return Scored(
        group.sex,
        group.ids[rows],
        group.truth[rows],
        group.probabilities[rows],
        group.predicted[rows],
        group.score[rows],
    )


def _cells(group: Scored, ends: tuple[Floats, Floats], by: str) -> Iterator[Cell]:
    """Count covered films by band of predicted or true age."""
    low, high = ends
    inside = (low <= group.truth) & (group.truth <= high)
    ages = group.predicted if by == "predicted" else group.truth
    bands = np.array([band_of(value) for value in ages])
    for band in range(len(BANDS)):
        rows = bands == band
        n = int(rows.sum())
        width = float((high - low)[rows].mean()) if n else float("nan")
        yield Cell(group.sex, band, by, n, wilson(int(inside[rows].sum()), n), width)


def band_name(band: int) -> str:
    """Name a band of `BANDS`, such as `60-119`, the last `180+`."""
    low, high = BANDS[band]
    return f"{low}+" if band == len(BANDS) - 1 else f"{low}-{high - 1}"


def _distributions(group: Scored) -> list[Distribution]:
    return [Distribution(0.0, 1.0, tuple(row)) for row in group.probabilities.astype(np.float64).tolist()]


def _sample(group: Scored, low: Floats, high: Floats) -> Sample:
    pairs = list(zip(_distributions(group), group.truth, strict=True))
    return Sample.of(
        group.truth,
        group.predicted,
        low=low,
        high=high,
        crps=np.array([crps(one, truth=truth) for one, truth in pairs]),
        log_score=np.array([log_score(one, truth=truth) for one, truth in pairs]),
    )


def _grouped(samples: Mapping[Sex, Sample]) -> Iterator[tuple[str, Sample]]:
    """Yield the films with the sex given, by sex, with the sex hidden, and by true age."""
    given = [samples[Sex.FEMALE], samples[Sex.MALE]]
    names = [name for name in Sample.__dataclass_fields__ if name != "cluster"]
    both = Sample.of(**{name: np.concatenate([getattr(one, name) for one in given]) for name in names})
    yield "given", both
    yield from ((str(sex), sample) for sex, sample in samples.items())
    bands = np.array([band_of(value) for value in both.truth])
    for band in np.unique(bands).tolist():
        yield f"given, {band_name(band)} months", both.select(bands == band)


def _pit(group: Scored) -> tuple[float, ...]:
    values = [pit(one, truth=truth) for one, truth in zip(_distributions(group), group.truth, strict=True)]
    counts, _ = np.histogram(values, PIT_BINS, (0, 1))
    return tuple(float(share) for share in counts / len(values))
