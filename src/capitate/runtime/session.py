"""Running an ONNX file with onnxruntime, quietly and with a stated number of threads.

A file may hold outputs beyond its answers, and say in its metadata what they are for (`capitate.runtime.explanation`).
They are computed only where they are asked for by name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError

__all__ = ["EXPLANATION", "Network", "Session", "default_threads"]

EXPLANATION = "explanation"
"""Key of a file's metadata that says what its map of features means, as JSON."""


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
        self._answers = self._plain_outputs()

    @property
    def explanation(self) -> dict[str, Any] | None:
        """What the file says about its map of features and its head; None for a file that says nothing.

        Raises:
            BundleDamagedError: if that is no JSON object.
        """
        text = self._session.get_modelmeta().custom_metadata_map.get(EXPLANATION)
        if text is None:
            return None
        try:
            values = json.loads(text)
            return dict(values)
        except (TypeError, ValueError) as error:
            raise BundleDamagedError(f"a network's {EXPLANATION} is no JSON object: {text[:80]!r}") from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the network; inputs by name, answers in the order of the file."""
        answers: list[NDArray[np.float32]] = self._session.run(list(self._answers), dict(inputs))
        return answers

    def outputs(self, inputs: Mapping[str, NDArray[Any]], names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Run the network for some outputs.

        Args:
            inputs: by name.
            names: of the outputs, in the order wanted.

        Raises:
            BundleDamagedError: if there is no output of such a name.
        """
        self._check(names)
        outputs: list[NDArray[np.float32]] = self._session.run(list(names), dict(inputs))
        return outputs

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of the outputs that are answers."""
        return self._answers

    def constants(self, names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Give outputs that do not depend on the inputs, such as weights; nothing else of the network is computed."""
        self._check(names)
        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        found: list[NDArray[np.float32]] = self._session.run(list(names), self._blank(), options)
        return found

    def _check(self, names: Sequence[str]) -> None:
        missing = sorted(set(names) - {one.name for one in self._session.get_outputs()})
        if missing:
            raise BundleDamagedError(f"a network has no output {missing[0]!r}; install the bundle again")

    def _plain_outputs(self) -> tuple[str, ...]:
        """Tell answers from what is there to explain them."""
        names = tuple(one.name for one in self._session.get_outputs())
        further = frozenset((self.explanation or {}).get("outputs", ()))
        return tuple(name for name in names if name not in further)

    def _blank(self) -> dict[str, NDArray[Any]]:
        """Make one empty film for each input."""
        kinds = {"tensor(uint8)": np.uint8, "tensor(int64)": np.int64, "tensor(float)": np.float32}
        return {
            one.name: np.zeros([side if isinstance(side, int) else 1 for side in one.shape], kinds[one.type])
            for one in self._session.get_inputs()
        }
