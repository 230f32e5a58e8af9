"""Views that are in memory already, so that what is done with them can be timed without reading them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.training.view_store import ViewSource

__all__ = ["HeldViews"]


class HeldViews:
    """Some rows of a source at one size, on one device, with the interface of `ViewSource`."""

    def __init__(
        self, source: ViewSource, rows: NDArray[np.int64], *, size: tuple[int, int], device: torch.device
    ) -> None:
        """Read the rows.

        Args:
            source: films.
            rows: which of them.
            size: rows and columns of the views.
            device: for views and masks; labels stay on the CPU, as a feeder expects them.
        """
        rows = source.usable(rows)
        views, masks, _, _ = source.batch(rows, size=size)
        self._views, self._masks = views.to(device), masks.to(device)
        self._source, self._rows, self._device = source, rows, device
        self.size = size
        self.ids, self.patients = source.ids[rows], source.patients[rows]
        self.months, self.sexes = source.months[rows], source.sexes[rows]

    @property
    def refused(self) -> Mapping[str, object]:
        """Nothing: what could not be read is not held."""
        return {}

    def folds(self, count: int) -> NDArray[np.int64]:
        """Give the fold of every film held, (n,)."""
        held: NDArray[np.int64] = self._source.folds(count)[self._rows]
        return held

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Do nothing: all is read."""

    def close(self) -> None:
        """Do nothing: no process reads."""

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return all rows."""
        return rows

    def batch(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give views (n, 1, h, w) and masks from the device, months and sexes; `size` is the one held."""
        assert size in (None, self.size)  # noqa: S101  a feeder asks for the size of its stage
        chosen = torch.from_numpy(rows).to(self._device)
        months, sexes = torch.from_numpy(self.months[rows]), torch.from_numpy(self.sexes[rows])
        return self._views[chosen], self._masks[chosen], months, sexes
