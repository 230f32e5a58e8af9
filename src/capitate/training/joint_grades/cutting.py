"""Joints cut from whole films by the released models, with a table of what is known of each, for graders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate import files
from capitate.assessor.looking import as_detection, look_for_joints
from capitate.assessor.upright import Upright
from capitate.errors import FilmError, UsageError
from capitate.hand import Joint, NamedHand, name_joints
from capitate.runtime.bundle import load_bundle
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.runtime.grade_categories import JOINTS
from capitate.runtime.joint_boxes import JointDetector
from capitate.runtime.locator import HandLocator
from capitate.runtime.nearest_grey import nearest_grey
from capitate.runtime.views import squash
from capitate.training.data.boxes import LabelledBox, write_boxes
from capitate.training.data.film_finder import films_under
from capitate.training.joint_grades.crops import CROPS_TABLE
from capitate.training.manifest import Study
from capitate.training.prepare import Refused, each_film
from capitate.training.runs import write_table
from capitate.types import Box

__all__ = ["JOINTS_TABLE", "CutCrop", "Cutting", "cut_joints"]

JOINTS_TABLE = "joints.csv"
"""Table of the joints that were found, in the form of `boxes-21.csv` with the 21 names."""
_LEAST_CONTRAST = 2 / 255
_LEAST = 64
"""Side of the smallest crop that is written; smaller ones are enlarged to it, so that films of joints can be read."""


@dataclass(frozen=True)
class Cutting:
    """How joints are cut.

    Attributes:
        detector: name or folder of a joint-detector bundle.
        margin: shown around a joint's box, as a share of its longer side.
        aspect: width over height that the films once had, for films that were stored squashed; 0 for their own.
        films: folder with the same films in better pixels, found by their stem; films that it lacks are left out.
        masks: folder of masks of those films; what lies where a mask is 0 is not known, and is filled with the nearest
            pixel inside it.
        joints: names of those that are cut.
    """

    detector: str = "joint-detector"
    margin: float = 0.25
    aspect: float = 0.0
    films: Path | None = None
    masks: Path | None = None
    joints: tuple[str, ...] = JOINTS


@dataclass(frozen=True)
class CutCrop:
    """One crop that was written, with what is known of its hand.

    Attributes:
        file: path below the folder.
        hand: id of the film.
        joint: name.
        sex: of the child.
        bone_age_months: as the table has it, or None.
        detection: confidence of the joint's box.
        pixels: side of the crop.
    """

    file: str
    hand: str
    joint: str
    sex: str
    bone_age_months: float | None
    detection: float
    pixels: int


_Cut = tuple[list[CutCrop], list[LabelledBox]]


def cut_joints(
    studies: Sequence[Study],
    out: Path,
    *,
    cutting: Cutting,
    workers: int = 1,
    progress: Callable[[], object] = lambda: None,
) -> tuple[list[CutCrop], dict[str, Refused]]:
    """Find the joints of films and write each as a picture of its own, with `crops.csv` beside them.

    Args:
        studies: films, with sex and bone age where they are known.
        out: folder; it must be empty or not there.
        cutting: see `Cutting`.
        workers: processes.
        progress: called after every film.

    The places of all 21 joints go into `joints.csv`, a table of boxes in fractions of the film.

    Returns:
        What was cut, and the films without crops, by id.

    Raises:
        UsageError: if the folder is in use, or no joint could be cut from any film.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; name a new folder")
    better = {film.stem: film for film in films_under(cutting.films)} if cutting.films else None
    wanted = [one for one in studies if better is None or one.id in better]
    for joint in cutting.joints:
        (out / joint).mkdir(parents=True, exist_ok=True)
    job = partial(_cut_film, better=better or {}, out=out, cutting=cutting)
    crops, boxes, refused = [], [], {}
    for study, made in zip(wanted, each_film(job, wanted, workers=workers), strict=True):
        progress()
        if isinstance(made, Refused):
            refused[study.id] = made
        else:
            crops += made[0]
            boxes += made[1]
    if not crops:
        first = next(iter(refused.values())).message if refused else "no film of the table lies there"
        raise UsageError(f"no joint could be cut from {len(studies)} films: {first}")
    write_table(out / CROPS_TABLE, [_row(crop) for crop in crops])
    write_boxes(boxes, out / JOINTS_TABLE)
    return crops, refused


