"""Number formats that a network may be computed in when it is used."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["InferencePrecision"]


class InferencePrecision(StrEnum):
    """Format of products and convolutions; `int8` is a file whose weights and activations were quantised."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"
