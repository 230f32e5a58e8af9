"""Settings that tasks on whole films and crops share: reading, the features, and what of augmentation they can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capitate.errors import UsageError
from capitate.runtime.film_rule import FilmRule, Fit
from capitate.training.settings.augment import AugmentConfig, Edge
from capitate.training.settings.checks import check_training, within
from capitate.training.settings.data import UnreadableConfig
from capitate.training.settings.experiment import Experiment

__all__ = [
    "FeaturesConfig",
    "LabelledPicturesConfig",
    "PictureReadingConfig",
    "PicturesOnDemandConfig",
    "check_labelled",
    "check_pictures",
    "film_rule",
    "plain_augment",
]


_STRIDE = 32
"""Rows and columns that a network of `FeaturesConfig` needs are multiples of this: its backbone's last maps."""
_SURROUNDING = ("surroundings", "patches")
"""Augmentations that only pictures can take on which the limb is told."""
_UNMASKED = {"mixup": "mixes ages"} | dict.fromkeys(_SURROUNDING, "needs to know where the hand or limb is")
"""Augmentations, with the reason, that no picture of a whole film or crop can take."""
_LABELLED = {
    **_UNMASKED,
    "histogram": "takes the grey levels of another film",
    "uniform_operations": "moves pixels in a way that labels in the picture cannot follow",
    "mixup": "mixes films, and labels in the picture cannot follow",
}
"""The same where labels lie in the picture, such as boxes and masks."""


@dataclass(frozen=True)
class PictureReadingConfig(UnreadableConfig):
    """How films or crops become pictures. Their size is that of the last of `optimiser.stages`.

    Attributes:
        fit: `pad` keeps proportions with black around, `stretch` squashes; in training and in assessment.
        percentiles: of a film's pixels that become black and white.
        aspect: width over height that each film once had, for films that were stored squashed; 0 keeps each one's own.
        folds_from_table: keep the folds of the table's column `split` instead of deciding by patient, source or study.
    """

    workers: int = 0
    fit: Fit = Fit.PAD
    percentiles: tuple[float, ...] = (0.5, 99.5)
    aspect: float = 0.0
    folds_from_table: bool = False


@dataclass(frozen=True)
class PicturesOnDemandConfig(PictureReadingConfig):
    """The same for tasks that read a picture when a batch asks for it.

    Attributes:
        cache_megabytes: of pictures that are kept in memory once read; the others are read anew in every epoch.
        limbs: tell the limb on whole films from what lies around it, for `augment.surroundings` and `augment.patches`.
    """

    cache_megabytes: int = 2000
    limbs: bool = False


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


@dataclass(frozen=True)
class LabelledPicturesConfig(Experiment):
    """An experiment whose labels lie in pictures of films, such as boxes and masks.

    Attributes:
        negatives: share of pictures shown as negatives.
        reading: see `PictureReadingConfig`.
        network: see `FeaturesConfig`.
        augment: see `AugmentConfig`.
    """

    negatives: float = 0.0
    reading: PictureReadingConfig = field(default_factory=PictureReadingConfig)
    network: FeaturesConfig = field(default_factory=FeaturesConfig)
    augment: AugmentConfig = field(default_factory=plain_augment)


def film_rule(config: Experiment, reading: PictureReadingConfig) -> FilmRule:
    """Give the rule by which an experiment's pictures are made, at the size of its last stage."""
    last = config.optimiser.stages[-1]
    low, high = reading.percentiles
    return FilmRule(last.height, last.width, reading.fit, (low, high))


def check_pictures(
    config: Experiment,
    *,
    reading: PictureReadingConfig,
    augment: AugmentConfig,
    refused: Mapping[str, str] = _UNMASKED,
    stride: int = 1,
) -> None:
    """Refuse sizes and augmentations that a task on pictures cannot take.

    Args:
        config: the experiment.
        reading: of its films.
        augment: of its pictures.
        refused: augmentations that the task cannot take, and why.
        stride: that rows and columns have to be multiples of.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    _check_reading(reading)
    if refused is _LABELLED and augment.edge is Edge.MIRROR:
        raise UsageError(
            "augment.edge is mirror, which shows what is labelled twice and labels it once; leave it black here"
        )
    told = _SURROUNDING if isinstance(reading, PicturesOnDemandConfig) and reading.limbs else ()
    for key, reason in refused.items():
        if getattr(augment, key) and key not in told:
            raise UsageError(f"augment.{key} {reason}; set it to 0 here, got {getattr(augment, key):g}")
    stages = config.optimiser.stages
    last = stages[-1]
    for k, stage in enumerate(stages):
        if stage.height % stride or stage.width % stride:
            raise UsageError(
                f"optimiser.stages[{k}] must have rows and columns in multiples of {stride}, got {stage.height} x "
                f"{stage.width}"
            )
        if stage.height > last.height or stage.width > last.width:
            raise UsageError(
                f"optimiser.stages[{k}] is larger than the last one, got {stage.height} x {stage.width} and "
                f"{last.height} x {last.width}; pictures are made at the size of the last stage"
            )


def check_labelled(config: LabelledPicturesConfig) -> None:
    """Refuse what no task with labels in its pictures could be trained with.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_training(config)
    check_pictures(config, reading=config.reading, augment=config.augment, refused=_LABELLED, stride=_STRIDE)
    within([("negatives", config.negatives, 0, 1)])


def _check_reading(reading: PictureReadingConfig) -> None:
    within(
        [
            ("reading.workers", reading.workers, 0, 256),
            ("reading.most_unreadable", reading.most_unreadable, 0, 1),
            ("reading.aspect", reading.aspect, 0, 4),
        ]
    )
    if isinstance(reading, PicturesOnDemandConfig):
        within([("reading.cache_megabytes", reading.cache_megabytes, 0, float("inf"))])
    if reading.aspect and reading.fit is Fit.STRETCH:
        raise UsageError(
            f"reading.aspect is {reading.aspect:g} and reading.fit is stretch, which leaves no proportions to "
            "give back; leave one of them out"
        )
    found = reading.percentiles
    if len(found) != 2 or not 0 <= found[0] < found[1] <= 100:
        raise UsageError(f"reading.percentiles must be two that rise, such as [0.5, 99.5], got {list(found)}")
