"""The film that `capitate demo` assesses; no patient's film ships with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from capitate.phantom.drawing import draw
from capitate.phantom.pose import Pose
from capitate.phantom.truth import Phantom
from capitate.types import Sex

__all__ = ["DEMO_MONTHS", "demo_film"]

DEMO_MONTHS = 126.0
"""Age of the demo's girl: 10 years 6 months."""


def demo_film(path: str | Path) -> Phantom:
    """Draw the demo film and write it as an 8-bit grey PNG of 1200 x 1500 pixels.

    Args:
        path: file to write.

    Returns:
        What is known about the film.
    """
    pose = Pose(rotation_degrees=3.0, thumb_degrees=4.0)
    phantom = draw(age_months=DEMO_MONTHS, sex=Sex.FEMALE, pose=pose, height=1500, width=1200, seed=2025)
    levels = np.round(phantom.radiograph.pixels * 255).astype(np.uint8)
    Image.fromarray(levels).save(Path(path), format="PNG")
    return phantom
