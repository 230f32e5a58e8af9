"""Models of joints whose answers are known: they read marks that a drawn film carries at its joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import ModelReference
from capitate.hand import Joint, bone_class_of
from capitate.phantom import Phantom
from capitate.radiograph import Radiograph
from capitate.runtime.film_rule import Fitted
from capitate.runtime.grade_categories import CATEGORIES, category_of
from capitate.runtime.joint_boxes import FoundJoint
from capitate.runtime.joint_grades import GradeAnswer
from capitate.runtime.outlines import Outlined
from capitate.types import Box

FIRST, STEP = 0.5, 1 / 256
"""A mark is a pixel of exactly FIRST + STEP * (1 + number of the joint) / 4, which no 8-bit film has by chance."""


def code(joint: str) -> np.float32:
    return np.float32(FIRST + STEP * (1 + list(Joint).index(Joint(joint))) / 4 + STEP / 16)


def marked(drawn: Phantom, *, without: Sequence[str] = ()) -> Radiograph:
    """The drawn film with a mark at the middle of every joint's box but some."""
    pixels = drawn.radiograph.pixels.copy()
    for one in drawn.joints:
        if one.name not in without:
            x, y = middle(one.box)
            pixels[y, x] = code(one.name)
    return replace(drawn.radiograph, pixels=pixels)


def middle(box: Box) -> tuple[int, int]:
    return int(box.x + box.width / 2), int(box.y + box.height / 2)


def _bundle(name: str) -> SimpleNamespace:
    return SimpleNamespace(reference=ModelReference(name, "0", "ab" * 32, "test"), card={})


@dataclass
class MarkDetector:
    """Finds the marks; boxes have a side of `side` pixels.

    Attributes:
        most: of each joint, those nearest to the frame's middle; all if None.
    """

    side: float = 30.0
    most: int | None = None
    bundle: SimpleNamespace = field(default_factory=lambda: _bundle("joint-detector"))

    def detect(self, pixels, frame=None, *, square=None, threshold=None) -> list[FoundJoint]:
        rows, columns = pixels.shape
        aim = (np.array(frame.centre) + 1) / 2 * (columns, rows)
        found = []
        for joint in Joint:
            places = np.argwhere(pixels == code(joint))[:, ::-1] + 0.5
            near = places[np.argsort(np.hypot(*(places - aim).T))]
            found += [self._joint(joint, place, (columns, rows)) for place in near[: self.most]]
        return found

    def _joint(self, joint: Joint, place: NDArray[np.float64], size: tuple[int, int]) -> FoundJoint:
        low, high = np.clip(place - self.side / 2, 0, size), np.clip(place + self.side / 2, 0, size)
        box = Box(*low.tolist(), *(high - low).tolist())
        return FoundJoint(bone_class_of(joint).value, 0.9, box, (float(place[0]), float(place[1])))


@dataclass
class KnownGrader:
    """Gives known grades, with the rest of the probability on grade 0; keeps the pictures that it was given.

    Attributes:
        grades: by joint.
        confidence: of each grade.
    """

    grades: dict[str, int]
    confidence: float = 1.0
    confirm_below: float | None = 0.5
    interval_widening: float = 1.0
    bundle: SimpleNamespace = field(default_factory=lambda: _bundle("joint-grades"))
    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def cut(self, pixels, box: Box) -> NDArray[np.float32]:
        x, y = middle(box)
        return np.array([pixels[y, x]])

    def grade(self, pictures, joints: Sequence[str]) -> list[GradeAnswer]:
        self.pictures = dict(zip(joints, pictures, strict=True))
        return [self._answer(joint) for joint in joints]

    def _answer(self, joint: str) -> GradeAnswer:
        shares = np.zeros(CATEGORIES[category_of(joint)] + 1)
        shares[0] = 1 - self.confidence
        shares[self.grades[joint]] += self.confidence
        return GradeAnswer(joint, category_of(joint), shares)


@dataclass
class TrueOutlines:
    """Gives the outlines that the film was drawn with, however it is turned."""

    drawn: Phantom
    film: Radiograph
    bundle: SimpleNamespace = field(default_factory=lambda: _bundle("outlines"))

    def outline(self, pixels, boxes) -> list[Outlined]:
        labels = next(
            turned(self.drawn.outlines)
            for turned in _TURNS
            if turned(self.film.pixels).shape == pixels.shape and np.array_equal(turned(self.film.pixels), pixels)
        )
        sure = np.stack([labels == kind for kind in range(3)]).astype(np.float32)
        return [Outlined(sure, Fitted(np.zeros((1, 1), np.uint8), (1.0, 1.0), (0.0, 0.0))) for _ in boxes]


_TURNS = tuple(
    lambda values, turns=turns, step=step: np.rot90(values, turns)[:, ::step] for turns in range(4) for step in (1, -1)
)
