"""Weights on disk: safetensors, never pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from capitate.errors import UsageError

__all__ = ["load_weights", "save_weights"]

Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's weights, in full before they take the place of earlier ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, str(fresh))
    fresh.replace(path)


def load_weights(network: Network, path: Path) -> Network:
    """Fill a network with weights.

    Raises:
        UsageError: if the file cannot be read or is of another network.
    """
    try:
        network.load_state_dict(load_file(str(path)))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the weights {path} cannot be used: {reason}; train the run again") from error
    return network
