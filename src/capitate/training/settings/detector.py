"""Settings that detectors of boxes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capitate.errors import UsageError
from capitate.training.settings.checks import within
from capitate.training.settings.pictures import LabelledPicturesConfig, check_labelled

__all__ = ["BoxLoss", "DetectorConfig", "DetectorLossConfig", "check_detector"]


class BoxLoss(StrEnum):
    """What makes boxes right."""

    GIOU = "giou"
    L1 = "l1"


@dataclass(frozen=True)
class DetectorLossConfig:
    """What the detector is fitted by.

    Attributes:
        overlap: least overlap of two boxes whose centres count as near, which sets how wide a centre's mark on its map
            is (Law & Deng 2018).
        focus: power by which cells that are right already count less.
        near: power by which cells near a centre count less as background.
        offset: weight of the centres' distance, L1 in cells.
        box: `giou`, or `l1` of the logarithms of the sizes.
        box_weight: weight of it.
    """

    overlap: float = 0.7
    focus: float = 2.0
    near: float = 4.0
    offset: float = 1.0
    box: BoxLoss = BoxLoss.GIOU
    box_weight: float = 1.0


@dataclass(frozen=True)
class DetectorConfig(LabelledPicturesConfig):
    """An experiment whose network finds boxes.

    Attributes:
        classes: names in the order of the maps.
        loss: see `DetectorLossConfig`.
    """

    classes: tuple[str, ...] = ()
    loss: DetectorLossConfig = field(default_factory=DetectorLossConfig)


def check_detector(config: DetectorConfig) -> None:
    """Refuse values that no detector could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_labelled(config)
    if not config.classes or len(set(config.classes)) < len(config.classes):
        raise UsageError(f"classes must be different names, at least one, got {list(config.classes)}")
    loss = config.loss
    within(
        [
            ("loss.overlap", loss.overlap, 0.1, 0.95),
            ("loss.focus", loss.focus, 0, 8),
            ("loss.near", loss.near, 0, 8),
            ("loss.offset", loss.offset, 0, float("inf")),
            ("loss.box_weight", loss.box_weight, 0, float("inf")),
        ]
    )
