"""Masks and the pictures cut with them: by joint or by hand, both sampled by one rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate import files
from capitate.errors import FilmError
from capitate.hand import Detection, Joint, bone_class_of, name_joints
from capitate.hand.measures import outline_windows
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.runtime.nearest_grey import nearest_grey
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study
from capitate.training.prepare import Refused
from capitate.types import Box

__all__ = ["CLASSES", "UNKNOWN", "Cut", "CutRule", "cut_film", "regions"]

CLASSES = ("background", "joint region", "epiphysis or carpal bone")
UNKNOWN = 255
"""Label of a pixel that nothing is known about."""
_GREY_LEVELS = 255

Picture = NDArray[np.float32]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cut:
    """One picture with its labels, both uint8 (height, width)."""

    pixels: NDArray[np.uint8]
    labels: Labels


@dataclass(frozen=True)
class CutRule:
    """How films are cut for training.

    Attributes:
        masks: where the mask of every film lies, by id.
        rule: of squares around joints, or of whole films.
        least: longer side of a region that is cut out, as a share of the film's.
        masked: whether films are black outside their masks.
        ignore: whether pixels of value 0 teach nothing.
        aspect: width over height that whole films once had, 0 for their own.
        boxes: by id, the boxes of named joints, by which the squares are cut that an assessment outlines.
    """

    masks: dict[str, Path]
    rule: CropRule | FilmRule
    least: float
    masked: bool
    ignore: bool
    aspect: float = 0.0
    boxes: Mapping[str, Sequence[LabelledBox]] | None = None


def cut_film(study: Study, *, how: CutRule) -> list[Cut] | Refused:
    """Read a film and its mask, and cut them.

    Returns:
        Pictures, or why the film cannot be used: it or its mask cannot be read, they differ in size, the mask has
        other values than 0, 1 and 2 or nothing to learn from.
    """
    try:
        film, mask = files.read(study.path).pixels, files.read(how.masks[study.id]).pixels
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    labels = np.rint(mask * _GREY_LEVELS).astype(np.int64)
    wrong = _wrong(film, labels)
    if wrong is not None:
        return Refused(study.id, "mask", wrong)
    plain = labels.astype(np.uint8)
    if how.masked:
        film = nearest_grey(film, plain > 0)
    made = list(_cuts(study, film, plain, how))
    return made or Refused(study.id, "mask", f"no region of the mask reaches {how.least:g} of the film; correct it")


def regions(labels: Labels, *, least: float) -> list[Box]:
    """Give the boxes of a mask's connected regions that are not too small, in film pixels."""
    found, _ = ndimage.label(labels > 0)
    longest = max(labels.shape) * least
    boxes = []
    for rows, columns in ndimage.find_objects(found):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if max(height, width) >= longest:
            boxes.append(Box(float(columns.start), float(rows.start), float(width), float(height)))
    return boxes


def _wrong(film: Picture, labels: NDArray[np.int64]) -> str | None:
    """Say what is wrong with a mask, None if nothing."""
    if film.shape != labels.shape:
        sizes = " and ".join(f"{shape[1]} x {shape[0]}" for shape in (film.shape, labels.shape))
        return f"film and mask differ in size, got {sizes} pixels; give the mask of this film"
    others = np.setdiff1d(labels, range(len(CLASSES)))
    if others.size:
        return f"a mask holds 0, 1 and 2 alone, got {others[0]}; write it again"
    return None


def _cuts(study: Study, film: Picture, labels: Labels, how: CutRule) -> Iterator[Cut]:
    if isinstance(how.rule, FilmRule):
        fitted = how.rule.fitted(film, aspect=how.aspect)
        shares = [how.rule.placed((labels == k).astype(np.float32), aspect=how.aspect) for k in range(len(CLASSES))]
        yield Cut(fitted.pixels, _labels(np.stack(shares), ignore=how.ignore))
        return
    for box in _squares(study, labels, how):
        shares = [how.rule.placed((labels == k).astype(np.float32), box) for k in range(len(CLASSES))]
        yield Cut(how.rule.cut(film, box).pixels, _labels(np.stack(shares), ignore=how.ignore))


def _squares(study: Study, labels: Labels, how: CutRule) -> list[Box]:
    """Give what is cut out of a film: the squares that an assessment outlines, or the mask's regions."""
    if how.boxes is None:
        return regions(labels, least=how.least)
    rows, columns = labels.shape
    seen = [
        Detection(
            bone_class_of(Joint(one.joint)),
            Box(one.corners[0] * columns, one.corners[1] * rows, one.width * columns, one.height * rows),
        )
        for one in how.boxes.get(study.id, ())
    ]
    hand = name_joints(seen, film=(rows, columns))
    return [] if hand.to_plan is None else [window.box for window in outline_windows(hand)]


def _labels(shares: Picture, *, ignore: bool) -> Labels:
    """Name the class with the largest share of each pixel; outside the film, and where 0 is to be ignored, none."""
    labels: Labels = shares.argmax(axis=0).astype(np.uint8)
    unknown = shares.sum(axis=0) < 0.5
    return np.where(unknown | (ignore & (labels == 0)), np.uint8(UNKNOWN), labels)
