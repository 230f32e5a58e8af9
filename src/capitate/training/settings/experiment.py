"""What every experiment states, whatever it trains; each task adds its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from capitate.training.settings.devices import DevicesConfig
from capitate.training.settings.freezing import FreezingConfig
from capitate.training.settings.optimiser import OptimiserConfig
from capitate.training.settings.record import RecordConfig
from capitate.training.settings.schedule import ScheduleConfig
from capitate.training.settings.swa import SwaConfig
from capitate.training.settings.validation import ValidationConfig

__all__ = ["Experiment"]


@dataclass(frozen=True)
class Experiment:
    """The part of an experiment that the loop reads.

    Attributes:
        name: of the experiment and of the bundle made of it.
        seed: of weights, order and augmentation; a run adds the number of its fold.
        folds: number of folds.
        optimiser: see `OptimiserConfig`.
        schedule: see `ScheduleConfig`.
        swa: see `SwaConfig`.
        validation: see `ValidationConfig`.
        devices: see `DevicesConfig`.
        record: see `RecordConfig`.
        freezing: see `FreezingConfig`.
    """

    name: str = "experiment"
    seed: int = 0
    folds: int = 5
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    swa: SwaConfig = field(default_factory=SwaConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    devices: DevicesConfig = field(default_factory=DevicesConfig)
    record: RecordConfig = field(default_factory=RecordConfig)
    freezing: FreezingConfig = field(default_factory=FreezingConfig)

    def to_dict(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        return asdict(self)
