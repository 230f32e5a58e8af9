"""How the learning rate moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CycleMode", "ScheduleConfig", "ScheduleName"]


class ScheduleName(StrEnum):
    """Torch's schedules that an experiment may name."""

    CONSTANT = "constant"
    ONE_CYCLE = "one_cycle"
    COSINE = "cosine"
    STEP = "step"
    PLATEAU = "plateau"
    CYCLICAL = "cyclical"


class CycleMode(StrEnum):
    """What becomes of the height of a cycle (Smith 2017, WACV, section 3)."""

    TRIANGULAR = "triangular"
    TRIANGULAR2 = "triangular2"
    EXP_RANGE = "exp_range"


@dataclass(frozen=True)
class ScheduleConfig:
    """The schedule; its highest rate is `optimiser.learning_rate`.

    Attributes:
        name: `constant`; `one_cycle` and `cosine` over all steps, rising for the share `optimiser.warm_up`; `step`
            after every so many epochs; `plateau` when the validation error stays; `cyclical` every so many steps.
        lowest: rate that `cosine` ends at, `plateau` never falls below and `cyclical` starts from.
        factor: of a fall of `step` and `plateau`.
        every: epochs between falls of `step`.
        patience: epochs without improvement before a fall of `plateau`.
        cooldown: epochs after a fall in which `plateau` does not count.
        threshold: smallest improvement in months that `plateau` counts.
        rise: steps from the lowest to the highest rate of `cyclical`; the fall takes as many.
        mode: of `cyclical`: cycles of one height, halved each time, or by `gamma` a step.
        gamma: of `exp_range`.
    """

    name: ScheduleName = ScheduleName.ONE_CYCLE
    lowest: float = 0.0
    factor: float = 0.1
    every: int = 10
    patience: int = 10
    cooldown: int = 0
    threshold: float = 0.0
    rise: int = 2000
    mode: CycleMode = CycleMode.TRIANGULAR
    gamma: float = 1.0
