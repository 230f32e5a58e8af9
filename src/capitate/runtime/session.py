"""Running an ONNX file with onnxruntime, quietly and with a stated number of threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError

__all__ = ["Network", "Session", "default_threads"]


class Network(Protocol):
    """What answers: a file that onnxruntime runs, or a network in training."""

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[np.float32]]:
        """Run the network; inputs by name."""


def default_threads() -> int:
    """Threads for one network: those that this process may use, at most 4."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, available))


class Session:
    """One network, loaded once."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Load a network.

        Args:
            path: ONNX file; its digest has been checked by `load_bundle`.
            threads: for one run, `default_threads()` if None.

        Raises:
            BundleDamagedError: if onnxruntime cannot load the file.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or default_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BundleDamagedError(f"{path} cannot be loaded by onnxruntime: {error}") from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the network; inputs by name, outputs in the order of the file."""
        outputs: list[NDArray[np.float32]] = self._session.run(None, dict(inputs))
        return outputs
