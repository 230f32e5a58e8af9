"""The joint detector's experiment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capitate.errors import UsageError
from capitate.training.joints_labels import BOXES_OF_A_HAND
from capitate.training.settings.checks import within
from capitate.training.settings.pictures import LabelledPicturesConfig, PictureReadingConfig, check_labelled

__all__ = [
    "BoxLoss",
    "DetectConfig",
    "JointDetectorConfig",
    "JointLabelFiles",
    "JointLossConfig",
    "JointReadingConfig",
    "check_joints",
]


class BoxLoss(StrEnum):
    """What makes boxes right."""

    GIOU = "giou"
    L1 = "l1"


@dataclass(frozen=True)
class JointLabelFiles:
    """The detector's labels, from the folder of the data.

    Attributes:
        boxes: a table of boxes, or a folder in the form of VOC or YOLO; empty for such labels beside the films.
        keypoints: a table in the form of `hand-keypoints-21.csv`, for films without boxes: centres without sizes; empty
            for none.
        leave_out_wrong: leave hands with wrong labels out and name them in `audit.json`; otherwise the run stops.
    """

    boxes: str = ""
    keypoints: str = ""
    leave_out_wrong: bool = True


@dataclass(frozen=True)
class JointReadingConfig(PictureReadingConfig):
    """How films become the detector's pictures.

    Attributes:
        hand: look at the upright view of the hand that the hand locator finds, instead of the whole film; such a view
            has the hand's own width and height, so `fit` and `aspect` do not matter to it.
        margins: left, top, right and bottom around the locator's frame, in shares of its width and height.
    """

    hand: bool = False
    margins: tuple[float, ...] = (0.16, 0.18, 0.16, 0.25)


@dataclass(frozen=True)
class JointLossConfig:
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
class DetectConfig:
    """How boxes are read from maps.

    Attributes:
        threshold: least score of a joint that counts as found.
        known_counts: keep no more joints of a class than a hand has.
    """

    threshold: float = 0.3
    known_counts: bool = True


@dataclass(frozen=True)
class JointDetectorConfig(LabelledPicturesConfig):
    """A joint-detector experiment.

    Attributes:
        classes: names in the order of the maps.
        counts: how often each stands on a hand, in the same order.
        labels: see `JointLabelFiles`.
        reading: see `JointReadingConfig`.
        loss: see `JointLossConfig`.
        detect: see `DetectConfig`.
    """

    name: str = "joint-detector"
    classes: tuple[str, ...] = tuple(BOXES_OF_A_HAND)
    counts: tuple[int, ...] = tuple(BOXES_OF_A_HAND.values())
    labels: JointLabelFiles = field(default_factory=JointLabelFiles)
    reading: JointReadingConfig = field(default_factory=JointReadingConfig)
    loss: JointLossConfig = field(default_factory=JointLossConfig)
    detect: DetectConfig = field(default_factory=DetectConfig)


def check_joints(config: JointDetectorConfig) -> None:
    """Refuse values that no joint detector could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_labelled(config)
    if not config.classes or len(set(config.classes)) < len(config.classes):
        raise UsageError(f"classes must be different names, at least one, got {list(config.classes)}")
    if len(config.counts) != len(config.classes) or min(config.counts) < 1:
        raise UsageError(
            f"counts must hold a whole number above 0 for each of {len(config.classes)} classes, got "
            f"{list(config.counts)}"
        )
    _check_view(config)
    loss = config.loss
    within(
        [
            ("loss.overlap", loss.overlap, 0.1, 0.95),
            ("loss.focus", loss.focus, 0, 8),
            ("loss.near", loss.near, 0, 8),
            ("loss.offset", loss.offset, 0, float("inf")),
            ("loss.box_weight", loss.box_weight, 0, float("inf")),
            ("detect.threshold", config.detect.threshold, 0.01, 0.99),
        ]
    )


def _check_view(config: JointDetectorConfig) -> None:
    reading = config.reading
    if len(reading.margins) != 4 or not all(0 <= one <= 1 for one in reading.margins):
        raise UsageError(f"reading.margins must be four shares from 0 to 1, got {list(reading.margins)}")
    if reading.hand and config.negatives:
        raise UsageError(
            f"negatives is {config.negatives:g} and reading.hand is true: the hand locator tells negatives before the "
            "view is cut; leave one of them out"
        )
