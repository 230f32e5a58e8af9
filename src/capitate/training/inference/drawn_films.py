"""Drawn films as one process hands them to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.views import HandFrame

__all__ = ["DrawnFilms"]


@dataclass(frozen=True, eq=False)
class DrawnFilms:
    """Squashed films with the hands that the locator found on them.

    Attributes:
        squares: float32 (n, 299, 299) from `squash`.
        frames: n of them.
        sexes: int64 (n,), 0 female, 1 male, 2 unknown.
    """

    squares: NDArray[np.float32]
    frames: Sequence[HandFrame]
    sexes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.squares)

    def save(self, path: Path) -> None:
        """Write the films."""
        frames = np.array([(one.centre, one.right, one.down) for one in self.frames])
        np.savez(path, squares=self.squares, frames=frames, sexes=self.sexes)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as kept:
            frames = [HandFrame(*((float(x), float(y)) for x, y in one)) for one in kept["frames"]]
            return cls(kept["squares"], frames, kept["sexes"])
