"""Which labelled hands are wrong, and why: counts, classes, places, key points, and the film itself.

Boxes are looked at in per cent of the film's width and height, in which the messages give places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.hand import BoneClass, Detection, NamedHand, RemarkKind, name_joints
from capitate.training.boxes_on_film import LEAST_SHARE, share_on_bone
from capitate.training.data.boxes import LabelledBox, by_film, read_boxes_as_far_as_possible
from capitate.training.hand_points import HandPoints, boxes_by_points, read_hand_points
from capitate.training.joints_labels import wrong_counts
from capitate.types import Box, Side

__all__ = [
    "OFF_BONE",
    "PERCENT",
    "Films",
    "HandAudit",
    "HandFault",
    "HandFaultKind",
    "as_detections",
    "audit_hands",
    "hand_faults",
]

PERCENT = 100.0
OFF_BONE = 0.1
"""Distance of a box's centre from its bone by the key points, in hulls of the hand, above which they contradict each
other. Of the 270 hands with both and right counts 98 % stay below 0.075; the others begin at 0.118."""

Films = Mapping[str, NDArray[np.uint8]]


class HandFaultKind(StrEnum):
    """What is wrong with a hand's labels."""

    BAD_BOX = "bad_box"
    WRONG_COUNTS = "wrong_counts"
    SWAPPED_CLASS = "swapped_class"
    NO_JOINT = "no_joint"
    OUT_OF_PLACE = "out_of_place"
    NO_HAND = "no_hand"
    OFF_KEY_POINTS = "off_key_points"
    OFF_FILM_HAND = "off_film_hand"
    WRONG_SIDE = "wrong_side"


@dataclass(frozen=True)
class HandFault:
    """One reason why a hand's labels are not learned from."""

    film: str
    kind: HandFaultKind
    message: str


@dataclass(frozen=True)
class HandAudit:
    """What an audit of labelled hands found.

    Attributes:
        hands: number of hands with boxes.
        with_points: how many of them have key points too.
        with_film: how many of them were compared with their film.
        faults: every reason, by film.
    """

    hands: int
    with_points: int
    with_film: int
    faults: tuple[HandFault, ...]

    @property
    def unusable(self) -> frozenset[str]:
        """Films that training leaves out."""
        return frozenset(fault.film for fault in self.faults)

    def to_json(self) -> dict[str, Any]:
        """Write counts, films and reasons, as `audit.json` holds them."""
        kinds = Counter(kind for _, kind in {(fault.film, fault.kind) for fault in self.faults})
        return {
            "hands": self.hands,
            "with_key_points": self.with_points,
            "with_film": self.with_film,
            "unusable": sorted(self.unusable, key=_numbered),
            "hands_by_fault": dict(sorted(kinds.items())),
            "faults": [asdict(fault) for fault in self.faults],
        }


def audit_hands(boxes: Path, *, keypoints: Path | None = None, films: Films | None = None) -> HandAudit:
    """Compare every hand's boxes with the counts, the anatomy, its key points and its film.

    Args:
        boxes: table in the form of `boxes-21.csv`.
        keypoints: table in the form of `hand-keypoints-21.csv`, of the same films or not.
        films: films by id, bone bright or dark, at any size and squash.

    Raises:
        TableError: if a table cannot be used as a whole.
    """
    rows, bad = read_boxes_as_far_as_possible(boxes)
    hands = by_film(rows)
    points = read_hand_points(keypoints) if keypoints is not None else {}
    faults = [HandFault(film, HandFaultKind.BAD_BOX, message) for film, message in bad]
    faults += hand_faults(hands, points=points, films=films or {})
    faults.sort(key=lambda fault: (_numbered(fault.film), fault.kind))
    seen = films or {}
    return HandAudit(len(hands), len(hands.keys() & points.keys()), len(hands.keys() & seen.keys()), tuple(faults))


def hand_faults(
    hands: Mapping[str, Sequence[LabelledBox]], *, points: Mapping[str, HandPoints], films: Films
) -> list[HandFault]:
    """Compare boxes that are there already, of the seven classes; see `audit_hands`.

    Args:
        hands: boxes by film.
        points: key points of some of these films.
        films: some of these films, bone bright or dark, at any size and squash.
    """
    counts = wrong_counts({film: [box.joint for box in own] for film, own in hands.items()})
    faults = [HandFault(film, HandFaultKind.WRONG_COUNTS, f"{counts[film]}.") for film in counts]
    for film, own in hands.items():
        hand = name_joints(as_detections(own))
        faults += _against_anatomy(film, hand)
        if film in points:
            faults += _against_points(film, hand, own, points[film])
        if film in films:
            faults += _against_film(film, hand, films[film])
    return faults


def as_detections(boxes: Sequence[LabelledBox]) -> list[Detection]:
    """Bring labelled boxes to detections in per cent of the film; those of none of the seven classes are left out."""
    return [
        Detection(
            BoneClass(one.joint),
            Box(*(PERCENT * v for v in (one.corners[0], one.corners[1], one.width, one.height))),
        )
        for one in boxes
        if one.joint in set(BoneClass)
    ]


def _against_anatomy(film: str, hand: NamedHand) -> list[HandFault]:
    """Tell what naming stumbled on."""
    if hand.to_plan is None:
        return [HandFault(film, HandFaultKind.NO_HAND, hand.joints[0].remarks[0].message)]
    kinds = {RemarkKind.OTHER_CLASS: HandFaultKind.SWAPPED_CLASS, RemarkKind.OUT_OF_PLACE: HandFaultKind.OUT_OF_PLACE}
    remarks = [remark for one in hand.joints for remark in one.remarks if remark.kind in kinds]
    faults = [HandFault(film, kinds[remark.kind], remark.message) for remark in remarks]
    return faults + [HandFault(film, HandFaultKind.NO_JOINT, one.remark.message) for one in hand.left_over]


def _against_points(film: str, hand: NamedHand, boxes: Sequence[LabelledBox], points: HandPoints) -> list[HandFault]:
    """Compare with key points: the farthest box, and the side."""
    worst = max(boxes_by_points(boxes, points).items(), key=lambda pair: pair[1].off_bone, default=None)
    faults = []
    if worst is not None and worst[1].off_bone > OFF_BONE:
        told = f"{worst[0]} lies {worst[1].off_bone:.2f} of the hand's length from its bone by the key points."
        faults.append(HandFault(film, HandFaultKind.OFF_KEY_POINTS, told))
    if Side.UNKNOWN not in (hand.side, points.side) and hand.side != points.side:
        told = f"The boxes are a {hand.side} hand's, the key points say {points.side}."
        faults.append(HandFault(film, HandFaultKind.WRONG_SIDE, told))
    return faults


def _against_film(film: str, hand: NamedHand, pixels: NDArray[np.uint8]) -> list[HandFault]:
    share = share_on_bone(hand, pixels, film_size=(PERCENT, PERCENT))
    if share is None or share >= LEAST_SHARE:
        return []
    told = f"Only {share:.0%} of the finger bones between the boxes lie on a finger of the film: the boxes are shifted."
    return [HandFault(film, HandFaultKind.OFF_FILM_HAND, told)]


def _numbered(film: str) -> tuple[int, str]:
    """Order ids as numbers where they are."""
    return (int(film), "") if film.isdecimal() else (1 << 62, film)
