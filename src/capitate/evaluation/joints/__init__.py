"""How well joints are found and named: films against labelled boxes and key points."""

from capitate.evaluation.joints.figures import JointEvaluation, evaluate_joints
from capitate.evaluation.joints.films import FilmResult, read_films
from capitate.evaluation.joints.listing import list_films, unjudged, with_labels
from capitate.evaluation.joints.moves import make_moves
from capitate.evaluation.joints.reader import BundleReader, JointReader
from capitate.evaluation.joints.report import write_joints
from capitate.evaluation.joints.truth import JointTruth, read_truth

__all__ = [
    "BundleReader",
    "FilmResult",
    "JointEvaluation",
    "JointReader",
    "JointTruth",
    "evaluate_joints",
    "list_films",
    "make_moves",
    "read_films",
    "read_truth",
    "unjudged",
    "with_labels",
    "write_joints",
]
