"""Which films an epoch shows, how often, and with what noise on their ages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from capitate.errors import UsageError

__all__ = ["METHODS", "SamplingConfig"]

METHODS = ("once", "weights", "strata", "bins")


@dataclass(frozen=True)
class SamplingConfig:
    """Sampling of an epoch; see `capitate.training.sampling`.

    Attributes:
        method: `once` shows every film once; `weights` draws as many films with probabilities by age and sex; `strata`
            draws as many from each stratum of age, `bins` from each of some bins of age by sex.
        power: of the inverse density, with `weights`: 1 shows every age equally often, 0 leaves their frequency.
        smoothing_months: width of the kernel that the density of ages is smoothed by, with `weights`.
        edges: ages in months between the strata, with `strata`; system 001 had these.
        bins: equal bins between the least and the greatest age, with `bins`; system 004 had ten.
        films: from each stratum or bin, such as 2000 (system 001) or 500 (system 004); 0 shares the films of the
            training folds out evenly, so that an epoch is as long as without balancing.
        label_noise: standard deviation in months of normal noise on the ages, drawn anew in every epoch.
    """

    method: str = "once"
    power: float = 0.5
    smoothing_months: float = 6.0
    edges: tuple[int, ...] = (57, 114, 171)
    bins: int = 10
    films: int = 0
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: naming the key, its value and what is allowed.
        """
        if self.method not in METHODS:
            raise UsageError(f"sampling.method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if not 0 <= self.power <= 1:
            raise UsageError(f"sampling.power must lie between 0 and 1, got {self.power}")
        for name in ("smoothing_months", "label_noise"):
            if not 0 <= getattr(self, name) <= 60:
                raise UsageError(f"sampling.{name} must lie between 0 and 60 months, got {getattr(self, name)}")
        if self.bins < 1 or self.films < 0:
            raise UsageError(
                f"sampling needs bins of 1 or more and films of 0 or more, got {self.bins} and {self.films}"
            )
        if any(low >= high for low, high in pairwise(self.edges)):
            raise UsageError(f"sampling.edges must rise, got {list(self.edges)}")
