"""Drawings of a joint's grades by the phantom, to hold a crop against."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from capitate.methods import GRADE_COUNT, Joint
from capitate.phantom import draw_joint

__all__ = ["neighbours", "stage_drawing"]

_PERCENTILES = (0.5, 99.5)
"""They become black and white, as in the grader's crops."""


def neighbours(joint: str, grade: int) -> tuple[int | None, int, int | None]:
    """Return the grade before, the grade and the grade after; None beyond grade 0 and the joint's last."""
    most = GRADE_COUNT[Joint(joint)]
    return grade - 1 if grade > 0 else None, grade, grade + 1 if grade < most else None


@lru_cache(maxsize=512)  # 13 joints of 11 to 15 grades, at two sizes
def stage_drawing(joint: str, grade: int, *, size: int) -> NDArray[np.uint8]:
    """Draw a joint of a grade, plain and upright as of a left hand.

    Args:
        joint: one of the 13 joints of RUS-CHN.
        grade: 0 to the joint's last.
        size: rows and columns.

    Returns:
        uint8 (size, size), not to be written to.
    """
    pixels = draw_joint(joint, grade, size=size, seed=None).pixels
    low, high = np.percentile(pixels, _PERCENTILES)
    spread = np.clip((pixels - low) / max(float(high - low), 1e-4), 0, 1)
    levels: NDArray[np.uint8] = np.rint(255 * spread).astype(np.uint8)
    levels.setflags(write=False)
    return levels
