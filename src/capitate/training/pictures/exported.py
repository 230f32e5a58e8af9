"""Checks of exported networks: the same answers as torch, and members that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.runtime.session import Session

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["agreement", "one_configuration", "refuse_unused"]

Shared = TypeVar("Shared")


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
