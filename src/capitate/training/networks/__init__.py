"""Networks that read a bone age from a view: backbones, pooling, sex, heads, and what they begin with."""

from capitate.training.networks.answer import Answer, answer_of
from capitate.training.networks.backboned import Backboned
from capitate.training.networks.backbones import make_backbone
from capitate.training.networks.bins import BIN_MONTHS, BINS, bin_centres, expectation
from capitate.training.networks.bone_age import BoneAgeNetwork
from capitate.training.networks.freezing import freeze, parameter_groups, trainable, unfreeze
from capitate.training.networks.looking import look, look_figure
from capitate.training.networks.start import begin, fill_backbone, first_weights, fit_spread

__all__ = [
    "BINS",
    "BIN_MONTHS",
    "Answer",
    "Backboned",
    "BoneAgeNetwork",
    "answer_of",
    "begin",
    "bin_centres",
    "expectation",
    "fill_backbone",
    "first_weights",
    "fit_spread",
    "freeze",
    "look",
    "look_figure",
    "make_backbone",
    "parameter_groups",
    "trainable",
    "unfreeze",
]
