"""The localiser of fractures as the loop sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from capitate.training.detector.task import DetectorTask
from capitate.training.fractures.films import FractureFilms, open_fractures
from capitate.training.fractures.held_out import choose_threshold, measure
from capitate.training.run_card import Figure
from capitate.training.settings.fractures import FracturesConfig

__all__ = ["FracturesTask"]


class FracturesTask(DetectorTask[FractureFilms, FracturesConfig]):
    """An experiment on fractures with its films."""

    name = "fractures"

    @classmethod
    def open(cls, config: FracturesConfig, data: Path) -> FracturesTask:
        """Read the films and boxes of an experiment; errors as of `open_fractures`."""
        return cls(open_fractures(data, config), config)

    def complete(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> None:
        """Choose the threshold of shown marks on the films kept back inside the training folds."""
        choose_threshold(network, self.films, rows, self.config, folder=folder)

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> Mapping[str, Figure]:
        """Find the fractures of films the way assessment would, and write `predictions.csv`."""
        return measure(network, self.films, rows, self.config, folder=folder)

    def files(self) -> Mapping[str, Any]:
        """Give what was read."""
        return {"audit.json": dict(self.films.audit())}
