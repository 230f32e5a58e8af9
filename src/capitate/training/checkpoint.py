"""A run's whole state in one safetensors file: tensors by path, and everything else as JSON in the file's header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.weights import write_tensors

__all__ = ["CHECKPOINT", "read_checkpoint", "restore_optimiser", "write_checkpoint"]

CHECKPOINT = "last.safetensors"
_KEY = "capitate.checkpoint/1"


def write_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write nested dictionaries, lists, numbers, texts and tensors.

    Raises:
        ReportWriteError: if the disk is full or refuses; the earlier checkpoint stays.
    """
    tensors: dict[str, Tensor] = {}
    plain = _without_tensors(state, "", tensors)
    write_tensors(tensors, path, metadata={_KEY: json.dumps(plain)})


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `write_checkpoint` wrote.

    Raises:
        UsageError: if the file is damaged or no checkpoint.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            plain = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            state = cast(dict[str, Any], _with_tensors(plain, tensors))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UsageError(f"the checkpoint {path} cannot be read ({error}); remove it to begin the run again") from error
    return state


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state with its tensors laid out in memory as their parameters are.

    A file keeps tensors row by row. Elementwise kernels round differently where layouts differ, so without this a
    resumed run would drift from an unbroken one in its last bits.
    """
    optimiser.load_state_dict(state)
    for parameter, values in optimiser.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _without_tensors(value: object, where: str, tensors: dict[str, Tensor]) -> object:
    """Move tensors to `tensors` by path and leave their names; keep the keys of dictionaries that are no text."""
    if isinstance(value, Tensor):
        tensors[where] = value
        return {"tensor": where}
    if isinstance(value, Mapping):
        items = [[key, _without_tensors(one, f"{where}/{key}", tensors)] for key, one in value.items()]
        return {"items": items}
    if isinstance(value, (list, tuple)):
        values = [_without_tensors(one, f"{where}/{k}", tensors) for k, one in enumerate(value)]
        return {"tuple": values} if isinstance(value, tuple) else values
    return value


def _with_tensors(value: object, tensors: Mapping[str, Tensor]) -> object:
    """Undo `_without_tensors`."""
    if isinstance(value, list):
        return [_with_tensors(one, tensors) for one in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "tuple" in value:
        return tuple(_with_tensors(one, tensors) for one in value["tuple"])
    return {key: _with_tensors(one, tensors) for key, one in value["items"]}
