"""How far augmentation goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from capitate.errors import UsageError

__all__ = ["AugmentConfig", "Edge"]

_SHARES = ("flip", "flip_vertical", "blur", "surroundings", "patches", "clahe", "histogram", "crop")
_WIDTHS = ("rotation", "scale", "aspect", "shear", "shift", "gamma", "contrast", "noise", "mixup", "mixup_months")
_STRENGTHS = ("rotation", "scale", "aspect", "shear", "shift", "gamma", "contrast", "noise", "crop")
MIXED_SEX = ("same", "hidden")
MOST_OPERATIONS = 4
MOST_TILES = 16
"""Tiles of a view of 112 x 88, the smallest that the released recipes train on, then have 6 pixels a side."""


class Edge(StrEnum):
    """What stands where a moved picture has nothing: black, or the picture mirrored at its edge."""

    BLACK = "black"
    MIRROR = "mirror"


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation; 0 switches any of them off. docs/augmentation.md says what each does.

    Attributes:
        rotation: degrees; the sum of two even draws within this, so at most twice as many.
        scale: logarithm of the largest factor.
        aspect: logarithm of the largest factor by which width grows and height shrinks.
        shear: largest slide of the last row against the first, as a share of the width.
        shift: largest shift, in widths and heights of the view.
        crop: most of the view's area that a crop leaves away; what stays is enlarged to the whole view.
        flip: share of views mirrored left to right.
        flip_vertical: share of views mirrored top to bottom.
        gamma: logarithm of the largest exponent.
        contrast: largest change of the gain; the offset follows at 0.4 times this.
        noise: largest standard deviation, grey levels of 255.
        blur: share of views resampled through a coarser grid.
        surroundings: share of views whose surroundings become one grey.
        patches: probability of each of two grey rectangles beside the hand.
        edge: what comes in from beyond the view, `black` or the view `mirror`ed, which makes no edge to learn from.
        clahe: share of views with contrast-limited adaptive histogram equalisation.
        clahe_clip: largest clip limit, in multiples of an even histogram's count; the least is 1.
        clahe_tiles: tiles along each side, 2 to 16.
        histogram: share of views whose grey levels are matched to those of another film of the batch.
        uniform_operations: operations a view of UniformAugment, 2 in its publication, at most 4.
        mixup: both parameters of the beta distribution that the share of the partner is drawn from.
        mixup_months: width of the kernel by which C-Mixup prefers partners of like age; 0 for plain mixup.
        mixup_sex: `same` mixes films of one sex only, `hidden` any two and hides a sex that they do not share.
    """

    rotation: float = 12.0
    scale: float = 0.10
    aspect: float = 0.08
    shear: float = 0.08
    shift: float = 0.06
    flip: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.25
    noise: float = 6.0
    blur: float = 0.3
    surroundings: float = 0.4
    patches: float = 0.5
    flip_vertical: float = 0.0
    crop: float = 0.0
    edge: Edge = Edge.BLACK
    clahe: float = 0.0
    clahe_clip: float = 4.0
    clahe_tiles: int = 8
    histogram: float = 0.0
    uniform_operations: int = 0
    mixup: float = 0.0
    mixup_months: float = 0.0
    mixup_sex: str = "same"

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UsageError: naming the key, its value and what is allowed.
        """
        for name in _SHARES:
            most = 0.9 if name == "crop" else 1.0
            if not 0 <= getattr(self, name) <= most:
                raise UsageError(f"augment.{name} must lie between 0 and {most:g}, got {getattr(self, name)}")
        for name in _WIDTHS:
            if getattr(self, name) < 0:
                raise UsageError(f"augment.{name} must be 0 or more, got {getattr(self, name)}")
        if not 0 <= self.uniform_operations <= MOST_OPERATIONS:
            raise UsageError(
                f"augment.uniform_operations must lie between 0 and {MOST_OPERATIONS}, got {self.uniform_operations}"
            )
        if self.clahe and (self.clahe_clip < 1 or not 2 <= self.clahe_tiles <= MOST_TILES):
            raise UsageError(
                f"augment.clahe needs clahe_clip of 1 or more and clahe_tiles of 2 to {MOST_TILES}, "
                f"got {self.clahe_clip} and {self.clahe_tiles}"
            )
        if self.mixup and self.mixup_sex not in MIXED_SEX:
            raise UsageError(f"augment.mixup_sex must be one of {', '.join(MIXED_SEX)}, got {self.mixup_sex!r}")
        if self.mixup_months and not self.mixup:
            raise UsageError(
                f"augment.mixup_months is {self.mixup_months:g} without mixup; set augment.mixup, such as 0.4"
            )

    def scaled(self, strength: float) -> AugmentConfig:
        """Return the settings with every range of geometry, tone and noise times `strength`; shares stay.

        Progressive resizing grows the strength with the resolution.

        Args:
            strength: 0 or more, 1 for no change.
        """
        return replace(self, **{name: getattr(self, name) * strength for name in _STRENGTHS})
