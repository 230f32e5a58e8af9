"""The surfaces of an epiphysis and of the growth plate below it, in the coordinates of their bone.

Both drawings use them: the whole hand's and that of a single joint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.skeleton import LongBone

__all__ = ["JOINT_SPACE", "epiphysis_surfaces", "plate_wave"]

Field = NDArray[np.float32]

JOINT_SPACE = 0.009
"""Half of the dark joint space between two grown bones, plan units (about 0.9 mm in an adult's hand)."""


def plate_wave(bone: LongBone, share: Field) -> Field:
    """Return how far the metaphyseal surface lies behind its middle: rounded corners, and a wave while capping."""
    corner = 0.08 + 0.08 * bone.look.capping
    line: Field = bone.width / 2 * (corner * np.abs(share) ** 3 + 0.05 * bone.look.capping * np.cos(3.5 * share) - 0.05)
    return line.astype(np.float32)


def epiphysis_surfaces(bone: LongBone, share: Field) -> tuple[Field, Field]:
    """Return the joint-side and the plate-side surface of the epiphysis, distances along the bone, plan units."""
    look = bone.look
    x = np.abs(np.clip(share / max(look.width, 1e-3), -1, 1))
    grown = float(np.clip((look.width - 0.3) / 0.6, 0, 1))
    domed = bone.profile == "metacarpal"
    height = bone.height * look.height * (1 + _tilt(bone, np.clip(share / look.width, -1, 1)))
    # How much of the height bulges towards the plate, and how square the two sides are.
    below = 0.5 - (0.3 if domed else 0.15) * grown
    towards_plate = (1 - x ** (2 + 3 * grown)) ** 0.5
    square = 2.0 + {"metacarpal": 0.6, "thumb_metacarpal": 1.2}.get(bone.profile, 2.2) * grown
    towards_joint = (1 - x**square) ** (1 / square)
    line = JOINT_SPACE + bone.height + plate_wave(bone, share) + bone.width * 0.03 * look.capping * x**4
    # A young centre is a dot in the middle of its cartilage; a grown one sits on the plate.
    line = line - 0.22 * bone.height * max(0.0, 1 - look.width)
    waist = line - below * height
    back = waist + below * height * towards_plate
    face = waist - (1 - below) * height * towards_joint
    return face.astype(np.float32), back.astype(np.float32)


def _tilt(bone: LongBone, x: Field) -> Field:
    """Return the relative change of an epiphysis' height across it: styloids, ridges and hollows of grown centres."""
    grown = float(np.clip((bone.look.width - 0.5) / 0.5, 0, 1))
    change = np.zeros_like(x)
    if bone.profile == "radius":
        change = 0.5 * x + 0.1
    elif bone.profile == "ulna":
        change = grown**2 * 0.95 * np.exp(-(((x + 0.72) / 0.2) ** 2)) - 0.2
    elif bone.joint.startswith(("MIP", "DIP")):
        change = 0.38 * np.exp(-((x / 0.42) ** 2)) - 0.2
    elif bone.profile == "phalanx":
        change = 0.07 - 0.14 * np.exp(-((x / 0.5) ** 2))
    tilted: Field = (grown * change).astype(np.float32)
    return tilted
