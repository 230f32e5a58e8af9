"""Films on which every joint of a drawn hand is a disc whose grey tells its class, and a reader that sees the discs.

What the reader finds is known on any film, turned and mirrored ones too, so that figures have known answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.assessment import ModelReference
from capitate.errors import NoHandError
from capitate.evaluation.joints.reader import HandReading
from capitate.hand import BoneClass, Detection, Joint, bone_class_of, name_joints
from capitate.phantom import Pose, draw
from capitate.runtime.joint_boxes import FoundJoint
from capitate.training.data.boxes import LabelledBox
from capitate.types import Box, Sex, Side

CLASSES = tuple(BoneClass)
SIDE = 20.0
"""Of every labelled and found box, pixels."""
_RADIUS = 4
Change = Callable[[list[FoundJoint], tuple[int, int]], list[FoundJoint]]


def places(
    *, side: Side = Side.LEFT, seed: int = 0, height: int = 420
) -> tuple[dict[Joint, tuple[float, float]], tuple[int, int]]:
    """Middles of the joints of a drawn hand, and rows and columns of its film."""
    film = draw(age_months=120, sex=Sex.FEMALE, side=side, pose=Pose(rotation_degrees=4), height=height, seed=seed)
    middles = {Joint(one.name): (one.box.x + one.box.width / 2, one.box.y + one.box.height / 2) for one in film.joints}
    return middles, film.radiograph.pixels.shape


def marked(path: Path, middles: dict[Joint, tuple[float, float]], shape: tuple[int, int]) -> Path:
    """Write a film with a disc a joint, over a faint slope that makes it a picture."""
    pixels = np.broadcast_to(np.linspace(0.0, 0.1, shape[1]), shape).copy()
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for joint, (x, y) in middles.items():
        disc = (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= _RADIUS**2
        pixels[disc] = 0.3 + 0.1 * CLASSES.index(bone_class_of(joint))
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(path)
    return path


def labels(
    film: str, middles: dict[Joint, tuple[float, float]], shape: tuple[int, int], *, named: bool
) -> list[LabelledBox]:
    """The joints' boxes as a table has them."""
    rows, columns = shape
    return [
        LabelledBox(
            film,
            joint.value if named else bone_class_of(joint).value,
            x / columns,
            y / rows,
            SIDE / columns,
            SIDE / rows,
        )
        for joint, (x, y) in middles.items()
    ]


def discs(pixels: NDArray[np.float32]) -> list[FoundJoint]:
    """Find the discs."""
    found, count = ndimage.label(pixels > 0.25)
    numbers = range(1, count + 1)
    middles = ndimage.center_of_mass(np.ones_like(pixels), found, numbers)
    joints = []
    for (y, x), grey in zip(middles, ndimage.median(pixels, found, numbers), strict=True):
        kind = int(np.clip(round((grey - 0.3) / 0.1), 0, len(CLASSES) - 1))
        box = Box(x + 0.5 - SIDE / 2, y + 0.5 - SIDE / 2, SIDE, SIDE)
        joints.append(FoundJoint(CLASSES[kind].value, 0.9, box, (x + 0.5, y + 0.5)))
    return joints


@dataclass
class DiscReader:
    """A reader of marked films.

    Attributes:
        trained_on: stems of films that it has seen in training.
        refused: stems of films on which it finds no hand.
        change: what it does to the joints that it sees.
        asked: film and shape of every film that it was given.
    """

    trained_on: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    change: Change = lambda found, shape: found
    threshold: float = 0.3
    models: tuple[ModelReference, ...] = (ModelReference("discs", "1", "0" * 64, "none"),)
    asked: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def seen(self, film: str, /) -> bool:
        return film in self.trained_on

    def read(self, pixels: NDArray[np.float32], /, *, film: str) -> HandReading:
        self.asked.append((film, pixels.shape))
        if film in self.refused:
            raise NoHandError("no single whole hand was found; give a film of one hand")
        found = self.change(discs(pixels), pixels.shape)
        sure = [Detection(BoneClass(one.joint), one.box, one.score) for one in found if one.score >= self.threshold]
        return HandReading(pixels.shape, tuple(found), name_joints(sure, film=pixels.shape))
