"""How right the results are: figures with confidence intervals, tables by group, and how storage moves an age."""

from capitate.evaluation.bone_age import Evaluation, evaluate
from capitate.evaluation.metrics import Estimate
from capitate.evaluation.prediction import Prediction, Predictor, run, run_both
from capitate.evaluation.report import RunDetails, write

__all__ = ["Estimate", "Evaluation", "Prediction", "Predictor", "RunDetails", "evaluate", "run", "run_both", "write"]
