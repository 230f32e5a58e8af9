"""Running an ONNX file with OpenVINO, in the precision that was asked for and no other.

Left to itself, OpenVINO computes in bfloat16 on processors that have it, and quantises what enters a product with
8-bit weights, such as those of our files. Both make answers differ from those of onnxruntime without a word: by 0.06
months on drawn noise from the second alone. `OpenVinoSession` sets both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError, MissingExtraError, UsageError
from capitate.runtime.precision import InferencePrecision
from capitate.runtime.session import default_threads

try:
    import openvino
except ModuleNotFoundError as error:
    raise MissingExtraError(what="OpenVINO", extra="fast") from error

__all__ = ["OpenVinoSession"]

_DEVICE = "CPU"
_HINTS = {InferencePrecision.FP32: "f32", InferencePrecision.BF16: "bf16", InferencePrecision.INT8: "f32"}
"""Of an 8-bit file, what is not quantised is computed in float32."""
_NAMES = {"f32": "float32", "bf16": "bfloat16"}


class OpenVinoSession:
    """One network, loaded once; the interface of `capitate.runtime.session.Session`."""

    def __init__(
        self,
        path: Path,
        *,
        threads: int | None = None,
        precision: InferencePrecision = InferencePrecision.FP32,
    ) -> None:
        """Load a network.

        Args:
            path: ONNX file; its digest has been checked by `load_bundle`.
            threads: for one run, `default_threads()` if None.
            precision: of products and convolutions; `int8` for a file that is quantised already.

        Raises:
            UsageError: if this processor cannot compute in `precision`.
            BundleDamagedError: if OpenVINO cannot load the file.
        """
        core = openvino.Core()
        abilities = core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
        if precision.upper() not in abilities:
            raise UsageError(
                f"this processor has no {precision} for OpenVINO, which found {', '.join(abilities)}; use fp32"
            )
        options = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads or default_threads(),
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._network = core.compile_model(core.read_model(os.fspath(path)), _DEVICE, options)
        except RuntimeError as error:
            raise BundleDamagedError(f"{path} cannot be loaded by OpenVINO: {error}") from error
        self._check(precision)
        self._request = self._network.create_infer_request()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the network; inputs by name, outputs in the order of the file."""
        answers = self._request.infer(dict(inputs))
        return [np.array(answers[place]) for place in self._network.outputs]

    def _check(self, precision: InferencePrecision) -> None:
        """Hold OpenVINO to its word.

        Raises:
            UsageError: if the loaded network computes in another format.
        """
        found = self._network.get_property("INFERENCE_PRECISION_HINT").to_string()
        if found not in {_HINTS[precision], _NAMES[_HINTS[precision]]}:
            raise UsageError(
                f"OpenVINO {openvino.__version__} computes in {found} although {precision} was asked for; use another "
                "version of it, or onnxruntime"
            )
