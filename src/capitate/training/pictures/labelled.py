"""What tasks share whose labels lie in pictures of films, such as boxes and masks: their films are read once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.training import augment
from capitate.training.augment.carried import Shares
from capitate.training.data.pictures import folds_by_patient, patients
from capitate.training.manifest import Study
from capitate.training.networks.features import FeaturesNetwork, fill_features
from capitate.training.pictures.feeding import AugmentedFeeder
from capitate.training.prepare import Refused
from capitate.training.settings.pictures import LabelledPicturesConfig
from capitate.training.task import OneAnswer, OneBatch, Task

__all__ = ["LabelledFeeder", "LabelledFilms", "LabelledTask"]

_NEGATIVES = 0x4E65
"""Keeps the draws of negatives apart from those of augmentation, which start from the same seeds."""


class LabelledFilms(Protocol):
    """Pictures in one order with their labels, one or several of a film."""

    @property
    def ids(self) -> NDArray[np.str_]:
        """Id of every picture, (n,)."""

    @property
    def studies(self) -> Sequence[Study]:
        """The film of every picture."""

    @property
    def refused(self) -> Mapping[str, Refused]:
        """Films that could not be used, by id."""

    def digest(self) -> str:
        """Compute the sha256 of ids and labels in their order."""


Films = TypeVar("Films", bound=LabelledFilms)
Config = TypeVar("Config", bound=LabelledPicturesConfig)


class LabelledFeeder(AugmentedFeeder[OneBatch], Generic[OneBatch, Films, Config]):
    """Gives the batches of each epoch: augmentation moves pictures and labels by one map."""

    def __init__(
        self,
        films: Films,
        rows: NDArray[np.int64],
        config: Config,
        *,
        rank: int = 0,
        processes: int = 1,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to feed; arguments and errors as of `Feeder`."""
        self.films, self.config = films, config
        super().__init__(
            rows,
            config,
            ids=films.ids,
            augmentation=config.augment,
            rank=rank,
            processes=processes,
            device=device,
        )

    def batch(self, step: int) -> OneBatch:
        """Prepare this process's share of one step's pictures."""
        rows, seeds = self.share(step)
        drawn = self.drawn(seeds)
        negative = Shares(_NEGATIVES).below(seeds.tolist(), self.config.negatives)
        return self.made(rows, drawn=drawn, negative=negative, of=len(self.batches[step]))

    @abstractmethod
    def made(self, rows: NDArray[np.int64], *, drawn: augment.Drawn, negative: Tensor, of: int) -> OneBatch:
        """Make a batch.

        Args:
            rows: pictures.
            drawn: their augmentation.
            negative: bool (n,), which to show as negatives.
            of: pictures of the whole step.
        """


class LabelledTask(Task[OneBatch, OneAnswer], Generic[OneBatch, OneAnswer, Films, Config]):
    """An experiment with its pictures and their labels."""

    def __init__(self, films: Films, config: Config) -> None:
        """Bring pictures and experiment together."""
        self.films, self._config, self.ids = films, config, films.ids

    @property
    def config(self) -> Config:
        """Give the experiment."""
        return self._config

    @abstractmethod
    def network(self) -> FeaturesNetwork:
        """Build the network, randomly initialised."""

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give published weights for the backbone where the experiment wants them."""
        settings = self.config.network
        if not (settings.pretrained or settings.weights):
            return None
        network = self.network()
        fill_features(network.backbone, settings)
        weights: dict[str, Tensor] = network.state_dict()
        return weights

    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every picture: that of its film's patient, or as its table gave it."""
        return folds_by_patient(self.films.studies, self.config.folds, from_table=self.config.reading.folds_from_table)

    @cached_property
    def _digest(self) -> str:
        return self.films.digest()

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids and labels; films are read anew by every run."""
        return {"labels_sha256": self._digest, "views_sha256": None}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name the patient of each picture's film, or the film where patients are not told."""
        everyone = patients(self.films.studies)
        return [everyone[row] for row in rows.tolist()]

    def notes(self) -> Sequence[str]:
        """Name the films that could not be used."""
        names = ", ".join(sorted(self.films.refused))
        told = f"{len(self.films.refused)} films could not be used and were left out, see audit.json: {names}."
        return (told,) if names else ()
