"""The joint detector as the loop sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from capitate.training.detector.task import DetectorTask
from capitate.training.joints.films import JointFilms, open_films
from capitate.training.joints.held_out import measure
from capitate.training.run_card import Figure
from capitate.training.settings.joints import JointDetectorConfig

__all__ = ["JointTask"]


class JointTask(DetectorTask[JointFilms, JointDetectorConfig]):
    """A joint-detector experiment with its films."""

    name = "joint-detector"

    @classmethod
    def open(cls, config: JointDetectorConfig, data: Path) -> JointTask:
        """Read the films and labels of an experiment; errors as of `capitate.training.joints.films.open_films`."""
        return cls(open_films(data, config), config)

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> dict[str, Figure]:
        """Find the joints of films the way assessment would, and write `predictions.csv`."""
        return measure(network, self.films, rows, self.config, folder=folder)

    def files(self) -> Mapping[str, Any]:
        """Give what is wrong with the labels."""
        return {"audit.json": self.films.audit()}

    def notes(self) -> Sequence[str]:
        """Say which hands and films were left out."""
        wrong = len(self.films.labels.wrong)
        told = (f"{wrong} hands with wrong labels were left out, see audit.json.",) if wrong else ()
        return (*told, *super().notes())
