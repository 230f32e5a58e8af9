"""How right the abnormality screen is: studies with a reading against its probabilities."""

from capitate.evaluation.abnormality.figures import ScreenEvaluation, evaluate_screen
from capitate.evaluation.abnormality.report import write_screen
from capitate.evaluation.abnormality.studies import screen_studies

__all__ = ["ScreenEvaluation", "evaluate_screen", "screen_studies", "write_screen"]
