"""The ROC curve as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from capitate.evaluation.plots import Axes, nice_ticks

__all__ = ["roc_plot"]

_CURVE, _POINT = "#0072b2", "#d55e00"


def roc_plot(curve: Mapping[str, Sequence[float]], *, at: tuple[float, float]) -> Markup:
    """Plot sensitivity over the share of false alarms, with the line of chance and the point of the threshold.

    Args:
        curve: `sensitivity` and `specificity`, from none called to all.
        at: sensitivity and specificity at the threshold; NaN leaves the point out.
    """
    axes = Axes((0, 1), (0, 1), "1 - specificity", "sensitivity", "ROC curve")
    ticks = nice_ticks(0, 1, step=0.2)
    axes.grid(ticks, ticks)
    axes.line([0, 1], [0, 1], dashed=True)
    axes.line([1 - one for one in curve["specificity"]], list(curve["sensitivity"]), colour=_CURVE)
    sensitivity, specificity = at
    if not (math.isnan(sensitivity) or math.isnan(specificity)):
        axes.points(np.array([1 - specificity]), np.array([sensitivity]), colour=_POINT, size=9, opacity=1)
        axes.legend({"at the threshold": _POINT}, low=True)
    return axes.svg()
