"""What was measured of training, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Pace", "TrainingPace", "joined", "verdict"]

_PASSES = 3
"""Forward, and backward to inputs and to weights, each with as many multiply-adds."""
_OPERATIONS = 2
"""A multiply-add is two."""


@dataclass(frozen=True)
class Pace:
    """Films a second of one part.

    Attributes:
        name: of the part.
        films_a_second: films of a call over its median time.
        films: of one call.
        calls: that were timed.
    """

    name: str
    films_a_second: float
    films: int
    calls: int


@dataclass(frozen=True)
class TrainingPace:
    """Everything that was measured for one experiment.

    Attributes:
        experiment: its name.
        backbone: of its network.
        device: that computed, by name.
        precision: of products.
        height: rows of a view.
        width: columns of a view.
        batch: films a step.
        shown: times that a step shows each film, 2 where its consistency is trained.
        ahead: batches that were prepared beside the step.
        threads: of torch on the CPU.
        drawn: whether views and films were drawn because none were given.
        paces: by part: `decode`, `prepare`, `load`, `augment`, `feed` (both), `step`, `run`,
            `run_held` (with views on the device already).
        parameters: of the network.
        multiply_adds: of convolutions and products for one view, forward.
        product_rate: operations a second of a large matrix product in `precision`.
        product_side: rows and columns of its factors.
    """

    experiment: str
    backbone: str
    device: str
    precision: str
    height: int
    width: int
    batch: int
    shown: int
    ahead: int
    threads: int
    drawn: bool
    paces: Mapping[str, Pace]
    parameters: int
    multiply_adds: int
    product_rate: float
    product_side: int

    @property
    def step_rate(self) -> float:
        """Operations a second of the step's convolutions and products: three passes, two for each multiply-add."""
        views = self.paces["step"].films_a_second * self.shown
        return self.multiply_adds * _PASSES * _OPERATIONS * views

    @property
    def share_of_products(self) -> float:
        """The step's rate as a share of that of the matrix product."""
        return self.step_rate / self.product_rate

    def to_json(self) -> dict[str, Any]:
        """Give figures and what follows from them as plain values."""
        follows = {"step_rate": self.step_rate, "share_of_products": self.share_of_products}
        return {**asdict(self), **follows, **verdict(self)}


def joined(*films_a_second: float) -> float:
    """Give the pace of parts that work one after the other on each film."""
    return 1 / sum(1 / pace for pace in films_a_second)


def verdict(found: TrainingPace) -> dict[str, Any]:
    """Say which part the others wait for.

    Returns:
        `bottleneck`: `step`, or the slower of `load` and `augment` where feeding is slower than the step;
        `feed_over_step`: how many times faster films are fed than learnt from, each alone;
        `run_over_step`: share of the step's pace that a run keeps with the feeder beside it;
        `readers`: processes that would decode and prepare films as fast as the step takes them.
    """
    pace = {name: one.films_a_second for name, one in found.paces.items()}
    slower = min(("load", "augment"), key=lambda name: pace[name])
    return {
        "bottleneck": "step" if pace["feed"] >= pace["step"] else slower,
        "feed_over_step": pace["feed"] / pace["step"],
        "run_over_step": pace["run"] / pace["step"],
        "readers": math.ceil(pace["step"] / joined(pace["decode"], pace["prepare"])),
    }
