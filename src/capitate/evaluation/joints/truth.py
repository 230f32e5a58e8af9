"""Labelled hands to judge a joint detector by: boxes of seven classes or 21 names, key points, and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from capitate.errors import TableError
from capitate.hand import BoneClass, Joint, bone_class_of
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_boxes_as_far_as_possible
from capitate.training.hand_points import HandPoints, boxes_by_points, read_hand_points
from capitate.training.joints.points import centres_of
from capitate.training.joints_audit import hand_faults
from capitate.types import Side

__all__ = ["JointTruth", "LabelSource", "TrueHand", "TrueJoint", "UnusedBox", "read_truth"]

_CLASSES = frozenset(bone.value for bone in BoneClass)
_NAMES = frozenset(joint.value for joint in Joint)


class LabelSource(StrEnum):
    """What a hand's joints are known by."""

    BOXES = "boxes"
    POINTS = "points"


@dataclass(frozen=True)
class TrueJoint:
    """One labelled joint, in fractions of the film.

    Attributes:
        label: its name in the table, or by the key points.
        bone: its class.
        joint: its name, None where only the class is known.
        box: centre x, y, width and height on the film; sizes NaN where only a point is known.
    """

    label: str
    bone: BoneClass
    joint: Joint | None
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class TrueHand:
    """The labels of one film.

    Attributes:
        film: its id.
        joints: in the order of the table.
        source: boxes, or key points alone.
        side: of the hand by the key points.
        named: whether the fingers of its joints are known, so that naming can be judged.
        wrong: what an audit found wrong with the labels, None for nothing.
    """

    film: str
    joints: tuple[TrueJoint, ...]
    source: LabelSource
    side: Side = Side.UNKNOWN
    named: bool = False
    wrong: str | None = None


@dataclass(frozen=True)
class UnusedBox:
    """A row of the table that no figure is over, as far as it could be read, and why."""

    film: str
    joint: str
    reason: str
    box: LabelledBox | None = None


@dataclass(frozen=True)
class JointTruth:
    """All labels.

    Attributes:
        hands: by film.
        by_name: whether the boxes have the names of joints, not those of the seven classes.
        unused: boxes with a name that is none of these, and rows that cannot be read.
    """

    hands: Mapping[str, TrueHand]
    by_name: bool
    unused: tuple[UnusedBox, ...] = ()
    audited: bool = field(default=False)


def read_truth(boxes: Path | None, *, keypoints: Path | None = None, audit: Path | None = None) -> JointTruth:
    """Read the labels.

    A film's joints are those of its boxes, and their fingers those of the table's names or of the key points; a film
    without boxes has the centres that its key points imply (`capitate.training.joints.points`).

    Args:
        boxes: table in the form of `boxes-21.csv`.
        keypoints: table in the form of `hand-keypoints-21.csv`.
        audit: `audit.json` of `capitate data audit`; without it, boxes of the seven classes are audited here, except
            against the films.

    Raises:
        TableError: if a table or the audit cannot be used as a whole, or holds no joint of a known name.
    """
    rows, bad = ([], []) if boxes is None else read_boxes_as_far_as_possible(boxes)
    known = [row for row in rows if row.joint in _CLASSES | _NAMES]
    unused = [
        UnusedBox(row.film, row.joint, "unknown_joint", row) for row in rows if row.joint not in _CLASSES | _NAMES
    ]
    unused += [UnusedBox(film, "", message) for film, message in bad]
    if boxes is not None and not known:
        raise TableError(
            f"{boxes.name}: no box of a known joint, got {_some({row.joint for row in rows})}; joints are "
            f"{', '.join(BoneClass)}, or the 21 names such as {Joint.MIP_THIRD}"
        )
    by_name = any(row.joint not in _CLASSES for row in known)
    points = {} if keypoints is None else read_hand_points(keypoints, fingertips=True)
    hands = {film: _of_boxes(film, own, points.get(film), by_name=by_name) for film, own in by_film(known).items()}
    hands |= {film: _of_points(one) for film, one in points.items() if film not in hands}
    wrong = _audited(audit) if audit is not None else _faults(known, bad, points, by_name=by_name)
    judged = {film: replace(hand, wrong=wrong.get(film)) for film, hand in hands.items()}
    return JointTruth(dict(sorted(judged.items())), by_name, tuple(unused), audit is not None)


def _of_boxes(film: str, boxes: Sequence[LabelledBox], points: HandPoints | None, *, by_name: bool) -> TrueHand:
    """Take a film's boxes; key points tell the fingers of boxes that have classes alone."""
    names = [Joint(box.joint) if box.joint in _NAMES else None for box in boxes]
    if points is not None and not by_name:
        for joint, one in boxes_by_points(boxes, points).items():
            names[one.number] = joint
    joints = [_joint(box, name) for box, name in zip(boxes, names, strict=True)]
    side = Side.UNKNOWN if points is None else points.side
    return TrueHand(film, tuple(joints), LabelSource.BOXES, side, named=by_name or points is not None)


def _joint(box: LabelledBox, name: Joint | None) -> TrueJoint:
    on_film = clipped(box)
    bone = BoneClass(box.joint) if box.joint in _CLASSES else bone_class_of(Joint(box.joint))
    return TrueJoint(box.joint, bone, name, (on_film.x, on_film.y, on_film.width, on_film.height))


def _of_points(points: HandPoints) -> TrueHand:
    joints = [
        TrueJoint(name, bone_class_of(Joint(name)), Joint(name), (float(at[0]), float(at[1]), np.nan, np.nan))
        for name, at in centres_of(dict(points.at)).items()
    ]
    return TrueHand(points.film, tuple(joints), LabelSource.POINTS, points.side, named=True)


def _faults(
    known: Sequence[LabelledBox], bad: Sequence[tuple[str, str]], points: Mapping[str, HandPoints], *, by_name: bool
) -> dict[str, str]:
    """Find wrong labels without looking at films: rows that cannot be right, and by anatomy, key points or doubles."""
    hands = by_film(known)
    found = [*bad]
    if by_name:
        counts = {film: Counter(box.joint for box in own) for film, own in hands.items()}
        twice = {film: [name for name, count in one.items() if count > 1] for film, one in counts.items()}
        found += [(film, f"{name} stands twice.") for film, names in twice.items() for name in names]
    else:
        found += [(fault.film, fault.message) for fault in hand_faults(hands, points=points, films={})]
    reasons: dict[str, list[str]] = {}
    for film, message in found:
        reasons.setdefault(film, []).append(message)
    return {film: " ".join(messages) for film, messages in reasons.items()}


def _audited(path: Path) -> dict[str, str]:
    """Read which hands an audit lists, and why.

    Raises:
        TableError: if it is no audit.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        reasons: dict[str, list[str]] = {str(film): [] for film in found["unusable"]}
        for fault in found["faults"]:
            reasons.setdefault(str(fault["film"]), []).append(str(fault["message"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TableError(
            f"{str(path)!r} is no audit of labelled hands ({error}); give the audit.json of `capitate data audit`"
        ) from error
    return {film: " ".join(dict.fromkeys(messages)) or "listed by the audit" for film, messages in reasons.items()}


def _some(names: set[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names)[:5]) or "no box"
