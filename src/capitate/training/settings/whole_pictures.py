"""Settings of tasks whose networks see whole pictures: films or crops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from capitate.errors import UsageError
from capitate.runtime.pictures import Fit, PictureRule
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.checks import within
from capitate.training.settings.data import UnreadableConfig
from capitate.training.settings.experiment import Experiment

__all__ = ["WholePicturesConfig", "check_pictures", "picture_augmentation", "picture_rule"]

picture_augmentation = partial(AugmentConfig, surroundings=0.0, patches=0.0)
"""Augmentation without what needs to know where the hand is."""


@dataclass(frozen=True)
class WholePicturesConfig(UnreadableConfig):
    """How films or crops become pictures. Their size is that of the last of `optimiser.stages`.

    Attributes:
        workers: processes that read films; 0 reads in the training process.
        fit: `pad` keeps proportions with black around, `stretch` squashes.
        percentiles: of a film's pixels that become black and white.
        cache_megabytes: of pictures that are kept in memory once read; the others are read anew in every epoch.
    """

    workers: int = 0
    fit: Fit = Fit.PAD
    percentiles: tuple[float, ...] = (0.5, 99.5)
    cache_megabytes: int = 2000


def picture_rule(config: Experiment, reading: WholePicturesConfig) -> PictureRule:
    """Give the rule by which an experiment's pictures are made, at the size of its last stage."""
    last = config.optimiser.stages[-1]
    low, high = reading.percentiles
    return PictureRule(last.height, last.width, reading.fit, (low, high))


def check_pictures(config: Experiment, reading: WholePicturesConfig, augment: AugmentConfig) -> None:
    """Refuse what no training on pictures could be made of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    within(
        [
            ("reading.workers", reading.workers, 0, 256),
            ("reading.most_unreadable", reading.most_unreadable, 0, 1),
            ("reading.cache_megabytes", reading.cache_megabytes, 0, float("inf")),
        ]
    )
    found = reading.percentiles
    if len(found) != 2 or not 0 <= found[0] < found[1] <= 100:
        raise UsageError(
            f"reading.percentiles must be two that rise, such as [0.5, 99.5], got {list(reading.percentiles)}"
        )
    last = config.optimiser.stages[-1]
    larger = [one for one in config.optimiser.stages if one.height > last.height or one.width > last.width]
    if larger:
        raise UsageError(
            f"optimiser.stages must not shrink: pictures are made for the last, {last.height} x {last.width}, got "
            f"{larger[0].height} x {larger[0].width} before it"
        )
    for key in ("surroundings", "patches", "mixup"):
        if getattr(augment, key):
            reason = "mixes ages" if key == "mixup" else "needs to know where the hand is"
            raise UsageError(f"augment.{key} {reason}; set it to 0 here, got {getattr(augment, key):g}")
