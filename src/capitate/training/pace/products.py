"""How fast a device multiplies large matrices: what the step of a network can be held against."""

from __future__ import annotations

import statistics

import torch

from capitate.runtime.laps import timed_laps
from capitate.training.pace.clock import wait_for
from capitate.training.settings.devices import Precision

__all__ = ["SIDES", "product_rate"]

SIDES = {"cuda": 8192, "cpu": 1536}
"""Rows and columns of the factors: large enough that memory is not what is measured."""
_TYPES = {Precision.BF16: torch.bfloat16, Precision.FP32: torch.float32}


def product_rate(
    device: torch.device, precision: Precision, *, runs: int, seconds: float, side: int | None = None
) -> float:
    """Measure operations a second of a matrix product, two for each multiply-add, from the median time.

    Args:
        device: that multiplies.
        precision: of the factors.
        runs: most products.
        seconds: after which no further product begins, once there are three.
        side: rows and columns of the factors, of `SIDES` if None.
    """
    side = side or SIDES[device.type]
    generator = torch.Generator(device).manual_seed(0)
    shape = (side, side)
    first, second = (torch.randn(shape, generator=generator, device=device).to(_TYPES[precision]) for _ in range(2))

    def multiply() -> None:
        torch.mm(first, second)
        wait_for(device)

    laps = timed_laps(multiply, runs=runs, seconds=seconds)
    return 2 * side**3 * 1000 / statistics.median(one.wall_ms for one in laps)
