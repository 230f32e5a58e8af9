"""Which films an epoch shows and in what order: functions of ages, sexes, seed and epoch alone.

Nothing is kept from one epoch to the next, so a run that goes on in epoch 7 draws what an unbroken run draws there, and
every process of a run draws the same order and takes its share of it. Balancing never copies films on disk: a film that
comes twice in an epoch is augmented anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from capitate.errors import UsageError
from capitate.training.settings.sampling import SamplingConfig

__all__ = ["age_sex_weights", "epoch_rows", "films_an_epoch", "noisy_months"]

_ORDER, _NOISE = 0, 1
"""Streams of random numbers of an epoch, so that noise on ages does not move the order of films."""

Ages = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]


def epoch_rows(months: Ages, sexes: Rows, config: SamplingConfig, *, seed: int, epoch: int) -> Rows:
    """Give the films of one epoch in their order.

    Args:
        months: (n,) bone ages of the films to learn from.
        sexes: (n,), 0 female, 1 male, 2 unknown.
        config: how to sample.
        seed: of the run.
        epoch: counted from 0.

    Returns:
        Indices into `months`, as many as `films_an_epoch` says.

    Raises:
        UsageError: if there is no film, or ages and sexes do not belong together.
    """
    if len(months) != len(sexes) or len(months) == 0:
        raise UsageError(f"sampling needs an age and a sex for every film, got {len(months)} and {len(sexes)}")
    random = np.random.default_rng([seed, epoch, _ORDER])
    return _METHODS[config.method](months, sexes, config, random)


def films_an_epoch(months: Ages, sexes: Rows, config: SamplingConfig) -> int:
    """Tell how many films an epoch shows; the schedule needs it before the first epoch."""
    if config.method in ("once", "weights"):
        return len(months)
    cells = len(np.unique(_cells(months, sexes, config)))
    return cells * _films_a_cell(len(months), cells, config)


def noisy_months(months: Ages, config: SamplingConfig, *, seed: int, epoch: int) -> NDArray[np.float32]:
    """Add normal noise to the ages of all films of a store, new in every epoch; ages below 0 become 0.

    Args:
        months: (n,) bone ages in the order of the store, so that every process gives a film the same noise.
        config: `label_noise` is the standard deviation in months.
        seed: of the run.
        epoch: counted from 0.
    """
    if not config.label_noise:
        return np.asarray(months, dtype=np.float32)
    noise = np.random.default_rng([seed, epoch, _NOISE]).normal(0, config.label_noise, len(months))
    return np.maximum(months + noise, 0).astype(np.float32)


def age_sex_weights(months: Ages, sexes: Rows, *, power: float, smoothing_months: float) -> NDArray[np.float64]:
    """Give the probability of each film: the inverse density of its age among films of its sex, to a power.

    The density is the count by month, smoothed by a normal kernel as in label distribution smoothing (Yang, Zha, Chen,
    Wang, Katabi: Delving into Deep Imbalanced Regression, ICML 2021), so that an age between an
    atlas's plates, to which readers round, does not count as rare.

    Args:
        months: (n,) bone ages.
        sexes: (n,) codes.
        power: 1 for equal frequency of ages and sexes, 0 for that of the films.
        smoothing_months: width of the kernel.

    Returns:
        (n,), sum 1.
    """
    density = np.empty(len(months))
    whole = np.rint(months).astype(np.int64)
    for sex in np.unique(sexes):
        own = sexes == sex
        counts = np.bincount(whole[own], minlength=int(whole.max()) + 1).astype(np.float64)
        smooth = gaussian_filter1d(counts, smoothing_months, mode="constant") if smoothing_months else counts
        density[own] = smooth[whole[own]]
    weights = density**-power
    return np.asarray(weights / weights.sum())


def _once(months: Ages, _sexes: Rows, _config: SamplingConfig, random: np.random.Generator) -> Rows:
    return random.permutation(len(months)).astype(np.int64)


def _by_weight(months: Ages, sexes: Rows, config: SamplingConfig, random: np.random.Generator) -> Rows:
    weights = age_sex_weights(months, sexes, power=config.power, smoothing_months=config.smoothing_months)
    return random.choice(len(months), len(months), p=weights).astype(np.int64)


def _by_cell(months: Ages, sexes: Rows, config: SamplingConfig, random: np.random.Generator) -> Rows:
    """Draw as many films from every stratum or bin that has any, and shuffle them."""
    cells = _cells(months, sexes, config)
    present = np.unique(cells)
    count = _films_a_cell(len(months), len(present), config)
    draw = random.choice if config.method == "bins" else _evenly(random)
    return random.permutation(np.concatenate([draw(np.flatnonzero(cells == cell), count) for cell in present]))


def _evenly(random: np.random.Generator) -> Callable[[Rows, int], Rows]:
    """Make a draw in which no film comes twice more often than another of its stratum, as system 001's copies did."""

    def draw(rows: Rows, count: int) -> Rows:
        times, rest = divmod(count, len(rows))
        return np.concatenate([np.repeat(rows, times), random.choice(rows, rest, replace=False)])

    return draw


def _cells(months: Ages, sexes: Rows, config: SamplingConfig) -> Rows:
    """Give the stratum, or the bin by sex, of every film."""
    if config.method == "strata":
        return np.searchsorted(np.array(config.edges), months, side="right").astype(np.int64)
    inner = np.linspace(float(months.min()), float(months.max()), config.bins + 1)[1:-1]
    # A bin reaches from above its lower edge to its upper edge included, as in pandas.cut, which system 004 used.
    return np.asarray(np.searchsorted(inner, months, side="left") * 3 + sexes, dtype=np.int64)


def _films_a_cell(films: int, cells: int, config: SamplingConfig) -> int:
    return config.films or max(1, round(films / cells))


_METHODS: Mapping[str, Callable[[Ages, Rows, SamplingConfig, np.random.Generator], Rows]] = {
    "once": _once,
    "weights": _by_weight,
    "strata": _by_cell,
    "bins": _by_cell,
}
