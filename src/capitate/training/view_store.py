"""Films cut to views once, kept on disk, and read by every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.errors import UsageError
from capitate.training.folds import fold_of

__all__ = ["SEX_INDEX", "ViewSource", "ViewStore", "folds_of", "resized"]

SEX_INDEX = {"female": 0, "male": 1, "unknown": 2}


class ViewSource(Protocol):
    """What training needs of its films, whether they were prepared (`ViewStore`) or are read now (`FilmSource`)."""

    @property
    def ids(self) -> NDArray[np.str_]:
        """Film ids, (n,)."""

    @property
    def months(self) -> NDArray[np.float32]:
        """Bone ages, (n,)."""

    @property
    def sexes(self) -> NDArray[np.int64]:
        """Sexes, (n,), see `SEX_INDEX`."""

    @property
    def patients(self) -> NDArray[np.str_]:
        """Patient of every film, or the film where patients are not told, (n,)."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a view."""

    @property
    def refused(self) -> Mapping[str, object]:
        """What could not be read so far, by film id."""

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of every film, (n,)."""

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Begin to read films that a later batch will ask for."""

    def close(self) -> None:
        """End what reads films in the background."""

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows whose films can be read, in order."""

    def batch(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give views, masks, months and sexes of some rows."""


@dataclass(frozen=True, eq=False)
class ViewStore:
    """Views of labelled films in one order.

    Attributes:
        ids: (n,) film ids as text.
        views: uint8 (n, height, width), from `ViewRule.view`.
        masks: bool (n, height, width), the dilated hand.
        months: float32 (n,), bone age.
        sexes: int64 (n,), see `SEX_INDEX`.
        given_folds: int64 (n,), folds made by `capitate data split`, or None where a film's patient or id decides.
        given_patients: (n,), whom each film is of, or None where the table does not tell.
    """

    ids: NDArray[np.str_]
    views: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    months: NDArray[np.float32]
    sexes: NDArray[np.int64]
    given_folds: NDArray[np.int64] | None = None
    given_patients: NDArray[np.str_] | None = None

    @classmethod
    def load(cls, folder: Path) -> ViewStore:
        """Open a store that `save` wrote; views stay memory-mapped."""
        table = np.load(folder / "table.npz")
        views, masks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("views", "masks"))
        given, patients = table.get("folds"), table.get("patients")
        return cls(table["ids"], views, masks, table["months"], table["sexes"], given, patients)

    def save(self, folder: Path) -> None:
        """Write the store to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        labels: dict[str, Any] = {"ids": self.ids, "months": self.months, "sexes": self.sexes}
        if self.given_folds is not None:
            labels["folds"] = self.given_folds
        if self.given_patients is not None:
            labels["patients"] = self.given_patients
        np.savez(folder / "table.npz", **labels)
        np.save(folder / "views.npy", self.views)
        np.save(folder / "masks.npy", self.masks)

    @property
    def patients(self) -> NDArray[np.str_]:
        """Patient of every film, or the film's own id where the table told none, (n,)."""
        return self.ids if self.given_patients is None else self.given_patients

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a view."""
        return int(self.views.shape[1]), int(self.views.shape[2])

    @property
    def refused(self) -> Mapping[str, object]:
        """Nothing: what could not be read is not in the store."""
        return {}

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of every film, int64 (n,).

        Raises:
            UsageError: if the store has folds of its own and they are not `count`.
        """
        return folds_of(self.patients, count=count, given=self.given_folds)

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Do nothing: views are on disk."""

    def close(self) -> None:
        """Do nothing: no process reads for the store."""

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return all rows: what could not be read is not in the store."""
        return rows

    def batch(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give views (n, 1, h, w), masks, months and sexes of some rows, reduced to `size` with antialiasing."""
        order = np.sort(rows)
        back = np.argsort(np.argsort(rows))
        views = torch.from_numpy(np.ascontiguousarray(self.views[order][back]))[:, None]
        masks = torch.from_numpy(np.ascontiguousarray(self.masks[order][back]))[:, None]
        views, masks = resized(views, masks, size=size)
        return views, masks, torch.from_numpy(self.months[rows]), torch.from_numpy(self.sexes[rows])


def folds_of(patients: NDArray[np.str_], *, count: int, given: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Decide folds by each film's patient alone, or take those that were given, int64 (n,).

    Raises:
        UsageError: if folds were given and they are not `count`.
    """
    if given is None:
        return np.array([fold_of(str(i), folds=count) for i in patients], dtype=np.int64)
    found = np.unique(given).tolist()
    if found != list(range(count)):
        raise UsageError(
            f"the films have the folds {', '.join(map(str, found))} of their table and the experiment has {count}; set "
            f"folds = {len(found)}, or prepare the store again"
        )
    return given


def resized(views: Tensor, masks: Tensor, *, size: tuple[int, int] | None) -> tuple[Tensor, Tensor]:
    """Reduce views and masks (n, 1, h, w) to a size with antialiasing; nothing changes where they have it."""
    if size is None or tuple(views.shape[2:]) == size:
        return views, masks
    smaller = functional.interpolate(views.float(), size, mode="bilinear", antialias=True)
    return smaller, functional.interpolate(masks.float(), size, mode="nearest") > 0.5
