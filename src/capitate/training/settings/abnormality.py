"""Settings of the abnormality screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capitate.errors import UsageError
from capitate.evaluation.roc import Choice
from capitate.runtime.film_rule import Fit
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.checks import check_training, within
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.layers import parse_layers
from capitate.training.settings.network import BackboneConfig
from capitate.training.settings.pictures import PicturesOnDemandConfig, check_pictures, plain_augment

__all__ = [
    "AbnormalityConfig",
    "DistillationConfig",
    "OnFault",
    "PlacesConfig",
    "ScreenDataConfig",
    "ScreenLoss",
    "ScreenLossConfig",
    "ScreenNetworkConfig",
    "TeacherSees",
    "ThresholdConfig",
    "UnlabelledConfig",
    "UnlabelledUse",
    "check_abnormality",
]


class OnFault(StrEnum):
    """What a run does with studies that cannot be learnt from: stop with their names, or leave them out and say so."""

    STOP = "stop"
    LEAVE_OUT = "leave_out"


class ScreenLoss(StrEnum):
    """Losses of yes or no; see `capitate.training.losses.binary`."""

    WEIGHTED_BCE = "weighted_bce"
    BCE = "bce"
    FOCAL = "focal"


class UnlabelledUse(StrEnum):
    """What is learnt from films whose study nobody has read."""

    NONE = "none"
    CONSISTENCY = "consistency"
    PSEUDO_LABELS = "pseudo_labels"


class TeacherSees(StrEnum):
    """What a teacher answers for; see `DistillationConfig`."""

    FILM = "film"
    PICTURE = "picture"


@dataclass(frozen=True)
class ScreenDataConfig:
    """How a table of films is understood.

    Attributes:
        meaning: what a label of 1 says, for the card.
        contradictory: studies whose films have different labels: `stop` or `leave_out`.
        missing: studies of a table of which no film is found: `stop` or `leave_out`.
        region: column by which figures are told apart.
        region_names: names of the regions, where that column numbers them from 0.
    """

    meaning: str = "abnormal, as the table has it"
    contradictory: OnFault = OnFault.STOP
    missing: OnFault = OnFault.STOP
    region: str = "region"
    region_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScreenNetworkConfig(BackboneConfig):
    """Backbone and head of the screen.

    Attributes:
        layers: of the head before its last, see `capitate.training.settings.layers`; `1024-512` is system 002's.
    """

    backbone: str = "regnetx_008"
    layers: str = "1024-512"


@dataclass(frozen=True)
class ScreenLossConfig:
    """What is minimised.

    Attributes:
        name: `weighted_bce`, `bce` or `focal`.
        positive_weight: r of `weighted_bce`; 0 for negatives / positives of the films learnt from.
        gamma: of `focal`.
        alpha: weight of positives in `focal`; 1 - alpha is that of negatives.
    """

    name: ScreenLoss = ScreenLoss.WEIGHTED_BCE
    positive_weight: float = 0.0
    gamma: float = 2.0
    alpha: float = 0.25


@dataclass(frozen=True)
class UnlabelledConfig:
    """Films without a label, each seen under weak and strong augmentation.

    Attributes:
        use: `none`; `consistency`, the squared distance of both answers (Laine & Aila 2017, ICLR); `pseudo_labels`, the
            confident answer to the weak one as the label of the strong one (Sohn et al. 2020, NeurIPS).
        weight: in the loss.
        share: unlabelled films a step, as a share of the labelled ones.
        warm_up: first epochs without them.
        confidence: least probability of either kind that makes a pseudo-label.
        strength: factor on the ranges of augmentation for the strong one.
    """

    use: UnlabelledUse = UnlabelledUse.NONE
    weight: float = 1.0
    share: float = 0.5
    warm_up: int = 1
    confidence: float = 0.95
    strength: float = 2.0


@dataclass(frozen=True)
class PlacesConfig:
    """Films with boxes, that teach where on a film to look and nothing about which films are abnormal.

    The cells of such a film's last feature map are judged by the head one by one. The loss is the divergence of their
    softmax from the share of the boxes that lies in each, so it says which cells of this film stand out, and leaves the
    film's own probability alone.

    Attributes:
        films: table or folder of them, from the folder of the data; empty for none.
        boxes: table of their boxes, from the folder of `films`; films that it does not name are left out.
        weight: in the loss.
        share: such films a step, as a share of the labelled ones.
    """

    films: str = ""
    boxes: str = "boxes.csv"
    weight: float = 0.5
    share: float = 0.375


@dataclass(frozen=True)
class DistillationConfig:
    """Teachers: finished runs, given by `--teacher`, whose answers are learnt from beside the labels.

    The loss is (1 - share) times that of the labels, and share times T^2 BCE(logit / T, sigmoid(teacher's logit / T)),
    whose gradient does not shrink with T (Hinton, Vinyals & Dean 2015, arXiv 1503.02531).

    Attributes:
        share: of the teachers' answers in the loss; 0 for no teacher.
        temperature: T, which draws a teacher's sure answers towards one half.
        sees: `film`, each teacher answers once for every film, as it is and at the teacher's own size; `picture`, it
            answers for the very picture that the pupil is shown, augmented and of the stage's size, anew every epoch
            (Beyer et al. 2022, CVPR), which says more of films that a teacher has learnt by heart and costs a pass of
            the teacher a step.
    """

    share: float = 0.0
    temperature: float = 2.0
    sees: TeacherSees = TeacherSees.FILM


@dataclass(frozen=True)
class ThresholdConfig:
    """How the threshold is chosen on the films kept back inside the training folds.

    Attributes:
        choice: `youden` for the greatest sum of sensitivity and specificity, `sensitivity` or `specificity` for at
            least `least` of that one.
        least: of the one that is asked for.
    """

    choice: Choice = Choice.YOUDEN
    least: float = 0.9


@dataclass(frozen=True)
class AbnormalityConfig(Experiment):
    """An experiment that tells abnormal studies from others.

    Attributes:
        data: see `ScreenDataConfig`.
        reading: see `PicturesOnDemandConfig`.
        network: see `ScreenNetworkConfig`.
        augment: see `AugmentConfig`.
        loss: see `ScreenLossConfig`.
        unlabelled: see `UnlabelledConfig`.
        places: see `PlacesConfig`.
        distillation: see `DistillationConfig`.
        threshold: see `ThresholdConfig`.
    """

    name: str = "abnormality"
    data: ScreenDataConfig = field(default_factory=ScreenDataConfig)
    reading: PicturesOnDemandConfig = field(default_factory=PicturesOnDemandConfig)
    network: ScreenNetworkConfig = field(default_factory=ScreenNetworkConfig)
    augment: AugmentConfig = field(default_factory=plain_augment)
    loss: ScreenLossConfig = field(default_factory=ScreenLossConfig)
    unlabelled: UnlabelledConfig = field(default_factory=UnlabelledConfig)
    places: PlacesConfig = field(default_factory=PlacesConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    threshold: ThresholdConfig = field(default_factory=ThresholdConfig)


def check_abnormality(config: AbnormalityConfig) -> None:
    """Refuse values that no screen could be trained with.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_training(config)
    check_pictures(config, reading=config.reading, augment=config.augment)
    loss, unlabelled = config.loss, config.unlabelled
    within(
        [
            ("loss.positive_weight", loss.positive_weight, 0, float("inf")),
            ("loss.gamma", loss.gamma, 0, 10),
            ("loss.alpha", loss.alpha, 0, 1),
            ("unlabelled.weight", unlabelled.weight, 0, float("inf")),
            ("unlabelled.share", unlabelled.share, 0, 8),
            ("unlabelled.warm_up", unlabelled.warm_up, 0, float("inf")),
            ("unlabelled.confidence", unlabelled.confidence, 0.5, 1),
            ("unlabelled.strength", unlabelled.strength, 0, 8),
            ("places.weight", config.places.weight, 0, float("inf")),
            ("places.share", config.places.share, 0, 8),
            ("distillation.share", config.distillation.share, 0, 1),
            ("distillation.temperature", config.distillation.temperature, 1, 20),
            ("threshold.least", config.threshold.least, 0, 1),
        ]
    )
    if not config.validation.share:
        raise UsageError(
            "validation.share is 0; the threshold is chosen on films kept back, set validation.share, such as 0.1"
        )
    if unlabelled.use is not UnlabelledUse.NONE:
        _check_unlabelled(config)
    if config.places.films:
        _check_places(config)
    norms = any(layer.kind == "norm" for layer in parse_layers(config.network.layers, key="network.layers"))
    if norms and config.optimiser.batch < 2 * config.optimiser.accumulate * config.devices.count:
        raise UsageError(
            f"network.layers = {config.network.layers!r} norms over the films of a part and needs two in each, got "
            f"optimiser.batch {config.optimiser.batch} in {config.optimiser.accumulate * config.devices.count} parts"
        )


def _check_unlabelled(config: AbnormalityConfig) -> None:
    epochs = sum(stage.epochs for stage in config.optimiser.stages)
    if config.unlabelled.warm_up >= epochs:
        raise UsageError(
            f"unlabelled.warm_up is {config.unlabelled.warm_up} of {epochs} epochs, so unlabelled films would never be "
            "used; lower it, or set unlabelled.use = 'none'"
        )
    if not config.unlabelled.share or not config.unlabelled.weight:
        raise UsageError(
            f"unlabelled.use is {config.unlabelled.use} with share {config.unlabelled.share:g} and weight "
            f"{config.unlabelled.weight:g}; give both, or set unlabelled.use = 'none'"
        )


def _check_places(config: AbnormalityConfig) -> None:
    if config.reading.fit is not Fit.STRETCH:
        raise UsageError(
            f"places.films needs reading.fit = 'stretch', got {str(config.reading.fit)!r}; boxes are fractions of a "
            "film and have to be those of its picture"
        )
    if not config.places.share or not config.places.weight:
        raise UsageError(
            f"places.films is {config.places.films!r} with share {config.places.share:g} and weight "
            f"{config.places.weight:g}; give both, or leave places.films empty"
        )
    if any(layer.kind == "norm" for layer in parse_layers(config.network.layers, key="network.layers")):
        raise UsageError(
            f"places.films judges cells one by one and cannot norm over films, got network.layers = "
            f"{config.network.layers!r}; take a head without norm"
        )
