"""The layers behind a network's averaged features, as arrays: forward, and the gradient back to the features.

A released file carries its network's head beside its answers (`capitate.runtime.explanation` reads it), so that no
framework is needed to ask what a small change of a feature would do to the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from capitate.errors import BundleDamagedError

__all__ = ["Head", "Layer", "LayerKind", "Pullback"]

Floats = NDArray[np.float32]
Pullback = Callable[[Floats], Floats]
"""From the gradient of a layer's output to that of its input, both (n, width)."""


class LayerKind(StrEnum):
    """What a head is made of.

    `embedding` puts a learnt row beside the features, chosen by sex or category; `choose` keeps the numbers of one
    category; `scale` is a batch norm as it stands after training.
    """

    EMBEDDING = "embedding"
    LINEAR = "linear"
    SCALE = "scale"
    CHOOSE = "choose"
    RELU = "relu"
    SILU = "silu"
    MISH = "mish"


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        kind: see `LayerKind`.
        weight: float32; (rows, width) of an embedding, (outputs, inputs) of a linear layer, (width,) of a scale; empty
            for the others.
        bias: float32 (outputs,) of a linear layer or scale.
        groups: of `choose`, how many categories the numbers are in.
    """

    kind: LayerKind
    weight: Floats
    bias: Floats
    groups: int = 1

    def forward(self, x: Floats, codes: NDArray[np.int64]) -> tuple[Floats, Pullback]:
        """Compute the layer.

        Args:
            x: float32 (n, inputs).
            codes: int64 (n,), sex or category of each row.

        Returns:
            float32 (n, outputs), and the way back for gradients.
        """
        if self.kind is LayerKind.LINEAR:
            return x @ self.weight.T + self.bias, lambda g: g @ self.weight
        if self.kind is LayerKind.SCALE:
            return x * self.weight + self.bias, lambda g: g * self.weight
        if self.kind is LayerKind.EMBEDDING:
            width = x.shape[1]
            return np.concatenate([x, self.weight[codes]], axis=1), lambda g: g[:, :width]
        if self.kind is LayerKind.CHOOSE:
            return self._choose(x, codes)
        value, slope = _ACTIVATIONS[self.kind](x)
        return value, lambda g: g * slope

    def _choose(self, x: Floats, codes: NDArray[np.int64]) -> tuple[Floats, Pullback]:
        """Keep the numbers of each row's category."""
        rows, several = np.arange(len(x)), x.reshape(len(x), self.groups, -1)

        def back(gradient: Floats) -> Floats:
            whole = np.zeros_like(several)
            whole[rows, codes] = gradient
            return whole.reshape(x.shape)

        return several[rows, codes], back


@dataclass(frozen=True, eq=False)
class Head:
    """Layers one after another, from averaged features (n, channels) to a network's last numbers (n, outputs).

    Attributes:
        layers: in their order.
    """

    layers: tuple[Layer, ...]

    def forward(self, pooled: Floats, codes: NDArray[np.int64]) -> tuple[Floats, Pullback]:
        """Compute the head; arguments and results as of `Layer.forward`.

        Raises:
            BundleDamagedError: if layers do not fit each other or the features.
        """
        value, backs = pooled, []
        for place, layer in enumerate(self.layers):
            try:
                value, back = layer.forward(value, codes)
            except (ValueError, IndexError) as error:
                raise BundleDamagedError(
                    f"layer {place} of a head ({layer.kind}) does not take {value.shape[1]} numbers ({error}); "
                    "install the bundle again"
                ) from error
            backs.append(back)

        def pullback(gradient: Floats) -> Floats:
            for back in reversed(backs):
                gradient = back(gradient)
            return gradient

        return value, pullback


def _relu(x: Floats) -> tuple[Floats, Floats]:
    return np.maximum(x, 0), (x > 0).astype(np.float32)


def _silu(x: Floats) -> tuple[Floats, Floats]:
    """X s(x) with the logistic s (Elfwing et al. 2018, Neural Networks 107:3-11)."""
    share: Any = expit(x)
    return x * share, share * (1 + x * (1 - share))


def _mish(x: Floats) -> tuple[Floats, Floats]:
    """X tanh(ln(1 + e^x)) (Misra 2020, BMVC)."""
    bend: Any = np.tanh(np.logaddexp(np.float32(0), x))
    return x * bend, bend + x * (1 - bend * bend) * expit(x)


_ACTIVATIONS: dict[LayerKind, Callable[[Floats], tuple[Floats, Floats]]] = {
    LayerKind.RELU: _relu,
    LayerKind.SILU: _silu,
    LayerKind.MISH: _mish,
}
