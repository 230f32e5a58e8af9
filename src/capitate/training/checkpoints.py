"""Weights of a run as they lie in its folder, finished or not: which file, of which network, and what it has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.checkpoint import CHECKPOINT, read_checkpoint
from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.networks import BoneAgeNetwork
from capitate.training.runs import OUT_OF_FOLD, read_json

__all__ = ["Checkpoint", "TorchNetwork"]

_CONFIG = "config.json"
_FILES = ("weights.safetensors", "best.safetensors", CHECKPOINT)
"""Files of a run that hold weights, the one to prefer first."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a bone-age run.

    Attributes:
        weights: the file.
        config: the experiment.
        split: content of `split.json`.
        training_ids: films that the weights have seen.
    """

    weights: Path
    config: BoneAgeConfig
    split: Mapping[str, Any]
    training_ids: frozenset[str]

    @classmethod
    def open(cls, path: Path) -> Checkpoint:
        """Open a run's weights.

        Args:
            path: run folder, whose final weights are taken, otherwise the best, otherwise those of its checkpoint; or
                one of these files.

        Raises:
            UsageError: if there are no weights, or the run is of another task.
        """
        folder = path if path.is_dir() else path.parent
        config = experiment_of(read_json(folder / _CONFIG))
        if not isinstance(config, BoneAgeConfig):
            task = read_json(folder / _CONFIG).get("task")
            raise UsageError(f"the run {folder} is of the task {task}; bone ages need a bone-age run")
        found = [folder / name for name in _FILES if (folder / name).is_file()] if path.is_dir() else [path]
        if not found or not found[0].is_file():
            raise UsageError(
                f"there are no weights at {path}; a run has {', '.join(_FILES)} once an epoch or --set "
                "record.checkpoint has passed"
            )
        ids = folder / "training-ids.txt"
        if not ids.is_file():
            raise UsageError(f"the run {folder} does not say what it learnt from: {ids.name} is missing")
        seen = frozenset(ids.read_text(encoding="utf8").splitlines())
        return cls(found[0], config, read_json(folder / "split.json"), seen)

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.weights.parent

    @property
    def fold(self) -> int | None:
        """Fold that was held out, or None."""
        fold = self.split.get("fold")
        return None if fold is None else int(fold)

    @cached_property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.weights.read_bytes()).hexdigest()

    @property
    def out_of_fold(self) -> Path | None:
        """File of the run's answers for the films that it held out; None if these weights did not give them."""
        path = self.folder / OUT_OF_FOLD
        return path if self.weights.name == _FILES[0] and path.is_file() else None

    def network(self) -> BoneAgeNetwork:
        """Build the network and fill it.

        Raises:
            UsageError: if the file is damaged, or of another network than the run's configuration describes.
        """
        network: BoneAgeNetwork = BoneAgeNetwork(self.config.network)
        state = self._state()
        try:
            network.load_state_dict(state)
        except (RuntimeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UsageError(
                f"{self.weights} holds weights of another network than {self.folder / _CONFIG} describes: {reason}; "
                "give the file of this very run"
            ) from error
        network.eval()
        return network

    def _state(self) -> Mapping[str, Tensor]:
        """Read the file: plain weights, or the part of a checkpoint that would answer, its running average."""
        if self.weights.name == CHECKPOINT:
            parts = read_checkpoint(self.weights)
            if "network" not in parts:
                raise UsageError(f"{self.weights} is no checkpoint of a bone-age run; give the file of one")
            state: Mapping[str, Tensor] = parts.get("average", parts["network"])
            return state
        try:
            tensors: dict[str, Tensor] = load_file(str(self.weights))
        except (OSError, SafetensorError) as error:
            raise UsageError(
                f"the weights {self.weights} cannot be read ({error}); copy the file again, or train the run again"
            ) from error
        return tensors


class TorchNetwork:
    """A network that answers as a released file does, with torch."""

    def __init__(self, network: BoneAgeNetwork) -> None:
        """Take a network.

        Args:
            network: set to evaluation.
        """
        self._network = network.eval()

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Give probabilities by month, (n, 240), for `view`, uint8 (n, 1, height, width), and `sex`, int64 (n,)."""
        views, sexes = torch.from_numpy(inputs["view"]).float(), torch.from_numpy(inputs["sex"])
        with torch.no_grad():
            return [self._network(views, sexes).softmax(1).numpy()]
