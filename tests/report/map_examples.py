"""Maps made up for a drawn hand: known amounts at known joints."""

from __future__ import annotations

import numpy as np

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph

CELLS = (48, 36)
AMOUNTS = {"Radius": 6.0, "Ulna": 2.5, "MCPThird": -4.0, "DIPFifth": -1.25, "PIPSecond": 0.75}
"""Months that the joints add, each a blob around the joint's middle."""


def age_map(assessment: Assessment, radiograph: Radiograph, *, base: float = 120.0) -> ActivationMap:
    """A map of the bone age with `AMOUNTS` at the joints."""
    rows, columns = CELLS
    y = (np.arange(rows)[:, None] + 0.5) / rows * radiograph.height
    x = (np.arange(columns)[None] + 0.5) / columns * radiograph.width
    values = np.zeros(CELLS)
    for joint in assessment.joints or ():
        if joint.box is not None and joint.name in AMOUNTS:
            box = joint.box
            spread = 0.25 * max(box.width, box.height, radiograph.width / columns)
            away = np.hypot(x - box.x - box.width / 2, y - box.y - box.height / 2) / spread
            blob = np.exp(-(away**2) / 2)
            values += AMOUNTS[joint.name] * blob / blob.sum()
    return _map("bone_age", "months", values, base)


def screen_map(*, base: float = -2.0) -> ActivationMap:
    """A map of the screen, all of whose contributions are above zero."""
    values = np.zeros((16, 12))
    values[12, 3:5] = 0.75
    return _map("abnormality", "logit", values, base)


def _map(quantity: str, unit: str, values: np.ndarray, base: float) -> ActivationMap:
    values = values.astype(np.float32)
    return ActivationMap("bone-age-default", quantity, unit, values, base, base + float(values.sum()))
