"""Tensors on disk: safetensors, never pickle; a file is complete before it takes the place of an earlier one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.training.writing import writing

__all__ = ["load_weights", "save_weights", "write_tensors"]

Network = TypeVar("Network", bound=nn.Module)


def write_tensors(tensors: Mapping[str, Tensor], path: Path, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors beside `path`, then put the file in its place.

    Raises:
        ReportWriteError: if the disk is full or refuses; the earlier file stays.
    """
    fresh = path.with_name(f"{path.name}.new")
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(plain, fresh, metadata)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _write(tensors: dict[str, Tensor], path: Path, metadata: Mapping[str, str] | None) -> None:
    """Write a file through to the disk."""
    try:
        save_file(tensors, str(path), metadata=None if metadata is None else dict(metadata))
    except SafetensorError as error:
        raise OSError(str(error)) from error
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's weights; errors as for `write_tensors`."""
    write_tensors(network.state_dict(), path)


def load_weights(network: Network, path: Path) -> Network:
    """Fill a network with weights.

    Raises:
        UsageError: if the file cannot be read or is of another network.
    """
    try:
        network.load_state_dict(load_file(str(path)))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"the weights {path} cannot be used: {reason}; train the run again") from error
    return network
