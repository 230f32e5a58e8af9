"""Graded crops from a folder through a grader; a crop that cannot be read is a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError
from capitate.evaluation.grades.predictions import GradePredictions
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.runtime.joint_grades import GradeAnswer, JointGrader
from capitate.training.joint_grades.crops import GradedCrops

__all__ = ["GradedRun", "RefusedCrop", "grade_crops"]

_AT_ONCE = 32


@dataclass(frozen=True)
class RefusedCrop:
    """A crop that could not be read: its id, joint, hand and grade by the folder, and the error's code and message."""

    id: str
    joint: str
    hand: str
    grade: int
    code: str
    message: str


@dataclass(frozen=True, eq=False)
class GradedRun:
    """What a grader made of crops.

    Attributes:
        predictions: of the crops that were read, in the order of their ids.
        in_training: bool (n,), whether the grader was trained on the crop or its hand.
        refused: the others.
    """

    predictions: GradePredictions
    in_training: NDArray[np.bool_]
    refused: tuple[RefusedCrop, ...]


def grade_crops(crops: GradedCrops, grader: JointGrader, *, progress: Callable[[], None] | None = None) -> GradedRun:
    """Grade every crop.

    Args:
        crops: of `capitate.training.joint_grades.crops.read_graded`.
        grader: the model.
        progress: called after every crop.
    """
    pictures: list[NDArray[np.uint8]] = []
    rows: list[int] = []
    refused = []
    for row, item in enumerate(crops.items):
        try:
            pictures.append(grader.picture(files.read(item.path).pixels))
            rows.append(row)
        except FilmError as error:
            joint, hand, grade = str(crops.joints[row]), str(crops.hands[row]), int(crops.grades[row])
            refused.append(RefusedCrop(item.id, joint, hand, grade, error.code, str(error)))
        if progress is not None:
            progress()
    answers: list[GradeAnswer] = []
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        answers += grader.grade(np.stack(pictures[start : start + _AT_ONCE]), [str(crops.joints[row]) for row in some])
    predictions = _predictions(crops, np.array(rows, dtype=np.int64), answers)
    return GradedRun(predictions, _seen(predictions, grader.bundle.training_ids), tuple(refused))


def _predictions(crops: GradedCrops, rows: NDArray[np.int64], answers: list[GradeAnswer]) -> GradePredictions:
    probabilities = np.zeros((len(rows), MOST_GRADES + 1))
    for k, answer in enumerate(answers):
        probabilities[k, : answer.probabilities.size] = answer.probabilities
    return GradePredictions(
        ids=np.array([crops.items[row].id for row in rows], dtype=np.str_),
        joints=crops.joints[rows],
        categories=np.array(list(CATEGORIES), dtype=np.str_)[crops.categories[rows]],
        hands=crops.hands[rows],
        grades=crops.grades[rows],
        probabilities=probabilities,
    )


def _seen(predictions: GradePredictions, training_ids: frozenset[str]) -> NDArray[np.bool_]:
    """Say which crops took part in training: by their id, or by their hand, which is an id's name before `__`."""
    hands = {PurePosixPath(name).name.rpartition(".")[0] or name for name in training_ids}
    hands = {name.partition("__")[0] for name in hands} | training_ids
    pairs = zip(predictions.ids.tolist(), predictions.hands.tolist(), strict=True)
    return np.array([crop in training_ids or hand in hands for crop, hand in pairs], dtype=np.bool_)
