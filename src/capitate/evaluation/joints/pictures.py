"""Plots of found joints: how far centres lie off, precision against recall, and the error of each joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from capitate.evaluation.bootstrap import Estimate
from capitate.evaluation.detection import match_centres, precision_recall
from capitate.evaluation.joints.films import CLASSES, FilmResult
from capitate.evaluation.plots import Axes, nice_ticks

__all__ = ["centre_curve", "centre_errors", "precision_curves"]

# Okabe and Ito's colours, which readers with colour blindness tell apart; black stands for the seventh.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1f2933")
_FARTHEST = 10.0
"""Right end of the curve of distances, per cent of the hand's length."""


def centre_curve(results: Sequence[FilmResult], *, threshold: float) -> Markup:
    """Plot the share of labelled joints that were found within a distance, per cent of the hand's length."""
    matches = [match_centres(one.by_class, threshold=threshold).distance for one in results]
    distances = 100 * np.concatenate([np.zeros(0), *matches])
    steps = np.linspace(0, _FARTHEST, 101)
    share = [float(np.mean(distances <= step)) if len(distances) else 0.0 for step in steps]
    label = "distance from the labelled centre (% of the hand's length)"
    axes = Axes((0, _FARTHEST), (0, 1), label, "share of labelled joints", "Joints found within a distance")
    axes.grid(nice_ticks(0, _FARTHEST), nice_ticks(0, 1, step=0.2))
    axes.line(steps.tolist(), share, colour=_COLOURS[1])
    return axes.svg()


def precision_curves(results: Sequence[FilmResult]) -> Markup:
    """Plot precision against recall of every class at an overlap of 50 %."""
    axes = Axes((0, 1), (0, 1.02), "recall", "precision", "Precision by recall at an overlap of 50 %")
    ticks = nice_ticks(0, 1, step=0.2)
    axes.grid(ticks, ticks)
    films = [one.by_class for one in results]
    shown = {}
    for kind, name in enumerate(CLASSES):
        recall, precision = precision_recall(films, kind)
        if len(recall):
            axes.line([0.0, *recall.tolist()], [float(precision[0]), *precision.tolist()], colour=_COLOURS[kind])
            shown[name] = _COLOURS[kind]
    axes.legend(shown, low=True)
    return axes.svg()


def centre_errors(errors: Mapping[str, Estimate]) -> Markup:
    """Plot the mean distance of each joint's centre with its interval.

    Args:
        errors: by joint, per cent of the hand's length; NaN is left out.
    """
    known = {name: one for name, one in errors.items() if np.isfinite(one.value)}
    most = max([1.0, *(np.nanmax([one.value, one.high]) for one in known.values())])
    axes = Axes(
        (0, 1.08 * float(most)),
        (-0.5, max(1, len(known)) - 0.5),
        "mean distance from the labelled centre (% of the hand's length)",
        "",
        "Error of the centre by joint",
        height=90 + 18 * len(known),
        left=112,
    )
    axes.grid(nice_ticks(0, axes.x[1]), [])
    for row, (name, one) in enumerate(reversed(known.items())):
        axes.beside(row, name)
        if np.isfinite(one.low):
            axes.line([one.low, one.high], [row, row], colour=_COLOURS[1])
        axes.points(np.array([one.value]), np.array([float(row)]), colour=_COLOURS[1], size=7, opacity=1)
    return axes.svg()
