"""Whether labelled boxes lie on the hand that the film shows: along a finger's axis it is brighter than beside it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capitate.hand.joints import FINGERS, Joint
from capitate.hand.named import NamedHand

__all__ = ["LEAST_SHARE", "share_on_bone"]

LEAST_SHARE = 0.8
"""Share of the 14 bones below which boxes lie beside the hand. Of the 705 hands with right counts 700 have 0.93 or more
and five 0.64 or less; these five were looked at, and their boxes belong to a shifted or turned copy of the film."""
_ALONG = (0.25, 0.4, 0.55, 0.7)
_BESIDE = 0.075
"""Distance to either side, plan units: beyond the bone, at the finger's edge."""

Array = NDArray[np.float64]


def share_on_bone(hand: NamedHand, pixels: NDArray[np.uint8], *, film_size: tuple[float, float]) -> float | None:
    """Return the share of finger bones whose axis differs in brightness from both sides in the usual sense.

    Args:
        hand: named joints.
        pixels: the film at any size, (rows, columns); bones may be bright or, in a negative, dark.
        film_size: width and height of the film in the units of the hand's boxes.

    Returns:
        0.5 to 1, or None where fewer than half of the bones have both ends.
    """
    if hand.to_plan is None:
        return None
    to_pixels = np.array(pixels.shape[::-1]) / np.array(film_size)
    to_film = hand.to_plan.inverse
    ends = {one.joint: hand.to_plan(np.array(one.detection.centre)) for one in hand.joints if one.detection}
    bones = [pair for chain in FINGERS.values() for pair in pairwise(chain)]
    contrasts = [
        _contrast(to_film(_across(ends, bone)) * to_pixels, pixels) for bone in bones if set(bone) <= ends.keys()
    ]
    if len(contrasts) < len(bones) / 2:
        return None
    bright = float(np.mean(np.array(contrasts) > 0))
    return max(bright, 1 - bright)


def _across(ends: dict[Joint, Array], bone: tuple[Joint, Joint]) -> Array:
    """Points on the axis of a bone and to both sides of it, plan units (3, n, 2)."""
    start, along = ends[bone[0]], ends[bone[1]] - ends[bone[0]]
    aside = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    axis = start + np.array(_ALONG)[:, None] * along
    return np.stack([axis, axis - _BESIDE * aside, axis + _BESIDE * aside])


def _contrast(points: Array, pixels: NDArray[np.uint8]) -> float:
    """Mean grey value on the axis less that on both sides."""
    at = np.floor(points).astype(int)
    x, y = np.clip(at[..., 0], 0, pixels.shape[1] - 1), np.clip(at[..., 1], 0, pixels.shape[0] - 1)
    means = pixels[y, x].astype(float).mean(axis=1)
    return float(means[0] - means[1:].mean())