def _row(crop: CutCrop) -> dict[str, object]:
    age = "" if crop.bone_age_months is None else f"{crop.bone_age_months:g}"
    values = {name: getattr(crop, name) for name in CutCrop.__dataclass_fields__}
    return {**values, "bone_age_months": age, "detection": f"{crop.detection:.3f}"}


def _cut_film(study: Study, *, better: dict[str, Path], out: Path, cutting: Cutting) -> _Cut | Refused:
    """Find the joints of one film and write them."""
    try:
        pixels, hand = _named_joints(files.read(study.path).pixels, cutting.detector)
        best = files.read(better[study.id]).pixels if better else pixels
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    if hand is None:
        return Refused(study.id, "no_joints", "the joints found do not lie like those of a hand")
    if cutting.masks is not None:
        with Image.open(cutting.masks / f"{study.id}.png") as mask:
            best = nearest_grey(best, np.asarray(mask) > 0)
    if cutting.aspect:
        best = _stretched(best, cutting.aspect)
    shape = (best.shape[0], best.shape[1])
    upright, rule, made = Upright.of(hand, shape=shape), CropRule(FilmRule(2, 2), cutting.margin), []
    turned = np.ascontiguousarray(upright.film(best))
    for joint in cutting.joints:
        found = hand.joint(Joint(joint))
        if found.detection is None:
            continue
        crop = rule.part(turned, upright.box(_scaled(found.detection.box, pixels.shape, shape)))
        if np.ptp(crop) < _LEAST_CONTRAST:
            continue
        name = f"{joint}/{study.id}__{joint}.png"
        _picture(crop).save(out / name)
        sex, age, score = str(study.sex), study.bone_age_months, found.detection.score
        made.append(CutCrop(name, study.id, joint, sex, age, score, crop.shape[0]))
    return made, _boxes(study.id, hand, pixels.shape)


def _boxes(film: str, hand: NamedHand, shape: tuple[int, ...]) -> list[LabelledBox]:
    """Give the places of the named joints as fractions of the film."""
    rows, columns = shape
    seen = [(str(one.joint), one.detection) for one in hand.joints]
    return [
        LabelledBox(
            film,
            name,
            one.centre[0] / columns,
            one.centre[1] / rows,
            one.box.width / columns,
            one.box.height / rows,
        )
        for name, one in seen
        if one is not None
    ]


def _picture(crop: NDArray[np.float32]) -> Image.Image:
    """Make an 8-bit picture of a crop, enlarged where it is small."""
    picture = Image.fromarray(np.rint(crop * 255).astype(np.uint8))
    return picture if picture.width >= _LEAST else picture.resize((_LEAST, _LEAST), Image.Resampling.BICUBIC)


@cache
def _models(detector: str) -> tuple[HandLocator, JointDetector]:
    """Load both models once a process."""
    return HandLocator(threads=1), JointDetector(load_bundle(detector), threads=1)


def _named_joints(pixels: NDArray[np.float32], detector: str) -> tuple[NDArray[np.float32], NamedHand | None]:
    """Find and name the joints; the film comes back with bone bright."""
    locator, joints = _models(detector)
    square = squash(pixels)
    located = locator.locate(square)
    if located.negated:
        pixels, square = np.float32(1) - pixels, np.float32(1) - square
    found = look_for_joints(joints, pixels, located.frame, square=square)
    hand = name_joints([as_detection(one) for one in found], film=(pixels.shape[0], pixels.shape[1]))
    return pixels, hand if hand.to_plan is not None else None


def _stretched(pixels: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
    rows = pixels.shape[0]
    image = Image.fromarray(pixels).resize((max(1, round(rows * aspect)), rows), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(image, dtype=np.float32), 0, 1)


def _scaled(box: Box, shape: tuple[int, ...], other: tuple[int, ...]) -> Box:
    """Bring a box from one size of a film to another."""
    down, across = other[0] / shape[0], other[1] / shape[1]
    return replace(box, x=box.x * across, y=box.y * down, width=box.width * across, height=box.height * down)
