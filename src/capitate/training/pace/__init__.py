"""How many films a second each part of training manages, and which part the others wait for."""

from capitate.training.pace.measuring import PARTS, Wanted, measure_training
from capitate.training.pace.report import Pace, TrainingPace, verdict

__all__ = ["PARTS", "Pace", "TrainingPace", "Wanted", "measure_training", "verdict"]
