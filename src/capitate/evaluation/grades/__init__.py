"""How well joints are graded: crops with a reader's grade against a grader's."""

from capitate.evaluation.grades.crops import grade_crops
from capitate.evaluation.grades.figures import GradeEvaluation, evaluate_grades
from capitate.evaluation.grades.predictions import GradePredictions
from capitate.evaluation.grades.report import write_grades

__all__ = ["GradeEvaluation", "GradePredictions", "evaluate_grades", "grade_crops", "write_grades"]
