"""Whether a written file answers as the network that it was written from: measured before a bundle leaves.

Both answer for the same films through all that a bundle does with an answer: test views, smoothing, the median. What is
compared is the age in months, so that packed weights, folded norms and other kernels are all part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import ModelReference
from capitate.errors import UsageError
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.calibration import quantile
from capitate.runtime.session import Network
from capitate.types import Sex

__all__ = ["BATCHES", "LIMIT_MONTHS", "Agreement", "FilmViews", "InBatches", "ages_of", "measure_agreement"]

LIMIT_MONTHS = 0.05
"""Largest difference of an age that passes: a twentieth of what readers round to."""
BATCHES = (1, 16)
"""Views that a file is given at a time: one alone, and several."""
_NOBODY = ModelReference("", "", "", "")


@dataclass(frozen=True)
class FilmViews:
    """Some films as the networks see them.

    Attributes:
        views: uint8 (n, views, height, width).
        sexes: n of them.
    """

    views: NDArray[np.uint8]
    sexes: Sequence[Sex]


@dataclass(frozen=True)
class InBatches:
    """A network that is given so many rows at a time.

    Attributes:
        network: that answers.
        rows: at a time.
    """

    network: Network
    rows: int

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Answer for all rows, part by part."""
        count = len(next(iter(inputs.values())))
        parts = [slice(first, first + self.rows) for first in range(0, count, self.rows)]
        answers = [self.network.run({name: value[part] for name, value in inputs.items()}) for part in parts]
        return [np.concatenate(each) for each in zip(*answers, strict=True)]


@dataclass(frozen=True)
class Agreement:
    """How far answers by written files lie from those by torch.

    Attributes:
        on: the films, in words.
        real: whether they are films and not drawn.
        differences: by file and batch size, without their sign, float64 (films,).
        unit: of the differences.
    """

    on: str
    real: bool
    differences: Mapping[str, Mapping[int, NDArray[np.float64]]]
    unit: str = "months"

    @property
    def all(self) -> NDArray[np.float64]:
        """Every difference."""
        return np.concatenate([one for sizes in self.differences.values() for one in sizes.values()])

    def to_card(self, *, limit: float) -> dict[str, Any]:
        """Give the plain values of a card's `agreement`; `limit` in the unit."""
        first = next(iter(next(iter(self.differences.values())).values()))
        return {
            "on": self.on,
            "real_films": self.real,
            "films": len(first),
            "unit": self.unit,
            "limit": limit,
            "largest": _rounded(self.all.max()),
            "median": _rounded(np.median(self.all)),
            "networks": {
                name: {
                    f"batch_{size}": {"largest": _rounded(one.max()), "median": _rounded(np.median(one))}
                    for size, one in sizes.items()
                }
                for name, sizes in self.differences.items()
            },
        }

    def check(self, *, limit: float) -> None:
        """Refuse files that answer otherwise than their networks.

        Raises:
            UsageError: naming the file, the batch size and the largest difference, if it is more than the limit.
        """
        for name, sizes in self.differences.items():
            for size, one in sizes.items():
                if not one.max() <= limit:
                    raise UsageError(
                        f"{name} differs from torch by up to {one.max():.3f} {self.unit} on {self.on} (batches of "
                        f"{size}, median {np.median(one):.3f}), over the limit of {limit:g}; no bundle is written. "
                        "Look at what the export changes, or state another limit with --agreement-limit"
                    )


def measure_agreement(
    card: Mapping[str, Any],
    pairs: Mapping[str, tuple[Network, Network]],
    films: Iterable[FilmViews],
    *,
    on: str,
    real: bool,
) -> Agreement:
    """Compare networks with the files written from them.

    Args:
        card: of the bundle, as `BoneAgeModel.of_networks` takes it.
        pairs: by name of the file, the network by torch and the file.
        films: in parts that fit into memory.
        on: the films, in words.
        real: whether they are films and not drawn.

    Raises:
        UsageError: if there are no films.
    """
    found: dict[str, dict[int, list[NDArray[np.float64]]]] = {name: {size: [] for size in BATCHES} for name in pairs}
    for part in films:
        for name, (network, file) in pairs.items():
            expected = ages_of(card, network, part)
            for size, parts in found[name].items():
                parts.append(np.abs(ages_of(card, InBatches(file, size), part) - expected))
    if not all(parts for sizes in found.values() for parts in sizes.values()):
        raise UsageError(f"no film to measure agreement on: {on}; give films of one hand with --agreement")
    joined = {name: {size: np.concatenate(parts) for size, parts in sizes.items()} for name, sizes in found.items()}
    return Agreement(on, real, joined)


def ages_of(card: Mapping[str, Any], network: Network, films: FilmViews) -> NDArray[np.float64]:
    """Give the ages in months that a bundle of this one network would answer, (n,)."""
    model = BoneAgeModel.of_networks(card, [network], reference=_NOBODY)
    return quantile(model.predict(films.views, films.sexes), 0.5)


def _rounded(value: np.floating[Any] | float) -> float:
    """Round to a hundred-thousandth."""
    return round(float(value), 5)
