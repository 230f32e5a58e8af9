"""The joint detector's experiment."""

from __future__ import annotations

from dataclasses import dataclass, field

from capitate.errors import UsageError
from capitate.training.joints_labels import BOXES_OF_A_HAND
from capitate.training.settings.checks import within
from capitate.training.settings.detector import DetectorConfig, check_detector
from capitate.training.settings.pictures import PictureReadingConfig

__all__ = [
    "DetectConfig",
    "JointDetectorConfig",
    "JointLabelFiles",
    "JointReadingConfig",
    "check_joints",
]


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
class DetectConfig:
    """How boxes are read from maps.

    Attributes:
        threshold: least score of a joint that counts as found.
        known_counts: keep no more joints of a class than a hand has.
    """

    threshold: float = 0.3
    known_counts: bool = True


@dataclass(frozen=True)
class JointDetectorConfig(DetectorConfig):
    """A joint-detector experiment.

    Attributes:
        classes: names in the order of the maps.
        counts: how often each stands on a hand, in the same order.
        labels: see `JointLabelFiles`.
        reading: see `JointReadingConfig`.
        detect: see `DetectConfig`.
    """

    name: str = "joint-detector"
    classes: tuple[str, ...] = tuple(BOXES_OF_A_HAND)
    counts: tuple[int, ...] = tuple(BOXES_OF_A_HAND.values())
    labels: JointLabelFiles = field(default_factory=JointLabelFiles)
    reading: JointReadingConfig = field(default_factory=JointReadingConfig)
    detect: DetectConfig = field(default_factory=DetectConfig)


def check_joints(config: JointDetectorConfig) -> None:
    """Refuse values that no joint detector could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_detector(config)
    if len(config.counts) != len(config.classes) or min(config.counts) < 1:
        raise UsageError(
            f"counts must hold a whole number above 0 for each of {len(config.classes)} classes, got "
            f"{list(config.counts)}"
        )
    _check_view(config)
    within([("detect.threshold", config.detect.threshold, 0.01, 0.99)])


def _check_view(config: JointDetectorConfig) -> None:
    reading = config.reading
    if len(reading.margins) != 4 or not all(0 <= one <= 1 for one in reading.margins):
        raise UsageError(f"reading.margins must be four shares from 0 to 1, got {list(reading.margins)}")
    if reading.hand and config.negatives:
        raise UsageError(
            f"negatives is {config.negatives:g} and reading.hand is true: the hand locator tells negatives before the "
            "view is cut; leave one of them out"
        )
