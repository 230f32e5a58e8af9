"""The experiment that outlines epiphyses and carpal bones."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capitate.errors import UsageError
from capitate.runtime.film_rule import Fit
from capitate.training.settings.checks import within
from capitate.training.settings.pictures import LabelledPicturesConfig, check_labelled

__all__ = ["Crops", "OutlineFiles", "OutlinesConfig", "Outside", "check_outlines"]


class Crops(StrEnum):
    """What one picture shows."""

    JOINTS = "joints"
    HAND = "hand"


class Outside(StrEnum):
    """What pixels teach that no mask says anything about."""

    IGNORE = "ignore"
    BACKGROUND = "background"


@dataclass(frozen=True)
class OutlineFiles:
    """Where masks and films lie, from the folder of the data; they belong together by their names.

    Attributes:
        masks: folder of masks, 0 background, 1 joint region, 2 epiphysis or carpal bone.
        pictures: folder of the films, or of the films inside the masks.
        masked: whether the pictures are black outside the masks; they are then filled with the nearest grey, because a
            film to be assessed has no such edge.
        boxes: table of the 21 named joints of the films, as a detector finds them; crops are then the squares that an
            assessment outlines, whether or not they hold a bone, instead of those around the regions of masks. Empty
            for none.
    """

    masks: str = "masks"
    pictures: str = "regions"
    masked: bool = True
    boxes: str = ""


@dataclass(frozen=True)
class OutlinesConfig(LabelledPicturesConfig):
    """An experiment on outlines.

    Attributes:
        crops: `joints` for squares around joints, by `labels.boxes` or the regions of a mask, `hand` for whole films.
        margin: what a square shows beyond its region's longer side, at each end, as a share of it.
        least: longer side of a region from which on it is learnt from, as a share of the film's longer side.
        outside: `ignore` or `background`, for pixels of value 0.
        dice: share of the Dice loss; the rest is cross-entropy.
        labels: see `OutlineFiles`.
    """

    name: str = "outlines"
    crops: Crops = Crops.JOINTS
    margin: float = 0.25
    least: float = 0.012
    outside: Outside = Outside.IGNORE
    dice: float = 0.5
    labels: OutlineFiles = field(default_factory=OutlineFiles)


def check_outlines(config: OutlinesConfig) -> None:
    """Refuse values that no network for outlines could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_labelled(config)
    within(
        [
            ("margin", config.margin, 0, 4),
            ("least", config.least, 0, 1),
            ("dice", config.dice, 0, 1),
        ]
    )
    if config.crops is Crops.JOINTS:
        odd = next((one for one in config.optimiser.stages if one.height != one.width), None)
        if odd is not None:
            raise UsageError(
                f"crops is joints and a stage of optimiser.stages is {odd.height} x {odd.width}; crops are squares"
            )
        if config.reading.aspect or config.reading.fit is not Fit.PAD:
            raise UsageError(
                f"crops is joints, which are cut from films as they are; reading.aspect is {config.reading.aspect:g} "
                f"and reading.fit is {config.reading.fit}, leave both out"
            )
    if config.labels.masked and config.outside is Outside.BACKGROUND:
        raise UsageError(
            "outside is background and labels.masked is true: what was cut away would be learnt as bare background; "
            "set outside = 'ignore', or give whole films with labels.masked = false"
        )
