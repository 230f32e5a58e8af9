"""Crops of graded joints as a data set in `JOINT/GRADE/`, for training a grader on a hospital's own readings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate import files
from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.assessor.scores import graded_names
from capitate.assessor.upright import Upright
from capitate.errors import ReportWriteError, UsageError
from capitate.radiograph import Radiograph
from capitate.runtime.film_rule import CropRule, FilmRule

__all__ = ["MARGIN", "GradedCrop", "film_of", "graded_crops", "write_crops"]

MARGIN = 0.25
"""What a crop shows beyond the joint's box, at each end, as a share of its longer side: that of the experiment
`joint-grades`, whose bundle then cuts joints in the same way."""


@dataclass(frozen=True, eq=False)
class GradedCrop:
    """One crop.

    Attributes:
        joint: its name.
        grade: that counts.
        pixels: float32 (side, side), of the film turned upright, and mirrored for a right hand.
    """

    joint: str
    grade: int
    pixels: NDArray[np.float32]


def film_of(assessment: Assessment, place: Path) -> Radiograph:
    """Find and read the film of an assessment; polarity is that which was assessed.

    Args:
        assessment: of a film that was not refused.
        place: the film, or a folder that holds it at any depth.

    Raises:
        UsageError: if there is no film of that name, or none of them is the one that was assessed.
        FilmError: if it cannot be read.
    """
    source = assessment.source
    named = [path for path in files.find(place) if path.name == source.name]
    if not named:
        raise UsageError(f"no film named {source.name!r} lies in {str(place)!r}; give the folder of the films")
    read = [files.read(path) for path in named]
    film = next((one for one in read if one.sha256 == source.sha256), None)
    if film is None:
        raise UsageError(
            f"{str(named[0])!r} is not the film that was assessed: its sha256 is {read[0].sha256}, the assessment says "
            f"{source.sha256}; give the film as it was"
        )
    inverted = any(one.code == "negated" for one in assessment.quality.findings)
    return film.negated() if inverted else film


def graded_crops(
    assessment: Assessment, film: Radiograph, *, corrected_only: bool = False, margin: float = MARGIN
) -> Iterator[GradedCrop]:
    """Cut every joint that has a box and a grade.

    Args:
        assessment: with joints.
        film: of it, from `film_of`.
        corrected_only: only joints whose grade a person set.
        margin: see `MARGIN`.
    """
    joints = [one for one in assessment.joints or () if _wanted(one, corrected_only=corrected_only)]
    upright = Upright.of_assessed(assessment.joints or (), shape=(film.height, film.width))
    pixels, rule = upright.film(film.pixels), CropRule(FilmRule(1, 1), margin)
    for one in joints:
        if one.box is not None and one.grade is not None and one.grade.value is not None:
            yield GradedCrop(one.name, one.grade.value, rule.part(pixels, upright.box(one.box)))


def write_crops(
    assessment: Assessment, film: Radiograph, folder: Path, *, corrected_only: bool = False, margin: float = MARGIN
) -> list[Path]:
    """Write crops as `JOINT/GRADE/HAND__JOINT.png`, in 16 bit where the film has more than 8.

    HAND is the film's name with the first eight digits of its sha256, so that splits keep a hand's crops together and
    films of one name stay apart. A crop that was written before with another grade is taken away.

    Args:
        assessment: as of `graded_crops`, and so the others.
        film: of it.
        folder: where to, made if missing.
        corrected_only: only joints whose grade a person set.
        margin: see `MARGIN`.

    Returns:
        The files.

    Raises:
        ReportWriteError: if a file cannot be written.
    """
    hand = re.sub(r"[^\w.-]|_+(?=_)", "-", Path(assessment.source.name).stem).strip("_") or "film"
    written = []
    for crop in graded_crops(assessment, film, corrected_only=corrected_only, margin=margin):
        path = folder / crop.joint / str(crop.grade) / f"{hand}-{film.sha256[:8]}__{crop.joint}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _picture(crop.pixels, bits=film.bits).save(path, format="PNG")
            for other in set((folder / crop.joint).glob(f"*/{path.name}")) - {path}:
                other.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            raise ReportWriteError(f"cannot write {str(path)!r}: {reason}; choose another folder") from error
        written.append(path)
    return written


def _wanted(one: AssessedJoint, *, corrected_only: bool) -> bool:
    """Whether a joint has what a crop needs."""
    if one.name not in graded_names() or one.box is None or one.grade is None or one.grade.value is None:
        return False
    return one.grade.corrected_by is not None or not corrected_only


def _picture(pixels: NDArray[np.float32], *, bits: int) -> Image.Image:
    """Make the picture of a crop, without loss for films of 8 or 16 bit."""
    if bits > 8:
        return Image.fromarray(np.round(pixels * 65535).astype(np.uint16))
    return Image.fromarray(np.round(pixels * 255).astype(np.uint8))
