"""Batches of the screen: labelled films, beside them unlabelled ones under two augmentations, and films with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.abnormality.films import ScreenFilms
from capitate.training.abnormality.places import box_pictures
from capitate.training.augment import film_seeds
from capitate.training.pictures.feeding import PictureFeeder
from capitate.training.pictures.source import PictureSource
from capitate.training.settings.abnormality import AbnormalityConfig, UnlabelledUse
from capitate.training.settings.optimiser import Stage

__all__ = ["ScreenBatch", "ScreenFeeder"]

_STRONG = 0x57F0
"""Turns a film's seed into that of its strong augmentation."""


class _Beside(NamedTuple):
    """Films of another kind beside the labelled ones of a step: rows, and a seed a film."""

    rows: NDArray[np.int64]
    seeds: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScreenBatch:
    """Films of one step, or of a part of it.

    Attributes:
        pictures: float32 (n, 1, height, width), 0 to 255, with labels.
        labels: float32 (n,), 0 or 1.
        weak: float32 (m, 1, height, width), films without a label, augmented as labelled ones are.
        strong: the same films, augmented more.
        taught: probabilities by teachers at the temperature of the experiment, (n,); NaN where none has answered.
        shown: float32 (k, 1, height, width), films that teach places, augmented as labelled ones are.
        boxes: float32 (k, 1, height, width), 1 inside their boxes.
        of: labelled films of the whole step, over all parts and processes.
    """

    pictures: Tensor
    labels: Tensor
    weak: Tensor
    strong: Tensor
    taught: Tensor
    shown: Tensor
    boxes: Tensor
    of: int

    def __len__(self) -> int:
        return len(self.labels)

    def parts(self, count: int) -> Iterator[ScreenBatch]:
        """Cut every kind into `count` parts whose sizes differ by one film at most; fewer where there are fewer."""
        count = min(count, len(self))
        kinds = (np.array_split(np.arange(n), count) for n in (len(self), len(self.weak), len(self.shown)))
        for part in zip(*kinds, strict=True):
            labelled, unlabelled, placed = (itemgetter(torch.from_numpy(rows)) for rows in part)
            yield ScreenBatch(
                labelled(self.pictures),
                labelled(self.labels),
                unlabelled(self.weak),
                unlabelled(self.strong),
                labelled(self.taught),
                placed(self.shown),
                placed(self.boxes),
                self.of,
            )

    def to(self, device: torch.device) -> ScreenBatch:
        """Move to a device."""
        names = [one.name for one in fields(self) if one.name != "of"]
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


class ScreenFeeder(PictureFeeder[ScreenBatch]):
    """Gives the batches of each epoch; an epoch goes over the labelled films.

    Attributes:
        unlabelled: rows without a label; empty where they are not used.
        placed: rows that teach places.
    """

    def __init__(
        self,
        films: ScreenFilms,
        source: PictureSource,
        rows: NDArray[np.int64],
        config: AbnormalityConfig,
        *,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
        taught: NDArray[np.float32] | None = None,
    ) -> None:
        """Prepare to feed; further arguments and errors as of `PictureFeeder`.

        Args:
            films: with their labels.
            source: of their pictures.
            rows: to learn from.
            config: the experiment.
            rank: of this process.
            processes: that share each batch.
            device: where pictures are augmented.
            taught: the teachers' answers for all films, (films,), if they answer for films.
        """
        self.labels, self.config = films.labels, config
        self.taught = np.full_like(films.labels, np.nan) if taught is None else taught
        self.boxes = films.boxes
        labelled, placed = films.labelled[rows], films.placed[rows]
        self.unlabelled, self.placed = rows[~labelled & ~placed], rows[placed]
        if config.unlabelled.use is not UnlabelledUse.NONE and not self.unlabelled.size:
            raise UsageError(
                f"unlabelled.use is {config.unlabelled.use} and every film to learn from has a label; set it to none"
            )
        super().__init__(
            source, rows[labelled], config, augmentation=config.augment, rank=rank, processes=processes, device=device
        )

    def start(self, epoch: int, stage: Stage) -> None:
        """Draw the order of an epoch, that of the unlabelled films as well."""
        super().start(epoch, stage)
        wanted, places = self.config.unlabelled, self.config.places
        used = wanted.use is not UnlabelledUse.NONE and epoch >= wanted.warm_up
        self.besides = self._beside(self.unlabelled if used else self.unlabelled[:0], wanted.share, epoch=epoch)
        self.places = self._beside(self.placed, places.share, epoch=epoch)

    def _beside(self, rows: NDArray[np.int64], share: float, *, epoch: int) -> list[_Beside]:
        """Draw an epoch's rows of another kind of films, step by step: all of them once before any comes twice.

        Args:
            rows: to draw from; none gives none.
            share: of the labelled films of a step.
            epoch: counted from 0.
        """
        if not rows.size:
            return [_Beside(rows, rows)] * self.steps
        a_step = max(1, round(share * self.config.optimiser.batch))
        random = np.random.default_rng([self.config.seed, epoch])
        rounds = -(-a_step * self.steps // rows.size)
        order = np.concatenate([random.permutation(rows) for _ in range(rounds)])[: a_step * self.steps]
        seeds = np.array(film_seeds(self.ids[order].tolist(), seed=self.config.seed, epoch=epoch))
        return [_Beside(*one) for one in zip(np.split(order, self.steps), np.split(seeds, self.steps), strict=True)]

    def batch(self, step: int) -> ScreenBatch:
        """Prepare this process's share of one step's films; one that cannot be read is not in it.

        Raises:
            UsageError: if none of the labelled ones can be read.
        """
        rows, seeds = self.share(step)
        self.ahead(step)
        readable, pictures = self.augmented(rows, seeds)
        if not readable.any():
            raise UsageError(f"none of the {len(rows)} films of a batch can be read; see `capitate data check`")
        weak, strong = self._unlabelled(step)
        labels, taught = (torch.from_numpy(one[rows[readable]]) for one in (self.labels, self.taught))
        shown, boxes = self._places(step)
        of = len(self.batches[step]) if self.processes > 1 else len(labels)
        return ScreenBatch(pictures, labels, weak, strong, taught, shown, boxes, of)

    def _unlabelled(self, step: int) -> tuple[Tensor, Tensor]:
        """Give this process's unlabelled films of a step under weak and under strong augmentation."""
        mine, seeds = self._mine(self.besides[step])
        if not mine.size:
            nothing = torch.zeros(0, 1, *self.size)
            return nothing, nothing
        stronger = self.augment.scaled(self.config.unlabelled.strength)
        _, weak = self.augmented(mine, seeds)
        _, strong = self.augmented(mine, seeds ^ _STRONG, ranges=stronger)
        return weak, strong

    def _places(self, step: int) -> tuple[Tensor, Tensor]:
        """Give this process's films that teach places in a step, and their boxes moved as they are."""
        mine, seeds = self._mine(self.places[step])
        if not mine.size:
            nothing = torch.zeros(0, 1, *self.size)
            return nothing, nothing
        readable, moved, drawn = self.augmented_by(mine, seeds)
        boxes = box_pictures([self.boxes[row] for row in mine[readable].tolist()], size=self.size).to(self.device)
        return moved, drawn.geometry.apply(boxes)

    def _mine(self, one: _Beside) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give this process's share of a step's rows and their seeds."""
        return np.array_split(one.rows, self.processes)[self.rank], np.array_split(one.seeds, self.processes)[self.rank]
