"""Drawings of a joint's grades by the phantom, to hold a crop against."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from capitate.methods import GRADE_COUNT, Joint
from capitate.phantom import draw_joint
from capitate.types import Side

__all__ = ["neighbours", "stage_drawing", "turned_like"]


def neighbours(joint: str, grade: int) -> tuple[int | None, int, int | None]:
    """Return the grade before, the grade and the grade after; None beyond grade 0 and the joint's last."""
    most = GRADE_COUNT[Joint(joint)]
    return grade - 1 if grade > 0 else None, grade, grade + 1 if grade < most else None


@lru_cache(maxsize=1024)  # 13 joints of up to 15 grades at a few sizes
def _plain(joint: str, grade: int, size: int) -> NDArray[np.uint8]:
    pixels = draw_joint(joint, grade, size=size, seed=None).pixels
    low, high = np.percentile(pixels, (0.5, 99.5))
    spread = np.clip((pixels - low) / max(float(high - low), 1e-4), 0, 1)
    levels: NDArray[np.uint8] = np.rint(255 * spread).astype(np.uint8)
    levels.setflags(write=False)
    return levels


def stage_drawing(
    joint: str, grade: int, *, size: int, side: Side = Side.LEFT, rotation_degrees: float = 0.0
) -> NDArray[np.uint8]:
    """Draw a joint of a grade as it would lie on a film, uint8 (size, size).

    Args:
        joint: one of the 13 joints of RUS-CHN.
        grade: 0 to the joint's last.
        size: rows and columns.
        side: the hand's; a right hand is drawn as the mirror image of a left one.
        rotation_degrees: anticlockwise turn that would bring the film's fingers upright; the drawing is turned the
            other way by the nearest quarter turn, so that its bone points where the film's does.
    """
    return turned_like(_plain(joint, grade, size), side=side, rotation_degrees=rotation_degrees)


def turned_like(picture: NDArray[np.uint8], *, side: Side, rotation_degrees: float) -> NDArray[np.uint8]:
    """Turn and mirror a picture of an upright left hand as that of a film is; see `stage_drawing`."""
    mirrored = picture[:, ::-1] if side is Side.RIGHT else picture
    turned: NDArray[np.uint8] = np.ascontiguousarray(np.rot90(mirrored, -round(rotation_degrees / 90)))
    return turned
