"""The joints of labelled hands from boxes in any form and from key points, and which hands are labelled wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from capitate.errors import TableError, UsageError
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_sound_boxes
from capitate.training.data.voc import is_voc, read_voc
from capitate.training.data.yolo import is_yolo, read_yolo
from capitate.training.joints.points import Hand, centres_of, class_of, read_points
from capitate.training.joints_labels import BOXES_OF_A_HAND, wrong_counts
from capitate.training.settings.joints import JointLabelFiles

__all__ = ["JointLabels", "LabelledHand", "far_from_points", "read_labels"]

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
    """

    hands: Mapping[str, LabelledHand]
    wrong: Mapping[str, str] = field(default_factory=dict)
    points_alone: int = 0


def read_labels(files: JointLabelFiles, *, base: Path, classes: Sequence[str]) -> JointLabels:
    """Read boxes and key points, and leave out hands that are labelled wrongly.

    Args:
        files: where they lie.
        base: folder that names are relative to; labels are looked for in it where no boxes are named.
        classes: names of the experiment.

    Raises:
        TableError: if a table cannot be used, or holds a class that the experiment has not.
        UsageError: if no labels are found, or hands are wrong and the run is to stop at them.
    """
    boxes, wrong = _boxes(base / files.boxes if files.boxes else base)
    _check_classes(boxes, classes)
    films = by_film(boxes)
    pointed = read_points(base / files.keypoints) if files.keypoints else {}
    sound = {film: rows for film, rows in films.items() if film not in wrong}
    wrong |= far_from_points(sound, pointed, farthest=files.farthest)
    if wrong and not files.leave_out_wrong:
        every = len(films.keys() | wrong.keys())
        shown = "; ".join(f"{film}: {why}" for film, why in sorted(wrong.items())[:_WRONG_NAMED])
        raise UsageError(
            f"{len(wrong)} of {every} labelled hands are wrong ({shown}); correct them, or set "
            "labels.leave_out_wrong = true"
        )
    hands = {film: _of_boxes(rows, classes) for film, rows in sound.items() if film not in wrong}
    others = {
        film: _of_points(hand, classes) for film, hand in pointed.items() if film not in films.keys() | wrong.keys()
    }
    alone = {film: hand for film, hand in others.items() if hand is not None}
    if not hands and not alone:
        raise UsageError(f"no hand of the labels in {base} can be learnt from; {len(wrong)} are wrong")
    return JointLabels({**hands, **alone}, dict(sorted(wrong.items())), len(alone))


def far_from_points(
    films: Mapping[str, Sequence[LabelledBox]], pointed: Mapping[str, Hand], *, farthest: float
) -> dict[str, str]:
    """Find hands whose boxes are not where their key points have the joints of that class: swapped or shifted.

    Args:
        films: boxes by film.
        pointed: key points by film.
        farthest: distance from which on a centre is wrong, in lengths of the hand (its farthest two centres).

    Returns:
        By film the worst class and its distance.
    """
    found = {}
    for film in sorted(films.keys() & pointed.keys()):
        centres = centres_of(pointed[film])
        points = {joint: at for joint, at in centres.items() if np.isfinite(at).all()}
        length = _extent(np.array(list(points.values())))
        worst = max(
            ((_worst(rows, points) / length, name) for name, rows in _by_class(films[film]).items()), default=None
        )
        if worst is not None and worst[0] >= farthest:
            found[film] = f"{worst[1]} lies {worst[0]:.2f} of a hand's length from where key points have it"
    return found


def _by_class(boxes: Iterable[LabelledBox]) -> dict[str, list[LabelledBox]]:
    found: dict[str, list[LabelledBox]] = {}
    for box in boxes:
        found.setdefault(box.joint, []).append(box)
    return found


def _worst(boxes: Sequence[LabelledBox], points: Mapping[str, NDArray[np.float64]]) -> float:
    """Give the largest distance of boxes of a class from the points that fit them best; 0 where no point has it."""
    joint = boxes[0].joint
    wanted = [at for name, at in points.items() if joint in (name, class_of(name))]
    if not wanted:
        return 0.0
    apart = np.hypot(
        *(np.array([[box.x, box.y] for box in boxes])[:, None] - np.array(wanted)[None]).transpose(2, 0, 1)
    )
    rows, columns = linear_sum_assignment(apart)
    return float(apart[rows, columns].max())


def _extent(points: NDArray[np.float64]) -> float:
    return float(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)).max())


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
