"""Figures of grades against a reader's, over all crops, by category and by joint, each with an interval by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.evaluation.agreement import confusion
from capitate.evaluation.bootstrap import RESAMPLES, Estimate
from capitate.evaluation.grades.crops import GradedRun, RefusedCrop
from capitate.evaluation.grades.predictions import GradePredictions
from capitate.runtime.grade_categories import CATEGORIES, JOINTS, category_of

__all__ = ["GradeEvaluation", "GradeGroup", "evaluate_grades"]


@dataclass(frozen=True)
class GradeGroup:
    """Figures over some crops.

    Attributes:
        n: crops that were graded.
        hands: that they come from.
        refused: crops that could not be read.
        figures: see `GradePredictions.estimates`.
    """

    n: int
    hands: int
    refused: int
    figures: dict[str, Estimate]

    def to_json(self) -> dict[str, object]:
        """Return the figures by name, and the counts as values without an interval."""
        counts = {"n": Estimate(self.n), "hands": Estimate(self.hands), "refused": Estimate(self.refused)}
        return {name: value.to_json() for name, value in (self.figures | counts).items()}


@dataclass(frozen=True, eq=False)
class GradeEvaluation:
    """Everything an evaluation found.

    Attributes:
        overall: the headline: crops that the grader was not trained on.
        groups: by name: `category=MCP`, `joint=MCPThird`, `in_training`.
        predictions: of the headline.
        in_training: of the crops that the grader was trained on, apart from the headline.
        refused: crops that could not be read.
        ungraded: of the crops that nobody graded; they stand in no figure.
    """

    overall: GradeGroup
    groups: dict[str, GradeGroup]
    predictions: GradePredictions
    in_training: GradePredictions
    refused: tuple[RefusedCrop, ...]
    ungraded: GradePredictions

    def to_json(self) -> dict[str, object]:
        """Return the headline's figures by name, and those of the groups under `groups`."""
        return self.overall.to_json() | {"groups": {name: group.to_json() for name, group in self.groups.items()}}

    def confusions(self) -> dict[str, NDArray[np.int64]]:
        """Count true (rows) against predicted grades of the headline, (grades, grades), by category."""
        found, counts = self.predictions, {}
        for name, most in CATEGORIES.items():
            here = found.categories == name
            if here.any():
                counts[name] = confusion(found.grades[here], found.predicted[here], grades=most + 1)
        return counts


def evaluate_grades(run: GradedRun, *, resamples: int = RESAMPLES, seed: int = 0) -> GradeEvaluation:
    """Compare a grader's answers with the grades of the folders.

    Args:
        run: of `grade_crops`.
        resamples: bootstrap resamples, by hand.
        seed: of the bootstrap.

    Raises:
        UsageError: if no crop has a grade.
    """
    graded = run.predictions.grades >= 0
    if not graded.any() and not any(one.grade >= 0 for one in run.refused):
        raise UsageError(
            f"none of {len(graded) + len(run.refused)} crops has a grade to compare with; put graded crops into "
            "JOINT/GRADE/, or name them as Third_Metacarpal_Grade5.png"
        )
    main, seen = (run.predictions.part(graded & mask) for mask in (~run.in_training, run.in_training))

    def group(predictions: GradePredictions, refused: int = 0) -> GradeGroup:
        figures = predictions.estimates(resamples=resamples, seed=seed)
        return GradeGroup(int(predictions.ids.size), len(np.unique(predictions.hands)), refused, figures)

    refused = [one.joint for one in run.refused]
    groups = {}
    for name in CATEGORIES:
        here = main.categories == name
        lost = sum(category_of(joint) == name for joint in refused)
        if here.any() or lost:
            groups[f"category={name}"] = group(main.part(here), lost)
    for joint in _joints(main, refused):
        groups[f"joint={joint}"] = group(main.part(main.joints == joint), refused.count(joint))
    if len(seen.ids):
        groups["in_training"] = group(seen)
    return GradeEvaluation(group(main, len(refused)), groups, main, seen, run.refused, run.predictions.part(~graded))


def _joints(predictions: GradePredictions, refused: list[str]) -> list[str]:
    """List the joints that the crops name, those of RUS-CHN first; a folder named by its category has none."""
    named = {*predictions.joints.tolist(), *refused}
    others = sorted(named - {*JOINTS, *CATEGORIES})
    return [joint for joint in (*JOINTS, *others) if joint in named]
