"""Predictions for films by a network that never saw them: what calibration and figures rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError

__all__ = ["OutOfFold"]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold predictions of n films, each row one film.

    Attributes:
        ids: (n,) film ids as text, each once.
        months: float32 (n,), bone age.
        sexes: int64 (n,): 0 female, 1 male, 2 unknown.
        given: float32 (n, 240), probabilities by month given the film's own sex.
        unknown: float32 (n, 240), the same with the sex hidden.
    """

    ids: NDArray[np.str_]
    months: NDArray[np.float32]
    sexes: NDArray[np.int64]
    given: NDArray[np.float32]
    unknown: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check that the rows belong together.

        Raises:
            UsageError: if lengths differ, an id stands twice, or a distribution is none.
        """
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) != 1:
            raise UsageError(f"out-of-fold predictions need one row a film in every array, got {lengths}")
        names, counts = np.unique(self.ids, return_counts=True)
        if (counts > 1).any():
            raise UsageError(f"a film was predicted twice, got {names[counts > 1][0]!r}; give each fold once")
        for name in ("given", "unknown"):
            sums = getattr(self, name).sum(axis=1)
            if not np.allclose(sums, 1, atol=1e-3):
                raise UsageError(f"probabilities {name!r} must sum to 1 in every row, got a sum of {sums.min():.4f}")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> OutOfFold:
        """Read one file, or several that hold a fold each.

        Raises:
            UsageError: naming the file or the array that is missing.
        """
        names = [field.name for field in fields(cls)]
        return cls.beside([cls(**_arrays(path, names)) for path in paths])

    @classmethod
    def beside(cls, parts: Sequence[OutOfFold]) -> OutOfFold:
        """Lay predictions for different films beside each other."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def save(self, path: Path) -> None:
        """Write an npz file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})


def _arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        advice = f"give an npz file with {', '.join(names)}"
        raise UsageError(f"cannot read out-of-fold predictions from {path}: {error}; {advice}") from error
