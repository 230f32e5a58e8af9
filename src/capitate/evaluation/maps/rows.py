"""What was measured on one film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capitate.evaluation.maps.regions import Corners

__all__ = ["MapRow"]

NOTHING = float("nan")


@dataclass(frozen=True)
class MapRow:
    """One film; what was not measured is NaN.

    Attributes:
        id: of the film.
        group: what it is resampled with: patient, study, column `group`, or the film itself.
        in_training: whether the model was trained on it.
        answer: of the model, in the map's unit.
        peak: (x, y) of the map's peak, fractions of the film; None where the model names no place.
        boxes: annotated on the film.
        area: share of the film inside the boxes.
        tissue: share of the film's tissue inside the boxes.
        hand_energy: share of the map's energy on the hand.
        hand_area: share of the film that is hand.
        joints_energy: share of the map's energy in the boxes of joints.
        joints_area: share of the film in them.
        before: what the change of surroundings is judged by, of the film as it is: months, or a probability.
        after: the same with everything outside the dilated hand replaced.
        same_side: whether both lie on one side of the model's threshold; None without a threshold.
        alike: by part of the network that was randomised, the figures of `likeness.MEASURES` of both maps.
        refusal: code, None if the film was read.
        message: why it was refused.
    """

    id: str
    group: str
    in_training: bool = False
    answer: float = NOTHING
    peak: tuple[float, float] | None = None
    boxes: tuple[Corners, ...] = ()
    area: float = NOTHING
    tissue: float = NOTHING
    hand_energy: float = NOTHING
    hand_area: float = NOTHING
    joints_energy: float = NOTHING
    joints_area: float = NOTHING
    before: float = NOTHING
    after: float = NOTHING
    same_side: bool | None = None
    alike: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    refusal: str | None = None
    message: str | None = None
