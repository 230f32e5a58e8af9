"""Pictures of films or crops by row, read on demand and kept in memory as far as that is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.training.data.lazy_reading import LazyReader
from capitate.training.pictures.reading import Item, read_picture
from capitate.training.prepare import Refused
from capitate.training.settings.pictures import PicturesOnDemandConfig

__all__ = ["PictureSource"]

_HALF = 127.5


class PictureSource:
    """Films or crops as 8-bit pictures of one size.

    Attributes:
        ids: (n,) of the films.
        rule: by which pictures are made.
    """

    def __init__(self, items: Sequence[Item], *, rule: CropRule | FilmRule, config: PicturesOnDemandConfig) -> None:
        """Take films; none is read yet.

        Args:
            items: films or crops.
            rule: by which pictures are made.
            config: who reads them, and what happens to those that cannot be read.
        """
        self.ids = np.array([item.id for item in items], dtype=np.str_)
        self.rule = rule.film if isinstance(rule, CropRule) else rule
        job = partial(read_picture, rule=rule, aspect=config.aspect, limbs=config.limbs)
        self._reader: LazyReader[NDArray[np.uint8]] = LazyReader(items, job, ids=self.ids, config=config)
        self._planes = 2 if config.limbs else 1
        self._room = config.cache_megabytes * 1_000_000 // (self._planes * self.rule.height * self.rule.width)
        self._kept: dict[int, NDArray[np.uint8]] = {}

    @property
    def refused(self) -> dict[str, Refused]:
        """What could not be read so far, by id."""
        return self._reader.refused

    def close(self) -> None:
        """End the processes that read."""
        self._reader.close()

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Begin to read what a later batch will ask for, while the network learns."""
        self._reader.announce([row for row in rows.tolist() if row not in self._kept])

    def pictures(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[NDArray[np.bool_], Tensor]:
        """Give pictures of some rows, in their order.

        Args:
            rows: may repeat.
            size: rows and columns to reduce them to with antialiasing; as they are made if None.

        Returns:
            Which rows can be read, bool (n,), and their pictures, float32 (readable, 1, height, width), 0 to 255.

        Raises:
            UsageError: naming the film, where a run is to stop at the first that cannot be read.
        """
        readable, pictures, _ = self.with_limbs(rows, size=size)
        return readable, pictures

    def with_limbs(
        self, rows: NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> tuple[NDArray[np.bool_], Tensor, Tensor]:
        """Give pictures of some rows, and where their limbs are; arguments and errors as of `pictures`.

        Returns:
            Beside what `pictures` gives, bool (readable, 1, height, width); True everywhere where limbs are not told.
        """
        made = self._reader.read([row for row in rows.tolist() if row not in self._kept])
        found = {row: self._kept[row] if row in self._kept else made.get(row) for row in rows.tolist()}
        for row, fresh in made.items():
            if len(self._kept) < self._room:
                self._kept[row] = fresh
        readable = np.array([found[row] is not None for row in rows.tolist()], dtype=bool)
        there = [picture for row in rows.tolist() if (picture := found[row]) is not None]
        none = np.zeros((0, self._planes, self.rule.height, self.rule.width), dtype=np.uint8)
        planes = torch.from_numpy(np.stack(there) if there else none).float()
        if there and size is not None and size != tuple(planes.shape[2:]):
            planes = functional.interpolate(planes, size, mode="bilinear", antialias=True)
        pictures, limbs = planes[:, :1], planes[:, 1:] > _HALF
        return readable, pictures, limbs if self._planes > 1 else torch.ones_like(pictures, dtype=torch.bool)
