"""Scoring methods: 13 graded joints in, points, total and bone age out. No networks, no torch.

>>> from capitate.methods import Grading, score
>>> hand = Grading({"Radius": 9, "Ulna": 8})  # eleven joints are missing
>>> score(hand, sex="male").age.decimals
2
"""

from capitate.methods.ages import Age, AgeCurve, Reach, age_curve
from capitate.methods.distribution import Distribution
from capitate.methods.grading import Grading, Reading, joint_named
from capitate.methods.joints import GRADE_COUNT, STAGES, Joint, Scale, step_count, step_name
from capitate.methods.result import JointScore, JointStatus, Score, ScoreInterval
from capitate.methods.scoring import INTERVAL_LEVEL, score, staged
from capitate.methods.tables import Method, PointTable, method_named, point_table, stage_of_grade
from capitate.methods.written import grading_of, pairs

__all__ = [
    "GRADE_COUNT",
    "INTERVAL_LEVEL",
    "STAGES",
    "Age",
    "AgeCurve",
    "Distribution",
    "Grading",
    "Joint",
    "JointScore",
    "JointStatus",
    "Method",
    "PointTable",
    "Reach",
    "Reading",
    "Scale",
    "Score",
    "ScoreInterval",
    "age_curve",
    "grading_of",
    "joint_named",
    "method_named",
    "pairs",
    "point_table",
    "score",
    "stage_of_grade",
    "staged",
    "step_count",
    "step_name",
]
