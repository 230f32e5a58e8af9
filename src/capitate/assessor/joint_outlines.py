"""Outlines of epiphyses and carpal bones by a network, and what is measured from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessed_joints import Carpals, Epiphysis, Polygon
from capitate.assessor.upright import Upright
from capitate.hand import RUS_JOINTS, Detection, Joint, NamedHand, bone_class_of, name_joints
from capitate.hand.measures import (
    OutlinePicture,
    measure_carpals,
    measure_joint,
    outline_windows,
    without_early_unions,
)
from capitate.runtime.bundle import Bundle
from capitate.runtime.outlines import Outlined
from capitate.types import Box

__all__ = ["OutlinedHand", "OutlinesBones", "outline_hand"]

Pixels = NDArray[np.float32]

_BONE = 2
"""Class of epiphyses and carpal bones in a network's answer."""


class OutlinesBones(Protocol):
    """What outlines bones, such as `capitate.runtime.outlines.Outliner`."""

    bundle: Bundle

    def outline(self, pixels: Pixels, boxes: list[Box], /) -> list[Outlined]:
        """Outline what lies in boxes."""


@dataclass(frozen=True)
class OutlinedHand:
    """Measures of one hand.

    Attributes:
        epiphyses: by name of the joint; those of the 13 of RUS-CHN that have a box.
        carpals: None where the carpus was not outlined.
    """

    epiphyses: dict[str, Epiphysis]
    carpals: Carpals | None


def outline_hand(outliner: OutlinesBones, pixels: Pixels, *, hand: NamedHand, upright: Upright) -> OutlinedHand:
    """Outline and measure the graded joints and the carpus, all in one run of the network.

    Args:
        outliner: the network.
        pixels: float32 (rows, columns) of the film.
        hand: named, film pixels.
        upright: how the film is turned for the network.

    Raises:
        NoHandError: if the joints are no hand.
    """
    turned = upright.film(pixels)
    standing = _standing(hand, upright)
    joints, carpus = _pictures(outliner, turned, standing)
    seen = {one.joint for one in standing.joints if one.box is not None and one.joint in RUS_JOINTS}
    measured = {
        joint: measure_joint(turned, picture, joint=joint, hand=standing)
        for joint, picture in joints.items()
        if joint in seen
    }
    carpals = None if carpus is None else measure_carpals(turned, carpus, hand=standing)
    return OutlinedHand(
        {
            joint.value: Epiphysis(
                one.present, one.width_ratio, one.gap, one.fused, tuple(_back(each, upright) for each in one.outline)
            )
            for joint, one in without_early_unions(measured, carpals).items()
        },
        None
        if carpals is None
        else Carpals(
            count=carpals.count,
            area_of_hand=carpals.area_of_hand,
            outlines=tuple(_back(bone.outline, upright) for bone in carpals.bones),
            names=tuple(bone.name for bone in carpals.bones),
        ),
    )


def _pictures(
    outliner: OutlinesBones, pixels: Pixels, hand: NamedHand
) -> tuple[dict[Joint, OutlinePicture], OutlinePicture | None]:
    """Outline the squares with graded epiphyses and carpal bones; gives them by joint, and that of the carpus."""
    windows = [one for one in outline_windows(hand) if one.carpus or RUS_JOINTS.intersection(one.joints)]
    found = outliner.outline(pixels, [window.box for window in windows])
    if len(found) == 1:  # of a network that sees whole hands
        found = found * len(windows)
    joints: dict[Joint, OutlinePicture] = {}
    carpus = None
    for window, one in zip(windows, found, strict=True):
        picture = window.picture(one.probabilities[_BONE], scale=one.fitted.scale, origin=one.fitted.origin)
        joints |= dict.fromkeys(window.joints, picture)
        carpus = picture if window.carpus else carpus
    return joints, carpus


def _standing(hand: NamedHand, upright: Upright) -> NamedHand:
    """Name the same joints on the turned film."""
    if not upright.quarter_turns and not upright.mirrored:
        return hand
    boxes = [(one.joint, one.detection) for one in hand.joints]
    turned = [
        Detection(bone_class_of(joint), upright.box(seen.box), seen.score) for joint, seen in boxes if seen is not None
    ]
    rows, columns = upright.shape if upright.quarter_turns % 2 == 0 else upright.shape[::-1]
    return name_joints(turned, film=(rows, columns))


def _back(polygon: Polygon, upright: Upright) -> Polygon:
    """Bring a polygon of the turned film back to the film."""
    points = np.round(upright.points_back(np.array(polygon)), 1).tolist()
    return tuple((x, y) for x, y in points)
