"""Films measured joint by joint: their boxes named, their bones outlined by a network or by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate import files
from capitate.errors import CapitateError, FilmError, NoHandError, UsageError
from capitate.hand import BoneClass, Detection, Joint, JointStatus, NamedHand, bone_class_of, name_hands
from capitate.hand.measures import (
    CarpalMeasures,
    EpiphysisMeasures,
    OutlinePicture,
    measure_carpals,
    measure_joint,
    outline_windows,
    without_early_unions,
)
from capitate.runtime.outlines import Outliner
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study
from capitate.types import Box, Sex

__all__ = [
    "MeasuredHand",
    "Outlines",
    "Outlining",
    "by_masks",
    "by_network",
    "measure_films",
    "named_hand",
    "read_film",
]

Pixels = NDArray[np.float32]

_BONE = 2
"""Value of an epiphysis or carpal bone in a mask, and its class in a network's answer."""
_SAME_PROPORTIONS = 0.03


@dataclass(frozen=True)
class MeasuredHand:
    """What was measured on one film.

    Attributes:
        id: of the film.
        sex: of the child.
        months: bone age, None if the table has none.
        status: of each joint, in the order of `Joint`.
        joints: measures of the joints that have a box.
        carpals: measures of the carpus, None if it was not outlined.
    """

    id: str
    sex: Sex
    months: float | None
    status: Mapping[Joint, JointStatus]
    joints: Mapping[Joint, EpiphysisMeasures]
    carpals: CarpalMeasures | None


@dataclass(frozen=True)
class Outlines:
    """Outlines of one film: of joints by name, and of the carpus."""

    joints: Mapping[Joint, OutlinePicture]
    carpus: OutlinePicture | None


Outlining = Callable[[Study, Pixels, NamedHand], Outlines]
"""Gives the outlines of a film, its pixels and its named hand."""


def measure_films(
    studies: Sequence[Study],
    boxes: Mapping[str, Sequence[LabelledBox]],
    outlining: Outlining,
    *,
    aspects: Mapping[str, float] | None = None,
) -> Iterator[MeasuredHand | tuple[str, CapitateError]]:
    """Measure films, one after the other.

    Args:
        studies: the films.
        boxes: of each film's joints, by its id.
        outlining: gives a film's outlines, see `by_masks` and `by_network`.
        aspects: width over height of films that were stored squashed, by id.

    Yields:
        A film's measures, or its id and why it could not be measured.
    """
    for study in studies:
        try:
            pixels = read_film(study, aspect=(aspects or {}).get(study.id))
            hand = named_hand(boxes[study.id], shape=(pixels.shape[0], pixels.shape[1]))
            yield _measured(study, pixels, hand, outlining(study, pixels, hand))
        except (FilmError, NoHandError, UsageError) as error:
            yield study.id, error


def named_hand(boxes: Sequence[LabelledBox], *, shape: tuple[int, int]) -> NamedHand:
    """Name the joints of a film's boxes, which may have the seven classes or the 21 names.

    Args:
        boxes: in fractions of the film.
        shape: rows and columns of the film.

    Raises:
        NoHandError: if they are no hand, or two.
    """
    rows, columns = shape
    detections = []
    for box in boxes:
        left, top, right, bottom = box.corners
        place = Box(left * columns, top * rows, (right - left) * columns, (bottom - top) * rows)
        named = box.joint in {joint.value for joint in Joint}
        detections.append(Detection(bone_class_of(Joint(box.joint)) if named else BoneClass.of(box.joint), place))
    hands = name_hands(detections, film=shape)
    if len(hands) != 1 or hands[0].to_plan is None:
        found = "no hand" if len(hands) == 1 else f"{len(hands)} hands"
        raise NoHandError(f"one hand is measured at a time, got {found} in {len(boxes)} boxes; correct the boxes")
    return hands[0]


def by_masks(folder: Path) -> Outlining:
    """Take outlines from pictures named after their films: 2 in an epiphysis or carpal bone, 0 and 1 elsewhere."""

    def outlining(study: Study, pixels: Pixels, hand: NamedHand) -> Outlines:
        mask = np.rint(files.read(folder / f"{study.id}.png").pixels * 255)
        across, down = mask.shape[1] / pixels.shape[1], mask.shape[0] / pixels.shape[0]
        if not 1 - _SAME_PROPORTIONS < across / down < 1 + _SAME_PROPORTIONS:
            sizes = " and ".join(f"{shape[1]} x {shape[0]}" for shape in (mask.shape, pixels.shape))
            raise UsageError(
                f"mask and film {study.id} differ in their proportions, got {sizes}; name --aspects where films were "
                "stored squashed"
            )
        whole = OutlinePicture.placed((mask == _BONE).astype(np.float32), scale=(across, down), origin=(0.0, 0.0))
        return Outlines(dict.fromkeys(Joint, whole), whole)

    return outlining


def by_network(outliner: Outliner) -> Outlining:
    """Let a network outline the squares in which epiphyses and carpal bones lie, all in one run."""

    def outlining(study: Study, pixels: Pixels, hand: NamedHand) -> Outlines:
        windows = outline_windows(hand)
        joints: dict[Joint, OutlinePicture] = {}
        carpus = None
        for window, one in zip(windows, outliner.outline(pixels, [window.box for window in windows]), strict=True):
            picture = window.picture(one.probabilities[_BONE], scale=one.fitted.scale, origin=one.fitted.origin)
            joints |= dict.fromkeys(window.joints, picture)
            carpus = picture if window.carpus else carpus
        return Outlines(joints, carpus)

    return outlining


def read_film(study: Study, *, aspect: float | None) -> Pixels:
    """Read a film; one that was stored squashed gets its width back.

    Raises:
        FilmError: if it cannot be read.
    """
    pixels = files.read(study.path).pixels
    if aspect is None:
        return pixels
    size = (max(1, round(pixels.shape[0] * aspect)), pixels.shape[0])
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def _measured(study: Study, pixels: Pixels, hand: NamedHand, outlines: Outlines) -> MeasuredHand:
    joints = {
        named.joint: measure_joint(pixels, outlines.joints[named.joint], joint=named.joint, hand=hand)
        for named in hand.joints
        if named.box is not None and named.joint in outlines.joints
    }
    carpals = None if outlines.carpus is None else measure_carpals(pixels, outlines.carpus, hand=hand)
    status = {named.joint: named.status for named in hand.joints}
    joints = without_early_unions(joints, carpals)
    return MeasuredHand(study.id, study.sex, study.bone_age_months, status, joints, carpals)
