"""Layers of a head as text: `dropout 0.5, linear 512, mish, norm`."""

from __future__ import annotations

from dataclasses import dataclass

from capitate.errors import UsageError

__all__ = ["PUBLISHED_LAYERS", "STANDARD", "Layer", "parse_layers"]

STANDARD = "standard"

PUBLISHED_LAYERS = {
    "1000-1000": "linear 1000, mish, linear 1000, mish",
    "512-64": "norm, dropout 0.5, linear 512, mish, norm, dropout 0.4, linear 64, mish",
    "1024-512": "linear 1024, norm, dropout 0.3, relu, linear 512, norm, dropout 0.3, relu",
}
"""Heads of three published systems without their last layer: boneAge_predict (EfficientNetV2-S), BoneXage-assessment
(ConvNeXt-Tiny; its last layer is a sigmoid times 240, `target = "share-of-240"`) and Bone-Abnormality-Classification
(RegNetX-800MF)."""


@dataclass(frozen=True)
class Layer:
    """One layer: `linear` of `value` features, `dropout` of the share `value`, `norm`, or an activation's name."""

    kind: str
    value: float = 0.0


def parse_layers(text: str, *, key: str) -> tuple[Layer, ...]:
    """Read layers, commas between them; a published name stands for its list, `standard` and nothing for no layers.

    Args:
        text: such as `dropout 0.5, linear 512, mish, norm`.
        key: of the experiment, for the error.

    Raises:
        UsageError: naming the key and the layer.
    """
    text = PUBLISHED_LAYERS.get(text.strip(), text.strip())
    if text in ("", STANDARD):
        return ()
    return tuple(_layer(part, key) for part in text.split(","))


def _layer(text: str, key: str) -> Layer:
    kind, *values = text.split() or [""]
    known = {"linear": _width, "dropout": _share}
    if kind in known and len(values) == 1:
        try:
            return Layer(kind, known[kind](values[0]))
        except ValueError:
            pass
    elif kind.isidentifier() and not values and kind not in known:
        return Layer(kind)
    raise UsageError(
        f"{key} has a layer that cannot be read, got {text.strip()!r}; write linear 512, dropout 0.5, norm or an "
        f"activation, or one of {', '.join((STANDARD, *PUBLISHED_LAYERS))}"
    )


def _width(text: str) -> float:
    if int(text) < 1:
        raise ValueError(text)
    return float(int(text))


def _share(text: str) -> float:
    if not 0 <= float(text) < 1:
        raise ValueError(text)
    return float(text)
