"""Settings that tasks on whole films and crops share: reading, the features, and what of augmentation they can take."""

from __future__ import annotations

from dataclasses import dataclass

from capitate.errors import UsageError
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.checks import within
from capitate.training.settings.data import OnUnreadable
from capitate.training.settings.experiment import Experiment

__all__ = ["FeaturesConfig", "PictureReadingConfig", "check_pictures", "plain_augment"]

_STRIDE = 32
_REFUSED = ("surroundings", "patches", "histogram", "uniform_operations", "mixup")
"""Augmentations that need the hand's mask, that move pixels in a way that labels do not follow, or that mix films."""


@dataclass(frozen=True)
class PictureReadingConfig:
    """How films are read, all of them before the first step.

    Attributes:
        workers: processes that read films; 1 reads in the training process.
        on_unreadable: stop with the film's name, or go on without it and count it.
        most_unreadable: share of the films from which on a run stops even where it is to go on.
        aspect: width over height that each film once had, for films that were stored squashed; 0 keeps each one's own.
        squash: fill the picture with the film, whatever its proportions, in training and in assessment.
        folds_from_table: keep the folds of the table's column `split` instead of deciding by id.
    """

    workers: int = 1
    on_unreadable: OnUnreadable = OnUnreadable.STOP
    most_unreadable: float = 0.01
    aspect: float = 0.0
    squash: bool = False
    folds_from_table: bool = False


@dataclass(frozen=True)
class FeaturesConfig:
    """A backbone of timm whose maps at several strides are brought together.

    Attributes:
        backbone: timm's name of a convolutional network.
        channels: 1, or 3 for a picture of three equal channels.
        pretrained: whether training begins with timm's published weights, fetched where there is a connection.
        weights: file of pretrained weights of the backbone instead, safetensors or a state dictionary.
        drop_path: stochastic depth.
        width: channels of the maps once they are brought together.
    """

    backbone: str = "mobilenetv4_conv_small"
    channels: int = 1
    pretrained: bool = False
    weights: str = ""
    drop_path: float = 0.0
    width: int = 64

    def __post_init__(self) -> None:
        """Refuse values that no network could be made of.

        Raises:
            UsageError: naming the key and the value.
        """
        if self.channels not in (1, 3):
            raise UsageError(f"network.channels must be 1 or 3, got {self.channels}")
        within([("network.width", self.width, 4, 1024), ("network.drop_path", self.drop_path, 0, 0.9)])


def plain_augment() -> AugmentConfig:
    """Give the default augmentation without what `check_pictures` refuses."""
    return AugmentConfig(surroundings=0.0, patches=0.0)


def check_pictures(config: Experiment, *, reading: PictureReadingConfig, augment: AugmentConfig) -> None:
    """Refuse sizes and augmentations that a task on pictures with labels in them cannot take.

    Args:
        config: the experiment.
        reading: of its films.
        augment: of its pictures.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    within(
        [
            ("reading.workers", reading.workers, 1, 256),
            ("reading.most_unreadable", reading.most_unreadable, 0, 1),
            ("reading.aspect", reading.aspect, 0, 4),
        ]
    )
    refused = [name for name in _REFUSED if getattr(augment, name)]
    if refused:
        raise UsageError(
            f"augment.{refused[0]} is {getattr(augment, refused[0])}; labels that lie in the picture cannot follow it, "
            "set it to 0"
        )
    stages = config.optimiser.stages
    last = stages[-1]
    for k, stage in enumerate(stages):
        if stage.height % _STRIDE or stage.width % _STRIDE:
            raise UsageError(
                f"optimiser.stages[{k}] must have rows and columns in multiples of {_STRIDE}, got {stage.height} x "
                f"{stage.width}"
            )
        if stage.height > last.height or stage.width > last.width:
            raise UsageError(
                f"optimiser.stages[{k}] is larger than the last one, got {stage.height} x {stage.width} and "
                f"{last.height} x {last.width}; films are read at the size of the last stage"
            )
