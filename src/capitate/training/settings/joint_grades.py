"""Settings of the ordinal network that grades the nine joint categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capitate.errors import UsageError
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.checks import check_training, within
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.layers import parse_layers
from capitate.training.settings.network import BackboneConfig
from capitate.training.settings.pictures import PicturesOnDemandConfig, check_pictures, plain_augment

__all__ = [
    "GradeForm",
    "GradeHead",
    "GradeLoss",
    "GradeLossConfig",
    "GradeSampling",
    "GradeSamplingConfig",
    "GraderConfig",
    "JointGradesConfig",
    "WeakLabelsConfig",
    "check_joint_grades",
]


class GradeHead(StrEnum):
    """How one network tells its categories apart: an output layer each, or an embedding beside the picture."""

    SEPARATE = "separate"
    EMBEDDING = "embedding"


class GradeForm(StrEnum):
    """What the last layer states: a logit a grade, or one number and ordered thresholds (cumulative logits)."""

    DISTRIBUTION = "distribution"
    THRESHOLDS = "thresholds"


class GradeLoss(StrEnum):
    """Losses over the grades of a category; see `capitate.training.losses.grades`."""

    CUMULATIVE = "cumulative"
    RANKED = "ranked"
    CROSS_ENTROPY = "cross_entropy"


class GradeSampling(StrEnum):
    """Which crops an epoch shows: each once, or drawn so that rare grades come more often."""

    ONCE = "once"
    BALANCED = "balanced"


@dataclass(frozen=True)
class GraderConfig(BackboneConfig):
    """Backbone and head of a grader.

    Attributes:
        layers: of the pooled picture, common to all categories, see `capitate.training.settings.layers`.
        dropout: before the last layer.
        head: `separate` or `embedding`.
        embedding: width of a category's embedding, with `embedding`.
        hidden: width of the layer behind picture and embedding, with `embedding`.
        form: `distribution` or `thresholds`.
    """

    backbone: str = "resnet18"
    layers: str = ""
    dropout: float = 0.2
    head: GradeHead = GradeHead.SEPARATE
    embedding: int = 32
    hidden: int = 256
    form: GradeForm = GradeForm.DISTRIBUTION


@dataclass(frozen=True)
class GradeLossConfig:
    """What is minimised.

    Attributes:
        name: `cumulative`, `ranked` or `cross_entropy`.
        label_sigma: standard deviation, in grades, of the normal curve that a label is spread by; 0 for none.
    """

    name: GradeLoss = GradeLoss.CUMULATIVE
    label_sigma: float = 0.0


@dataclass(frozen=True)
class WeakLabelsConfig:
    """Labels of crops that nobody graded, from the bone age of their hands; see `capitate.training.joint_grades.weak`.

    Attributes:
        spread: standard deviation of a joint's own age around its hand's, months.
        drawn: folder of graded crops that only teach, such as those of `capitate data phantoms --joints`; empty for
            none.
        drawn_share: share of an epoch's crops that are drawn ones.
        beliefs: `predictions.csv` of runs that held these crops out, whose answers sharpen the labels; relative names
            begin at the folder of the data.
        power: of these answers against the label by age.
    """

    spread: float = 3.0
    drawn: str = ""
    drawn_share: float = 0.25
    beliefs: tuple[str, ...] = ()
    power: float = 1.0


@dataclass(frozen=True)
class GradeSamplingConfig:
    """Sampling of an epoch.

    Attributes:
        method: `once`, or `balanced` for as many crops drawn with replacement.
        power: of the inverse frequency of a crop's category and grade, with `balanced`: 1 shows all equally often.
    """

    method: GradeSampling = GradeSampling.ONCE
    power: float = 0.5


@dataclass(frozen=True)
class JointGradesConfig(Experiment):
    """An experiment that grades joints.

    Attributes:
        margin: that crops show around the joint's box, as a fraction of its longer side; kept in the bundle for
            whoever cuts joints from films.
        reading: see `PicturesOnDemandConfig`.
        network: see `GraderConfig`.
        augment: see `AugmentConfig`.
        loss: see `GradeLossConfig`.
        labels: see `WeakLabelsConfig`.
        sampling: see `GradeSamplingConfig`.
    """

    name: str = "joint-grades"
    margin: float = 0.25
    reading: PicturesOnDemandConfig = field(default_factory=PicturesOnDemandConfig)
    network: GraderConfig = field(default_factory=GraderConfig)
    augment: AugmentConfig = field(default_factory=plain_augment)
    loss: GradeLossConfig = field(default_factory=GradeLossConfig)
    labels: WeakLabelsConfig = field(default_factory=WeakLabelsConfig)
    sampling: GradeSamplingConfig = field(default_factory=GradeSamplingConfig)


def check_joint_grades(config: JointGradesConfig) -> None:
    """Refuse values that no grader could be trained with.

    Raises:
        UsageError: naming the key, the value received and what is allowed.
    """
    check_training(config)
    check_pictures(config, reading=config.reading, augment=config.augment)
    if config.reading.folds_from_table:
        raise UsageError("reading.folds_from_table is true, and graded crops have no table; leave it out")
    if config.reading.limbs:
        raise UsageError("reading.limbs is true, and limbs are told on whole films, not on crops; leave it out")
    parse_layers(config.network.layers, key="network.layers")
    within(
        [
            ("margin", config.margin, 0, 2),
            ("network.dropout", config.network.dropout, 0, 0.99),
            ("network.embedding", config.network.embedding, 1, 4096),
            ("network.hidden", config.network.hidden, 1, 65536),
            ("labels.spread", config.labels.spread, 0.1, 48),
            ("labels.drawn_share", config.labels.drawn_share, 0, 1),
            ("labels.power", config.labels.power, 0, 10),
            ("loss.label_sigma", config.loss.label_sigma, 0, 5),
            ("sampling.power", config.sampling.power, 0, 1),
        ]
    )
