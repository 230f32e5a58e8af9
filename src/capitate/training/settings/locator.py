"""The hand locator's experiment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["LabelFiles", "LocatorConfig", "Round"]


@dataclass(frozen=True)
class LabelFiles:
    """The locator's labels: tables of key points and of joint boxes, relative to the table of films."""

    keypoints: str = "../joints/hand-keypoints-21.csv"
    boxes: str = "../joints/boxes-21.csv"


@dataclass(frozen=True)
class Round:
    """One round of the locator's training with AdamW and one cycle.

    Attributes:
        epochs: passes over the hands.
        learning_rate: peak of the cycle.
        warm_up: share of the steps before the peak.
        average: most that the running average of the weights keeps a step; 0 for none.
    """

    epochs: int
    learning_rate: float
    warm_up: float
    average: float


@dataclass(frozen=True)
class LocatorConfig:
    """The hand locator's training: labelled hands, then all films with the first round's own labels.

    Attributes:
        name: of the bundle.
        seed: of weights, order and augmentation.
        held_out: labelled hands that no round learns from.
        batch: hands a step.
        weight_decay: of AdamW.
        disagreement: films whose four views disagree by this much or more, in units where the film is 2 wide, teach
            nothing in the second round.
        repeat: how often a labelled hand comes again in an epoch of the second round.
        labels: tables of the labels.
        first: round on the labelled hands.
        second: round on all films.
    """

    name: str = "hand-locator"
    seed: int = 0
    held_out: int = 150
    batch: int = 64
    weight_decay: float = 0.02
    disagreement: float = 0.15
    repeat: int = 4
    labels: LabelFiles = field(default_factory=LabelFiles)
    first: Round = field(default_factory=lambda: Round(200, 3e-3, 0.3, 0.0))
    second: Round = field(default_factory=lambda: Round(18, 2e-3, 0.1, 0.998))

    def to_dict(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        return asdict(self)
