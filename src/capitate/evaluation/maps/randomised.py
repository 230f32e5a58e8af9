"""Copies of a bundle whose networks' weights are randomised from the answer backwards.

The cascading randomisation of Adebayo et al., NeurIPS 2018 ("Sanity checks for saliency maps"), section 3: a map that
stays as it was when the weights are gone does not show what the network has learnt. The values of each layer's weights
are permuted among themselves, which keeps their distribution, so that activations neither vanish nor explode.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, load_bundle, write_sums

if TYPE_CHECKING:
    import onnx

__all__ = ["DRAWS", "PARTS", "randomise_network", "randomised_bundle"]

PARTS: Mapping[str, float] = {
    "head": 0.0,
    "last_quarter": 0.25,
    "last_half": 0.5,
    "last_three_quarters": 0.75,
    "all": 1,
}
"""Share of the convolutions, counted from the last, that is randomised beside the layers behind them."""
DRAWS = 3
"""Permutations that a film's figures are the mean of: a single one can by chance turn a map round as a whole."""
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_CARRIERS = frozenset({"Cast", "Mul", "DequantizeLinear", "Transpose", "Identity"})
"""What a released network unpacks its weights with."""


def randomised_bundle(bundle: Bundle, folder: Path, *, part: str, seed: int) -> Bundle:
    """Write a copy of a bundle with randomised networks.

    Args:
        bundle: to copy.
        folder: for the copy; must not be there yet.
        part: of the networks, a name of `PARTS`.
        seed: of the permutations.

    Raises:
        UsageError: if a network has no weights that are known, or there is no such part.
        ModuleNotFoundError: if onnx, of the extra `train`, is not installed.
    """
    import onnx

    share = _share(part)
    folder.mkdir(parents=True)
    for path in bundle.folder.iterdir():
        if path.suffix != ".onnx" and path.name != "SHA256SUMS":
            shutil.copy(path, folder / path.name)
    card: dict[str, Any] = {name: value for name, value in bundle.card.items() if name not in ("networks_of", "int8")}
    card["networks"] = [path.name for path in bundle.networks]
    for number, path in enumerate(bundle.networks):
        model = onnx.load(str(path))
        randomise_network(model, share=share, seed=(seed, number))
        onnx.save(model, str(folder / path.name))
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    write_sums(folder)
    return load_bundle(str(folder))


def randomise_network(model: onnx.ModelProto, *, share: float, seed: int | tuple[int, int]) -> list[str]:
    """Permute weights and biases, each among its own values: of layers behind the convolutions and of some of these.

    Args:
        model: changed in place.
        share: of the convolutions, the last ones.
        seed: of the permutations.

    Returns:
        Names of the initialisers that were changed.

    Raises:
        UsageError: if no layer's weights are found.
    """
    from onnx import numpy_helper

    random = np.random.default_rng(seed)
    weights = {one.name: one for one in model.graph.initializer}
    names = list(dict.fromkeys(name for layer in _chosen(model, share) for name in layer))
    if not names:
        raise UsageError("the network has no convolution or linear layer whose weights are known; it is not randomised")
    for name in names:
        values = numpy_helper.to_array(weights[name])
        permuted = random.permutation(values.ravel()).reshape(values.shape)
        weights[name].CopyFrom(numpy_helper.from_array(permuted, name))
    return names


def _chosen(model: onnx.ModelProto, share: float) -> Iterator[list[str]]:
    """Give the initialisers of each layer that is to be randomised, the last layer first."""
    made_by = {output: node for node in model.graph.node for output in node.output}
    known = {one.name for one in model.graph.initializer}
    layers = [
        ("Conv" in node.op_type, found)
        for node in model.graph.node
        if node.op_type in _LAYERS
        and (found := [name for one in node.input[1:] for name in _stored(one, made_by, known)])
    ]
    convolutions = [k for k, (is_convolution, _) in enumerate(layers) if is_convolution]
    kept = convolutions[: len(convolutions) - round(share * len(convolutions))]
    first = kept[-1] + 1 if kept else 0
    for _, found in reversed(layers[first:]):
        yield found


def _stored(name: str, made_by: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    """Find the stored numbers that a layer's weights are unpacked from; scales, the second input, stay."""
    if name in known:
        yield name
    elif name in made_by and made_by[name].op_type in _CARRIERS:
        yield from _stored(made_by[name].input[0], made_by, known)


def _share(part: str) -> float:
    try:
        return PARTS[part]
    except KeyError:
        raise UsageError(f"a part of a network is one of {', '.join(PARTS)}, got {part!r}") from None
