"""What one kind of experiment brings to the loop: its data, its network, its loss and its figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.training.feeding import Feeder
from capitate.training.networks import Backboned
from capitate.training.run_card import Figure
from capitate.training.settings.experiment import Experiment

__all__ = ["Batch", "OneAnswer", "OneBatch", "Task"]


class Batch(Protocol):
    """Examples of one step, or of a part of it."""

    @property
    def of(self) -> int:
        """Examples of the whole step, over all parts and processes."""

    def __len__(self) -> int:
        """Examples in this part."""

    def parts(self, count: int) -> Iterator[Self]:
        """Cut into `count` parts whose sizes differ by one at most; fewer where there are fewer examples."""

    def to(self, device: torch.device) -> Self:
        """Move to a device."""


OneBatch = TypeVar("OneBatch", bound=Batch)
OneAnswer = TypeVar("OneAnswer")


class Task(ABC, Generic[OneBatch, OneAnswer]):
    """A kind of experiment with its data. Examples are known by their row.

    Attributes:
        name: of the kind, as a configuration states it by `task`.
        ids: (n,) id of every example.
        judged_by: name of the figure whose smallest value on the examples kept back is the best.
        unit: of that figure, for texts.
        terms: length of `sums`.
    """

    name: str
    ids: NDArray[np.str_]
    judged_by: str = "loss"
    unit: str = ""
    terms: int = 2

    @property
    @abstractmethod
    def config(self) -> Experiment:
        """Give the experiment."""

    @abstractmethod
    def network(self) -> Backboned:
        """Build the network, randomly initialised."""

    def prepare(self) -> None:
        """Do what takes long and is needed by the first step, once the run folder is this run's."""

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give the weights to begin with where random ones are not enough: published ones, statistics of targets.

        Args:
            rows: examples to learn from.
        """
        return None

    @abstractmethod
    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every example, int64 (n,).

        Raises:
            UsageError: if the data have folds of their own and they are not `config.folds`.
        """

    @abstractmethod
    def digests(self) -> dict[str, str | None]:
        """Give sha256 of labels and pictures, for telling data sets apart."""

    @abstractmethod
    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name for each example what must not be torn apart by a split: its patient, source or own id."""

    @abstractmethod
    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> Feeder[OneBatch]:
        """Give what makes augmented batches of some examples, see `Feeder`."""

    @abstractmethod
    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> OneBatch | None:
        """Give a batch of examples as they are stored, never augmented; None where none of them can be read."""

    @abstractmethod
    def answer(self, network: nn.Module, batch: OneBatch) -> OneAnswer:
        """Let the network, or what is wrapped around it, answer a batch."""

    @abstractmethod
    def loss(self, answer: OneAnswer, batch: OneBatch) -> Tensor:
        """Give what training makes small: the mean over the examples, a scalar."""

    @abstractmethod
    def sums(self, answer: OneAnswer, batch: OneBatch, loss: Tensor) -> Tensor:
        """Sum what a batch says, float64 (terms,): examples, the loss times these, then what figures need."""

    @abstractmethod
    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Read figures from sums over any number of batches: `loss` and `judged_by` at least."""

    def complete(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> None:
        """Set what a network needs beside its learnt weights, such as the spread of its errors, or a threshold.

        Args:
            network: with the weights that the run ends with, in evaluation; what it keeps itself is set in place.
            rows: examples kept back inside the training folds, which it was not fitted on; perhaps none.
            folder: of the run, where what a network cannot keep is written.
        """

    @abstractmethod
    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> Mapping[str, Figure]:
        """Predict examples that the network never saw, write the predictions, and give their errors.

        Args:
            network: trained, in evaluation.
            rows: of the held-out fold.
            folder: of the run.

        Returns:
            Numbers, `{value, low, high}` where there is an interval, and tables of such by group.
        """

    def files(self) -> Mapping[str, Any]:
        """Give further JSON files of the run folder, by name, such as what is wrong with the labels."""
        return {}

    def notes(self) -> Sequence[str]:
        """Give sentences that a run should be read with, such as which examples could not be read."""
        return ()
