"""From runs to bundles: networks with their final weights, the same answers as torch, members that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.runtime.session import Session
from capitate.training.config import experiment_of
from capitate.training.runs import Run
from capitate.training.settings.experiment import Experiment
from capitate.training.weights import load_weights

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["agreement", "load_run", "one_configuration", "refuse_unused"]

Shared = TypeVar("Shared")
Config = TypeVar("Config", bound=Experiment)
Network = TypeVar("Network", bound=nn.Module)


def load_run(run: Run, kind: type[Config], *, make: Callable[[Config], Network]) -> tuple[Network, Config]:
    """Build a run's network with its final weights.

    Args:
        run: to load.
        kind: of experiment that it has to be of.
        make: builds the network, whose weights are then replaced.

    Raises:
        UsageError: if the run is of another task or its files do not fit.
    """
    config = experiment_of(run.config)
    if not isinstance(config, kind):
        raise UsageError(f"the run {run.folder} is of the task {run.task}; a run of the task {kind().name} is needed")
    return load_weights(make(config), run.weights).eval(), config


def agreement(module: nn.Module, path: Path, inputs: Mapping[str, Tensor], most: float) -> float:
    """Give the largest difference between a module and its file, over the first outputs.

    Args:
        module: in evaluation.
        path: ONNX file made of it.
        inputs: by name.
        most: that is allowed.

    Raises:
        UsageError: if it is more.
    """
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    found = Session(path, threads=1).run({name: one.numpy() for name, one in inputs.items()})[0]
    apart = float(np.abs(found - expected).max())
    if not apart <= most:
        raise UsageError(
            f"{path.name} differs from torch by {apart:g}, more than {most:g}; report it with the configuration"
        )
    return apart


def one_configuration(found: Iterable[Shared]) -> Shared:
    """Give what the networks of a bundle share.

    Raises:
        UsageError: if they differ.
    """
    first, *others = list(found)
    if any(other != first for other in others):
        raise UsageError(f"networks of one bundle see pictures made by one rule, got {[first, *others]}")
    return first


def refuse_unused(options: BundleOptions, *, task: str) -> None:
    """Refuse what only a bone-age bundle has a use for.

    Raises:
        UsageError: naming the option.
    """
    given = {"calibration": options.calibration, "set": list(options.changes), "shares": options.shares}
    for name, value in given.items():
        if value:
            raise UsageError(
                f"--{name} is for bone-age bundles and has no meaning for {task}, got {value}; leave it out"
            )
