"""The joints of labelled hands from boxes in any form and from key points, and which hands are labelled wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError, UsageError
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_sound_boxes
from capitate.training.data.voc import is_voc, read_voc
from capitate.training.data.yolo import is_yolo, read_yolo
from capitate.training.hand_points import HandPoints, read_hand_points
from capitate.training.joints.points import Hand, centres_of, class_of
from capitate.training.joints_audit import Films, hand_faults
from capitate.training.joints_labels import BOXES_OF_A_HAND, wrong_counts
from capitate.training.settings.joints import JointLabelFiles

__all__ = ["JointLabels", "LabelledHand", "audited", "read_labels"]

_WRONG_NAMED = 3


@dataclass(frozen=True, eq=False)
class LabelledHand:
    """The joints of one film.

    Attributes:
        classes: int64 (k,), index into the experiment's classes.
        boxes: float64 (k, 4), centre x, y, width and height as fractions of the film; sizes NaN where only a point is
            known.
    """

    classes: NDArray[np.int64]
    boxes: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JointLabels:
    """Labelled hands by film, and what was left out.

    Attributes:
        hands: by id of the film.
        wrong: by id, why a hand was left out.
        points_alone: number of hands known by key points alone.
        boxes: every readable box by film, where they are of the seven classes that anatomy can judge.
        points: key points by film.
    """

    hands: Mapping[str, LabelledHand]
    wrong: Mapping[str, str] = field(default_factory=dict)
    points_alone: int = 0
    boxes: Mapping[str, Sequence[LabelledBox]] = field(default_factory=dict)
    points: Mapping[str, HandPoints] = field(default_factory=dict)


def read_labels(files: JointLabelFiles, *, base: Path, classes: Sequence[str]) -> JointLabels:
    """Read boxes and key points; hands with wrong counts are left out, further ones by `audited`.

    Args:
        files: where they lie.
        base: folder that names are relative to; labels are looked for in it where no boxes are named.
        classes: names of the experiment.

    Raises:
        TableError: if a table cannot be used, or holds a class that the experiment has not.
        UsageError: if no labels are found, or no hand can be learnt from.
    """
    place = base / files.boxes if files.boxes else base
    boxes, wrong = _boxes(place)
    _check_classes(boxes, classes)
    films = by_film(boxes)
    points = read_hand_points(base / files.keypoints, fingertips=True) if files.keypoints else {}
    hands = {film: _of_boxes(rows, classes) for film, rows in films.items() if film not in wrong}
    others = {
        film: _of_points(dict(one.at), classes)
        for film, one in points.items()
        if film not in films.keys() | wrong.keys()
    }
    alone = {film: hand for film, hand in others.items() if hand is not None}
    if not hands and not alone:
        raise UsageError(f"no hand of the labels in {base} can be learnt from; {len(wrong)} are wrong")
    seven = {box.joint for box in boxes} == BOXES_OF_A_HAND.keys()
    return JointLabels({**hands, **alone}, wrong, len(alone), films if seven else {}, points)


def audited(labels: JointLabels, files: JointLabelFiles, *, films: Films) -> JointLabels:
    """Leave out the hands whose boxes anatomy, key points or their own film contradict; see docs/naming.md.

    Labels of other classes than the seven of `boxes-21.csv` are taken as they are.

    Args:
        labels: as read.
        files: settings.
        films: films by id, bone bright or dark, at any size and squash.

    Raises:
        UsageError: if hands are wrong and the run is to stop at them, or none is left.
    """
    wrong = dict(labels.wrong)
    for fault in hand_faults(labels.boxes, points=labels.points, films=films):
        told = wrong.get(fault.film, "")
        if fault.message.rstrip(".") not in told:
            wrong[fault.film] = f"{told} {fault.message}".strip()
    if wrong and not files.leave_out_wrong:
        every = len(labels.hands.keys() | wrong.keys())
        shown = "; ".join(f"{film}: {why}" for film, why in sorted(wrong.items())[:_WRONG_NAMED])
        raise UsageError(
            f"{len(wrong)} of {every} labelled hands are wrong ({shown}); correct them, or set "
            "labels.leave_out_wrong = true"
        )
    hands = {film: hand for film, hand in labels.hands.items() if film not in wrong}
    if not hands:
        raise UsageError(f"no hand of the {len(labels.hands)} labelled ones can be learnt from; {len(wrong)} are wrong")
    return replace(labels, hands=hands, wrong=dict(sorted(wrong.items())))


def _boxes(place: Path) -> tuple[list[LabelledBox], dict[str, str]]:
    """Read a table, VOC or YOLO labels; and why hands of the seven classes are wrong."""
    if place.is_file():
        return read_sound_boxes(place)
    if not place.is_dir():
        raise TableError(f"there are no labels at {str(place)!r}; name a table of boxes, or a folder of VOC or YOLO")
    if is_voc(place):
        boxes = read_voc(place)
    elif is_yolo(place):
        boxes = read_yolo(place)
    else:
        raise TableError(
            f"{str(place)!r} holds neither VOC nor YOLO labels; name a table of boxes or such a folder as labels.boxes"
        )
    if {box.joint for box in boxes} != BOXES_OF_A_HAND.keys():
        return boxes, {}
    return boxes, wrong_counts({film: [box.joint for box in rows] for film, rows in by_film(boxes).items()})


def _check_classes(boxes: Sequence[LabelledBox], classes: Sequence[str]) -> None:
    unknown = sorted({box.joint for box in boxes if not {box.joint, class_of(box.joint)} & {*classes}})
    if unknown:
        raise TableError(
            f"the labels have a class that the experiment does not, got {', '.join(unknown[:5])}; its classes "
            f"are {', '.join(classes)}"
        )


def _of_boxes(boxes: Sequence[LabelledBox], classes: Sequence[str]) -> LabelledHand:
    kept = [clipped(box) for box in boxes]
    names = [box.joint if box.joint in classes else class_of(box.joint) for box in boxes]
    return LabelledHand(
        np.array([classes.index(name) for name in names], dtype=np.int64),
        np.array([[box.x, box.y, box.width, box.height] for box in kept]),
    )


def _of_points(hand: Hand, classes: Sequence[str]) -> LabelledHand | None:
    """Give the centres of the joints that the experiment has a class for; None if it has none."""
    centres = centres_of(hand)
    named = {joint: joint if joint in classes else class_of(joint) for joint in centres}
    joints = [joint for joint, name in named.items() if name in classes]
    if not joints:
        return None
    unknown = np.full((len(joints), 2), np.nan)
    return LabelledHand(
        np.array([classes.index(named[joint]) for joint in joints], dtype=np.int64),
        np.concatenate([np.array([centres[joint] for joint in joints]), unknown], axis=1),
    )
