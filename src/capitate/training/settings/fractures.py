"""The experiment of the localiser of fractures."""

from __future__ import annotations

from dataclasses import dataclass, field

from capitate.errors import UsageError
from capitate.training.settings.checks import within
from capitate.training.settings.detector import DetectorConfig, check_detector
from capitate.training.settings.pictures import PictureReadingConfig

__all__ = ["FRACTURE", "FractureLabels", "FractureReadingConfig", "FracturesConfig", "MarksConfig", "check_fractures"]

FRACTURE = "fracture"
"""The one class; what a table calls its boxes is kept for figures."""


@dataclass(frozen=True)
class FractureLabels:
    """Where boxes stand, from the folder of the data.

    Attributes:
        boxes: table with `file` or `id`, `class`, `x_center`, `y_center`, `width` and `height` in fractions of the
            film; films of the data that it does not name have no fracture.
    """

    boxes: str = "boxes.csv"


@dataclass(frozen=True)
class FractureReadingConfig(PictureReadingConfig):
    """How films become pictures.

    Attributes:
        fill_drawn: fill arrows and lettering with their surroundings before anything else, in training and in
            assessment; see `capitate.runtime.drawn_marks`.
    """

    fill_drawn: bool = True


@dataclass(frozen=True)
class MarksConfig:
    """Which boxes are shown.

    Attributes:
        false_marks: false marks a film, on the films kept back inside the training folds, that the threshold allows.
    """

    false_marks: float = 0.5


@dataclass(frozen=True)
class FracturesConfig(DetectorConfig):
    """An experiment that localises fractures.

    Attributes:
        labels: see `FractureLabels`.
        reading: see `FractureReadingConfig`.
        marks: see `MarksConfig`.
    """

    name: str = "fracture-localiser"
    classes: tuple[str, ...] = (FRACTURE,)
    labels: FractureLabels = field(default_factory=FractureLabels)
    reading: FractureReadingConfig = field(default_factory=FractureReadingConfig)
    marks: MarksConfig = field(default_factory=MarksConfig)


def check_fractures(config: FracturesConfig) -> None:
    """Refuse values that no localiser could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_detector(config)
    if config.classes != (FRACTURE,):
        raise UsageError(
            f"classes must be [{FRACTURE!r}] for a localiser, which learns all boxes as one, got "
            f"{list(config.classes)}; leave it out"
        )
    within([("marks.false_marks", config.marks.false_marks, 0.01, 8)])
