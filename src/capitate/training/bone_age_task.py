"""Bone age as the loop sees it: films and sexes in, a distribution over months out, errors in months."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.batches import BoneAgeFeeder, FilmBatch
from capitate.training.config import BoneAgeConfig
from capitate.training.held_out import answer, errors_of
from capitate.training.losses import distillation, inconsistency, make_loss
from capitate.training.networks import Answer, BoneAgeNetwork, first_weights
from capitate.training.networks.heads import OneNumber
from capitate.training.runs import OUT_OF_FOLD, label_digest
from capitate.training.task import Task
from capitate.training.view_store import ViewSource

__all__ = ["BoneAgeTask", "film_figures", "film_sums"]


_FILMS_AT_ONCE = 128


class BoneAgeTask(Task[FilmBatch, Answer]):
    """A bone-age experiment with its films."""

    name = "bone-age"
    judged_by = "mae"
    unit = "months"
    terms = 6

    def __init__(
        self,
        store: ViewSource,
        config: BoneAgeConfig,
        *,
        teacher: Callable[[], NDArray[np.float32]] | None = None,
        views_sha256: str | None = None,
    ) -> None:
        """Bring films and experiment together.

        Args:
            store: films.
            config: the experiment.
            teacher: gives probabilities (len(store), 3, 240) by sex index, for distillation; asked once.
            views_sha256: of the store's files, where it has some.
        """
        self.store, self._config, self.ids = store, config, store.ids
        self._teacher = teacher
        self._views_sha256 = views_sha256
        self._labels = make_loss(config.optimiser.loss, config.loss)

    @property
    def config(self) -> BoneAgeConfig:
        """Give the experiment."""
        return self._config

    @cached_property
    def taught(self) -> NDArray[np.float32] | None:
        """The teachers' probabilities for every film and sex, (films, 3, 240)."""
        return None if self._teacher is None else self._teacher()

    def prepare(self) -> None:
        """Let the teachers answer."""
        _ = self.taught

    def network(self) -> BoneAgeNetwork:
        """Build the network, randomly initialised."""
        return BoneAgeNetwork(self.config.network)

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give published weights and the statistics of these films' ages, where the network wants them."""
        return first_weights(self.config.network, self.store.months[rows])

    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every film: by its id, or as its table gave it."""
        return self.store.folds(self.config.folds)

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids, ages and sexes, and of the views where they are stored."""
        labels = label_digest(self.store.ids, self.store.months, self.store.sexes)
        return {"labels_sha256": labels, "views_sha256": self._views_sha256}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name each film's patient, or the film where patients are not told."""
        groups: list[str] = self.store.patients[rows].tolist()
        return groups

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> BoneAgeFeeder:
        """Give what makes augmented batches of some films."""
        return BoneAgeFeeder(
            self.store, rows, self.config, rank=rank, processes=processes, device=device, teacher=self.taught
        )

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> FilmBatch | None:
        """Give films with their own sex as they are stored; those that cannot be read are left out."""
        usable = self.store.usable(rows)
        if not usable.size:
            return None
        views, _, months, sexes = self.store.batch(usable, size=size)
        return FilmBatch(views.float(), sexes, months, None, usable.size)

    def answer(self, network: nn.Module, batch: FilmBatch) -> Answer:
        """Let the network answer a batch."""
        views = batch.views.contiguous(memory_format=torch.channels_last)
        answer: Answer = network(views, batch.sexes, whole=True)
        return answer

    def loss(self, answer: Answer, batch: FilmBatch) -> Tensor:
        """Add the loss on the labels, the teachers' share, and the distance between two answers to one film."""
        settings = self.config.optimiser
        total = self._labels(answer, batch.months)
        if batch.teacher is not None:
            total = settings.distil * distillation(answer.logits, batch.teacher) + (1 - settings.distil) * total
        return total + settings.consistency * inconsistency(answer.logits) if batch.paired else total

    def sums(self, answer: Answer, batch: FilmBatch, loss: Tensor) -> Tensor:
        """Sum errors and ages, see `film_sums`."""
        return film_sums(loss.detach(), answer.months.detach(), batch.months)

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Give loss, mae and rmse in months, and r2."""
        return film_figures(sums)

    def complete(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> None:
        """Fit the spread of a scalar head's answers on films that it was not fitted on; see `fit_spread`."""
        reading = network.reading if isinstance(network, BoneAgeNetwork) else None
        if not isinstance(reading, OneNumber) or reading.predicted or not rows.size:
            return
        last, device = self._config.optimiser.stages[-1], next(network.parameters()).device
        errors = []
        for part in np.array_split(rows, -(-rows.size // _FILMS_AT_ONCE)):
            plain = self.plain(part, size=(last.height, last.width))
            if plain is not None:
                batch = plain.to(device)
                with torch.no_grad():
                    errors.append(self.answer(network, batch).months - batch.months)
        if errors:
            reading.fit_spread(torch.cat(errors))

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> dict[str, float]:
        """Predict films the way assessment would, from the file that would be released, and keep that."""
        films = answer(network, self.store, rows, self.config)
        films.save(folder / OUT_OF_FOLD)
        return errors_of(films)

    def notes(self) -> Sequence[str]:
        """Name the films that could not be read."""
        names = sorted(self.store.refused)
        told = f"{len(names)} films could not be read and were left out: {', '.join(names)}."
        return (told,) if names else ()


def film_figures(sums: Sequence[float]) -> dict[str, float]:
    """Read loss, mae and rmse in months, and r2 from what `film_sums` summed; r2 only where ages differ."""
    films, loss, absolute, squared, age, squares = sums
    spread = squares - age * age / films
    return {
        "loss": loss / films,
        "mae": absolute / films,
        "rmse": (squared / films) ** 0.5,
        "r2": 1 - squared / spread if spread > 0 else float("nan"),
    }


def film_sums(loss: Tensor, predicted: Tensor, months: Tensor) -> Tensor:
    """Sum what a batch says.

    Args:
        loss: mean over the films, scalar.
        predicted: bone ages, months (n,).
        months: true ones (n,).

    Returns:
        float64 (6,): films, loss, absolute and squared error, age and squared age.
    """
    error, age = (predicted - months).double(), months.double()
    films = age.new_full((), len(months))
    parts = [films, loss.double() * films, error.abs().sum(), error.square().sum(), age.sum(), age.square().sum()]
    return torch.stack(parts).detach()
