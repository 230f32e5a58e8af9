"""Whether a film looks like those that a network was trained on, by the features that its head sees.

The Mahalanobis distance of a film's averaged features from those of the training films (Lee et al. 2018, NeurIPS: A
simple unified framework for detecting out-of-distribution samples), against the distance that films kept back kept.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError

__all__ = ["Familiarity"]


@dataclass(frozen=True, eq=False)
class Familiarity:
    """Where training films lie.

    Attributes:
        mean: float32 (channels,), of the averaged features.
        whitening: float32 (channels, channels); features less the mean, times it, have no covariance and variance 1.
        limit: distance up to which a film is familiar.
        share: of the films kept back that lie within the limit.
        films: that the mean and the covariance are of, and that the limit is of, int64 (2,).
    """

    mean: NDArray[np.float32]
    whitening: NDArray[np.float32]
    limit: float
    share: float
    films: NDArray[np.int64]

    def distances(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the Mahalanobis distance of averaged features (n, channels), float64 (n,)."""
        apart = (features.astype(np.float64) - self.mean) @ self.whitening.astype(np.float64)
        found: NDArray[np.float64] = np.sqrt((apart**2).sum(axis=1))
        return found

    def save(self, path: Path) -> None:
        """Write it as a NumPy archive."""
        with path.open("wb") as stream:
            np.savez_compressed(
                stream,
                mean=self.mean,
                whitening=self.whitening,
                limit=np.float64(self.limit),
                share=np.float64(self.share),
                films=self.films,
            )

    @classmethod
    def load(cls, path: Path) -> Familiarity:
        """Read what `save` wrote; nothing in the file is executed.

        Raises:
            BundleDamagedError: if the file cannot be read.
        """
        try:
            with np.load(path, allow_pickle=False) as found:
                values = {one.name: found[one.name] for one in fields(cls)}
        except (OSError, ValueError, KeyError) as error:
            raise BundleDamagedError(f"{path} cannot be read ({error!r}); install the bundle again") from error
        for name in ("limit", "share"):
            values[name] = float(values[name])
        return cls(**values)
