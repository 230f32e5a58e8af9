"""What the grader is taught of each crop: a distribution over grades, from a reader's grade or from the hand's age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import TableError
from capitate.runtime.grade_categories import MOST_GRADES
from capitate.runtime.joint_grades import median_grade
from capitate.training.joint_grades.crops import ALLOWED, UNGRADED, GradedCrops, read_graded
from capitate.training.joint_grades.predictions import GradePredictions
from capitate.training.joint_grades.weak import age_targets, believed
from capitate.training.losses.grades import grade_targets
from capitate.training.settings.joint_grades import JointGradesConfig

__all__ = ["TaughtCrops", "taught"]


@dataclass(frozen=True, eq=False)
class TaughtCrops:
    """Crops with what they teach.

    Attributes:
        crops: `grades` is the reader's, or the median of a weak label.
        targets: float32 (n, 15), sum 1 a row.
        weak: bool (n,), crops that nobody graded.
    """

    crops: GradedCrops
    targets: NDArray[np.float32]
    weak: NDArray[np.bool_]


def taught(data: Path, config: JointGradesConfig) -> TaughtCrops:
    """Read crops and make their labels.

    Raises:
        TableError: if the folder holds no crops, or one has neither a grade nor sex and bone age.
    """
    crops = read_graded(data)
    settings = config.labels
    if settings.drawn:
        crops = crops.with_drawn(read_graded(data / settings.drawn))
    weak = crops.grades == UNGRADED
    unknown = weak & (np.isnan(crops.ages) | (crops.sexes == ""))
    if unknown.any():
        first = crops.items[int(np.flatnonzero(unknown)[0])].id
        raise TableError(
            f"{int(unknown.sum())} crops have neither a grade nor sex and bone age, such as {first!r}; leave them out"
        )
    targets = _graded(crops, sigma=config.loss.label_sigma)
    if weak.any():
        targets[weak] = age_targets(
            crops.joints[weak].tolist(), crops.sexes[weak].tolist(), crops.ages[weak], spread=settings.spread
        )
    if settings.beliefs:
        beliefs = _beliefs([data / name for name in settings.beliefs], [item.id for item in crops.items])
        beliefs[~weak] = np.nan
        targets = believed(targets, beliefs, power=settings.power)
    grades = np.where(weak, median_grade(targets), crops.grades)
    return TaughtCrops(replace(crops, grades=grades), targets, weak)


def _graded(crops: GradedCrops, *, sigma: float) -> NDArray[np.float32]:
    """Spread readers' grades; rows without a grade mean nothing yet."""
    grades, allowed = torch.from_numpy(np.maximum(crops.grades, 0)), torch.from_numpy(ALLOWED)[crops.categories]
    targets: NDArray[np.float32] = grade_targets(grades, allowed, sigma=sigma).numpy()
    return targets


def _beliefs(paths: Sequence[Path], ids: Sequence[str]) -> NDArray[np.float64]:
    """Bring predictions of other runs to the order of these crops, NaN where there is none."""
    found = GradePredictions.load(paths)
    place = {name: row for row, name in enumerate(found.ids.tolist())}
    beliefs = np.full((len(ids), MOST_GRADES + 1), np.nan)
    for row, name in enumerate(ids):
        if name in place:
            beliefs[row] = found.probabilities[place[name]]
    return beliefs
