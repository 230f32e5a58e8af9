"""Timing on a device that may still be computing when a call returns."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from capitate.runtime.laps import timed_laps
from capitate.training.pace.report import Pace

__all__ = ["paced", "wait_for"]


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def paced(
    name: str, step: Callable[[], object], *, films: int, device: torch.device, runs: int, seconds: float
) -> Pace:
    """Time a part of training, after calls that are not counted.

    Args:
        name: of the part.
        step: handles `films` films.
        films: of one call.
        device: waited for at the end of each call.
        runs: most calls.
        seconds: after which no further call begins, once there are three.
    """

    def waited() -> None:
        step()
        wait_for(device)

    laps = timed_laps(waited, runs=runs, seconds=seconds)
    return Pace(name, films * 1000 / statistics.median(one.wall_ms for one in laps), films, len(laps))
