"""Networks whose arithmetic is in 8-bit integers: quantised by onnxruntime from a file, calibrated on some films.

Post-training static quantisation in the QDQ form: weights get a scale for each output channel, activations one for each
tensor, from their ranges on films that the network learnt from. Weights of the released files are rounded to 8 bit
already, so what is new here is rounding between the layers, and integer products. The head, where a rounding would move
the age directly and where hardly any time is spent, stays in 32-bit floats.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from capitate.training.explained_file import without_explanation

__all__ = ["int8_name", "quantise"]

_HEAD = "/network/head"
"""Name that the nodes of a bone-age network's head begin with; of other networks every `Gemm` is taken for the head,
for inner products of a backbone are `MatMul`."""
_KEPT = 99.999
"""Share in % of an activation's values that its range takes in. On 250 held-out films of fold 0 this moved the ages of
the released ensemble's first network by 0.12 months in the median and 0.9 at most; ranges of all values by 0.22 and
1.9, and 99.99 % by 0.13 and 6.5."""
_SMALL = 65_536
"""Pixels of a view up to which the whole histograms fit into memory; larger views give ranges of all values."""
_AT_ONCE = 16


def int8_name(name: str) -> str:
    """Name the file in 8-bit integers that goes with a network's file, such as `model.int8.onnx`."""
    return f"{Path(name).stem}.int8{Path(name).suffix}"


class _Films(CalibrationDataReader):
    """Inputs one film at a time, as onnxruntime asks for them."""

    def __init__(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        films = len(next(iter(inputs.values())))
        self._inputs = iter([{name: values[row : row + 1] for name, values in inputs.items()} for row in range(films)])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Give the next input, None after the last one."""
        return next(self._inputs, None)


def quantise(path: Path, out: Path, *, films: Mapping[str, NDArray[Any]]) -> str:
    """Write a network's twin in 8-bit integers, which onnxruntime and OpenVINO both compute with.

    Args:
        path: ONNX file.
        out: file to write.
        films: inputs by name, (n, ...), by which ranges are found: films that the network learnt from, and not those
            that answers are compared on.

    Returns:
        How it was done, for a card.
    """
    small = max(values[0].size for values in films.values()) <= _SMALL
    ranges = {"CalibPercentile": _KEPT} if small else {"CalibMaxIntermediateOutputs": _AT_ONCE}
    with tempfile.TemporaryDirectory() as folder, _quietly():
        plain, answers = Path(folder) / "plain.onnx", Path(folder) / "answers.onnx"
        without_explanation(path, answers)
        quant_pre_process(str(answers), str(plain), skip_symbolic_shape=True)
        head = _head(onnx.load(str(plain)))
        quantize_static(
            str(plain),
            str(out),
            _Films(films),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile if small else CalibrationMethod.MinMax,
            nodes_to_exclude=head,
            extra_options={"WeightSymmetric": True, **ranges},
        )
    kept = f"{_KEPT:g} % of the values" if small else "all values"
    return (
        "onnxruntime static QDQ: int8 weights by output channel, uint8 activations by tensor with ranges of "
        f"{kept}; the head in float32"
    )


def _head(model: onnx.ModelProto) -> list[str]:
    """Name the nodes that stay in floats."""
    nodes = model.graph.node
    named = [node.name for node in nodes if node.name.startswith(_HEAD)]
    head = named or [node.name for node in nodes if node.op_type == "Gemm"]
    return [*head, *(node.name for node in nodes if node.op_type == "Softmax")]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what onnxruntime prints and deprecates from the user of a command."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
