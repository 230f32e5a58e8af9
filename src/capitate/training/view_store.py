"""Films cut to views once, kept on disk, and read by every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.errors import UsageError
from capitate.training.folds import fold_of

__all__ = ["SEX_INDEX", "ViewStore"]

SEX_INDEX = {"female": 0, "male": 1, "unknown": 2}


@dataclass(frozen=True, eq=False)
class ViewStore:
    """Views of labelled films in one order.

    Attributes:
        ids: (n,) film ids as text.
        views: uint8 (n, height, width), from `ViewRule.view`.
        masks: bool (n, height, width), the dilated hand.
        months: float32 (n,), bone age.
        sexes: int64 (n,), see `SEX_INDEX`.
    """

    ids: NDArray[np.str_]
    views: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    months: NDArray[np.float32]
    sexes: NDArray[np.int64]

    @classmethod
    def load(cls, folder: Path) -> ViewStore:
        """Open a store that `save` wrote; views stay memory-mapped."""
        table = np.load(folder / "table.npz")
        views, masks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("views", "masks"))
        return cls(table["ids"], views, masks, table["months"], table["sexes"])

    @classmethod
    def open(cls, folder: Path) -> ViewStore:
        """Open a store for a user.

        Raises:
            UsageError: if the folder holds none.
        """
        try:
            return cls.load(folder)
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"{folder} holds no views ({error}); make them with `capitate data prepare`") from error

    def save(self, folder: Path) -> None:
        """Write the store to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "table.npz", ids=self.ids, months=self.months, sexes=self.sexes)
        np.save(folder / "views.npy", self.views)
        np.save(folder / "masks.npy", self.masks)

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of every film, int64 (n,)."""
        return np.array([fold_of(str(i), folds=count) for i in self.ids], dtype=np.int64)

    def batch(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give views (n, 1, h, w), masks, months and sexes of some rows, reduced to `size` with antialiasing."""
        order = np.sort(rows)
        back = np.argsort(np.argsort(rows))
        views = torch.from_numpy(np.ascontiguousarray(self.views[order][back]))[:, None]
        masks = torch.from_numpy(np.ascontiguousarray(self.masks[order][back]))[:, None]
        if size is not None and tuple(views.shape[2:]) != size:
            views = functional.interpolate(views.float(), size, mode="bilinear", antialias=True)
            masks = functional.interpolate(masks.float(), size, mode="nearest") > 0.5
        return views, masks, torch.from_numpy(self.months[rows]), torch.from_numpy(self.sexes[rows])
