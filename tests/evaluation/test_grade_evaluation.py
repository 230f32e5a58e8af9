"""Grades that nobody gave stand in no figure, and those that somebody gave in all."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.evaluation import RunDetails
from capitate.evaluation.grades import GradePredictions, evaluate_grades, write_grades
from capitate.evaluation.grades.crops import GradedRun, RefusedCrop


def predictions(grades):
    """Radius crops of as many hands, each answered with 9, or 8 by a chance of 0.3."""
    count = len(grades)
    probabilities = np.zeros((count, 15))
    probabilities[:, 8:10] = 0.3, 0.7
    names = np.array([f"{k}.png" for k in range(count)])
    joints = np.full(count, "Radius")
    return GradePredictions(
        names, joints, joints, np.array([f"h{k}" for k in range(count)]), np.array(grades), probabilities
    )


def test_figures_are_over_graded_crops():
    figures = predictions([9, -1, 8, -1]).figures()
    assert (figures["n"], figures["hands"]) == (2, 2)
    assert (figures["exact"]["value"], figures["within_one"]["value"]) == (0.5, 1)
    assert figures["categories"]["Radius"]["n"] == 2
    nothing = predictions([-1, -1]).figures()
    assert (nothing["n"], nothing["exact"]["value"], nothing["categories"]) == (0, None, {})


def test_an_evaluation_counts_what_has_no_grade(tmp_path):
    run = GradedRun(predictions([9, -1, 8]), np.array([False, False, True]), ())
    told = evaluate_grades(run, resamples=20)
    assert (told.overall.n, told.groups["in_training"].n, len(told.ungraded.ids)) == (1, 1, 1)
    assert told.confusions()["Radius"].sum() == 1
    write_grades(told, tmp_path, details=RunDetails("capitate evaluate", "crops", "0"), models=[])
    lines = (tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:5] for line in lines[1:]] == [
        ["0.png", "Radius", "Radius", "h0", "9"],
        ["2.png", "Radius", "Radius", "h2", "8"],
        ["1.png", "Radius", "Radius", "h1", ""],
    ]


def test_no_grade_at_all():
    run = GradedRun(predictions([-1]), np.array([False]), ())
    with pytest.raises(UsageError, match="none of 1 crops has a grade to compare with"):
        evaluate_grades(run)
    lost = (RefusedCrop("a.png", "Radius", "a", 4, "corrupt_file", "broken"),)
    told = evaluate_grades(GradedRun(predictions([]), np.zeros(0, dtype=bool), lost), resamples=20)
    assert (told.overall.n, told.overall.refused) == (0, 1)
    assert np.isnan(told.overall.figures["exact"].value)
