"""Random numbers of a batch, a row a view, from one generator or from a seed a film."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from capitate.errors import UsageError

__all__ = ["Chances", "film_seeds"]


class Chances:
    """Even random numbers in [0, 1), handed out column by column.

    Every number that augmentation needs is a function of these, so whoever decides them decides everything: a
    generator for the batch as a whole, or a seed a film, with which a film's row is the same in any batch.
    """

    def __init__(
        self,
        n: int,
        columns: int,
        *,
        generator: torch.Generator | None = None,
        seeds: Sequence[int] | Tensor | None = None,
    ) -> None:
        """Draw `n` rows.

        Args:
            n: views.
            columns: numbers a view.
            generator: on the CPU, for all rows.
            seeds: n whole numbers, one a row, instead of a generator.

        Raises:
            UsageError: unless exactly one of generator and n seeds is given.
        """
        if (generator is None) == (seeds is None):
            raise UsageError("augmentation is drawn from a generator or from a seed a film; give exactly one of them")
        if seeds is not None and len(seeds) != n:
            raise UsageError(f"augmentation needs a seed for each of {n} views, got {len(seeds)}")
        self._left = torch.rand(n, columns, generator=generator) if seeds is None else _by_seed(seeds, columns)

    def take(self, columns: int) -> Tensor:
        """Hand out the next (n, columns), even in [0, 1)."""
        taken, self._left = self._left[:, :columns], self._left[:, columns:]
        if taken.shape[1] < columns:
            raise ValueError(f"{columns} numbers a view were asked for and {taken.shape[1]} are left")
        return taken

    def even(self) -> Tensor:
        """Hand out (n,), even in [-1, 1)."""
        return self.take(1)[:, 0] * 2 - 1

    def below(self, share: float) -> Tensor:
        """Hand out bool (n,), true with probability `share`."""
        return self.take(1)[:, 0] < share

    def seeds(self) -> Tensor:
        """Hand out int64 (n,), even in [0, 2 ** 31)."""
        high, low = (self.take(2).double() * torch.tensor([2.0**15, 2.0**16])).long().unbind(1)
        return high * 2**16 + low


def _by_seed(seeds: Sequence[int] | Tensor, columns: int) -> Tensor:
    """Draw every row from its own seed."""
    generator = torch.Generator()
    return torch.stack([torch.rand(columns, generator=generator.manual_seed(int(seed))) for seed in seeds])


def film_seeds(ids: Sequence[str], *, seed: int, epoch: int) -> list[int]:
    """Give a seed to every film of an epoch, by its id and by how often it came before in this epoch.

    Give the ids of the whole epoch in their order and share the seeds out with the films: then one process draws what
    two draw, and a film that balanced sampling shows twice is not shown the same way twice.

    Args:
        ids: films in the order of the epoch.
        seed: of the run.
        epoch: counted from 0.

    Returns:
        Whole numbers of 31 bits from the sha256 of seed, epoch, id and occurrence.
    """
    before: dict[str, int] = {}
    seeds = []
    for name in ids:
        time = before.get(name, 0)
        before[name] = time + 1
        digest = hashlib.sha256(f"{seed}/{epoch}/{name}/{time}".encode()).digest()
        seeds.append(int.from_bytes(digest[:4], "big") >> 1)
    return seeds
