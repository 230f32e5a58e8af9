"""What a trained network costs: parameters, multiply-adds of one view, and how long the exported file takes for it."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from capitate.evaluation.speed import timed
from capitate.runtime.session import Session
from capitate.training.export import export_network
from capitate.training.networks import BoneAgeNetwork

__all__ = ["Costs", "costs_of", "multiply_adds"]

_RUNS = 25


@dataclass(frozen=True)
class Costs:
    """Costs of one view, without test-time views.

    Attributes:
        parameters: numbers that are learnt.
        multiply_adds: of convolutions and matrix products.
        latency_ms: median over runs of the exported file by onnxruntime, batch of one, one thread.
        latency_p95_ms: the 95th percentile of these runs.
        megabytes: size of the exported file, 10^6 bytes.
    """

    parameters: int
    multiply_adds: int
    latency_ms: float
    latency_p95_ms: float
    megabytes: float


def costs_of(network: BoneAgeNetwork, *, size: tuple[int, int], runs: int = _RUNS) -> Costs:
    """Measure a network.

    Args:
        network: trained or not.
        size: rows and columns of a view.
        runs: of the exported file, after a few that are not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_network(network, path, height=size[0], width=size[1])
        session = Session(path, threads=1)
        inputs: dict[str, NDArray[Any]] = {
            "view": np.zeros((1, 1, *size), dtype=np.uint8),
            "sex": np.zeros(1, dtype=np.int64),
        }
        timing = timed("network", lambda: session.run(inputs), runs=runs, before=3)
        megabytes = path.stat().st_size / 1e6
    parameters = sum(one.numel() for one in network.parameters())
    counted = multiply_adds(network, size=size)
    return Costs(parameters, counted, timing.median_ms, timing.p95_ms, round(megabytes, 3))


def multiply_adds(network: BoneAgeNetwork, *, size: tuple[int, int]) -> int:
    """Count the multiply-adds of convolutions and matrix products for one view, by computing it on the CPU.

    torch counts two operations for each multiply-add; elementwise operations, norms and poolings are not counted.
    """
    shape = copy.deepcopy(network).eval().cpu()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shape(torch.zeros(1, 1, *size), torch.zeros(1, dtype=torch.int64))
    return int(counter.get_total_flops()) // 2
