"""Reading the joints of a film: detect, name, outline, grade. Scores follow in `scores`, where the sex is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessed_joints import AssessedJoint, Carpals, Epiphysis, GradeReading
from capitate.assessment import ModelReference
from capitate.assessor.clock import Clock
from capitate.assessor.hand_on_film import HandOnFilm
from capitate.assessor.joint_findings import cut_box_findings, missing_joint, naming_findings, remark_of
from capitate.assessor.joint_models import RELEASED, JointModels
from capitate.assessor.joint_outlines import OutlinesBones, outline_hand
from capitate.assessor.looking import FindsJoints, as_detection, look_for_joints
from capitate.assessor.maps import no_map
from capitate.assessor.scores import graded_names
from capitate.assessor.second_hand import Chosen, choose_hand
from capitate.assessor.upright import Upright
from capitate.errors import NoMapError
from capitate.explain import ActivationMap, joined
from capitate.hand import Detection, NamedHand, NamedJoint
from capitate.radiograph import Radiograph
from capitate.runtime.bundle import Bundle
from capitate.runtime.joint_boxes import JointDetector
from capitate.runtime.joint_grades import GradeAnswer, JointGrader
from capitate.runtime.locator import HandLocator
from capitate.runtime.outlines import Outliner
from capitate.types import Box, Finding

__all__ = ["GradesJoints", "JointReader", "JointReading"]

Pixels = NDArray[np.float32]


class GradesJoints(Protocol):
    """What grades joints, such as `JointGrader`."""

    bundle: Bundle
    confirm_below: float | None
    interval_widening: float

    def cut(self, pixels: Pixels, box: Box) -> NDArray[np.uint8]:
        """Cut a joint from an upright left hand's film."""

    def grade(self, pictures: NDArray[np.uint8], joints: Sequence[str]) -> list[GradeAnswer]:
        """Grade joints."""

    def explained(
        self, pixels: Pixels, boxes: Sequence[Box], joints: Sequence[str]
    ) -> tuple[list[GradeAnswer], list[ActivationMap]]:
        """Grade joints and map what each grade rests on."""


@dataclass(frozen=True, eq=False)
class JointReading:
    """What was read of a film's joints, whatever the sex.

    Attributes:
        hand: where it was read; the part of a film that shows two hands.
        named: the named hand; nothing in it is named where no hand was found.
        joints: all 21, without scores.
        carpals: None where they were not outlined.
        findings: remarks.
        not_assessed: by part of the assessment, why it is missing.
        interval_widening: factor on the intervals of scores, as the grader's card states it.
        grades_map: what the grades together rest on, or why there is no map; None where none was asked for.
    """

    hand: HandOnFilm
    named: NamedHand
    joints: tuple[AssessedJoint, ...]
    carpals: Carpals | None
    findings: tuple[Finding, ...]
    not_assessed: dict[str, str]
    interval_widening: float = 1.0
    grades_map: ActivationMap | Finding | None = None

    @property
    def found(self) -> bool:
        """Whether joints were named."""
        return self.named.box is not None


class JointReader:
    """The models of joints, loaded once; safe to share between threads.

    Attributes:
        detector: finds joints.
        outliner: outlines them, None if its bundle is not installed.
        grader: grades them, None if its bundle is not installed.
        models: the names that the bundles were asked for by.
    """

    def __init__(
        self,
        detector: FindsJoints,
        *,
        outliner: OutlinesBones | None = None,
        grader: GradesJoints | None = None,
        models: JointModels = RELEASED,
    ) -> None:
        """Keep models that are loaded."""
        self.detector, self.outliner, self.grader, self.models = detector, outliner, grader, models

    @classmethod
    def load(cls, models: JointModels = RELEASED, *, threads: int | None = None) -> JointReader | None:
        """Load the bundles that are installed; None without a detector, without which nothing is read.

        Raises:
            BundleError: if a bundle that was named is not there, or one was changed.
            UsageError: if a bundle is of another task.
        """
        detector = models.load("detector")
        if detector is None:
            return None
        outlines, grades = models.load("outlines"), models.load("grades")
        return cls(
            JointDetector(detector, threads=threads),
            outliner=None if outlines is None else Outliner(outlines, threads=threads),
            grader=None if grades is None else JointGrader(grades, threads=threads),
            models=models,
        )

    @property
    def references(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""
        parts = (self.detector, self.outliner, self.grader)
        return tuple(one.bundle.reference for one in parts if one is not None)

    def read(
        self, film: Radiograph, hand: HandOnFilm, *, locator: HandLocator, clock: Clock, maps: bool = False
    ) -> JointReading:
        """Read the joints of one hand.

        Args:
            film: polarity resolved.
            hand: as the locator found it on the whole film.
            locator: looks at parts of the film where it may show a second hand.
            clock: for the steps `joints`, `outlines` and `grades`.
            maps: whether what the grades rest on is mapped too.
        """
        with clock.step("joints"):
            chosen = choose_hand(film.pixels, hand, locator=locator, detect=self._detected)
        named, shape = chosen.named, (film.height, film.width)
        boxes = {one.joint.value: _on_film(one.box, shape) for one in named.joints if one.box is not None}
        upright = Upright.of(named, shape=shape)
        outlined = None
        if self.outliner is not None and named.box is not None:
            with clock.step("outlines"):
                outlined = outline_hand(self.outliner, film.pixels, hand=named, upright=upright)
        epiphyses = {} if outlined is None else outlined.epiphyses
        with clock.step("grades"):
            grades, grades_map = self._grades(film.pixels, boxes, upright=upright, maps=maps)
        return JointReading(
            hand=chosen.hand,
            named=named,
            joints=tuple(_assessed(one, boxes, grades, epiphyses) for one in named.joints),
            carpals=None if outlined is None else outlined.carpals,
            findings=(*chosen.findings, *_findings(chosen, shape)),
            not_assessed=self._not_assessed(named),
            interval_widening=1.0 if self.grader is None else self.grader.interval_widening,
            grades_map=grades_map,
        )

    def _detected(self, hand: HandOnFilm) -> list[Detection]:
        """Find the joints of a hand; boxes in pixels of the whole film, not clipped to it."""
        found = look_for_joints(self.detector, hand.pixels, hand.located.frame, square=hand.square)
        each = [as_detection(one) for one in found if min(one.box.width, one.box.height) >= 1]
        return [replace(one, box=replace(one.box, x=one.box.x + hand.left)) for one in each]

    def _grades(
        self, pixels: Pixels, boxes: dict[str, Box], *, upright: Upright, maps: bool
    ) -> tuple[dict[str, GradeReading], ActivationMap | Finding | None]:
        """Grade the 13 joints as far as they have boxes, all in one run of the network; map the grades if wanted."""
        graded = graded_names()
        names = [name for name in boxes if name in graded]
        if self.grader is None or not names:
            return {}, None
        turned, places = upright.film(pixels), [upright.box(boxes[name]) for name in names]
        answers: list[GradeAnswer] | None = None
        found: ActivationMap | Finding | None = None
        if maps:
            try:
                answers, mapped = self.grader.explained(turned, places, names)
                found = joined([upright.map_back(one) for one in mapped], upright.shape)
            except NoMapError as error:
                found = no_map("the grades", error)
        if answers is None:
            answers = self.grader.grade(np.stack([self.grader.cut(turned, place) for place in places]), names)
        least = self.grader.confirm_below
        return {one.joint: _reading(one, confirm_below=least) for one in answers}, found

    def _not_assessed(self, named: NamedHand) -> dict[str, str]:
        """Say why parts of the assessment are missing."""
        if named.box is None:
            return dict.fromkeys(("carpals", "methods"), "No joint could be named on the film.")
        parts = {}
        if self.outliner is None:
            parts["carpals"] = f"Carpal bones and epiphyses are not outlined: {self.models.absent('outlines')}"
        if self.grader is None:
            told = f"RUS-CHN and TW3 need graded joints: {self.models.absent('grades')}"
            parts["methods"] = f"{told} A reader's grades can be given with capitate rescore."
        return parts


def _on_film(box: Box, shape: tuple[int, int]) -> Box:
    """Clip a box to the film, with the one decimal that assessments are written with."""
    rows, columns = shape
    low = np.round(np.clip([box.x, box.y], 0, [columns, rows]), 1)
    high = np.round(np.clip([box.x + box.width, box.y + box.height], 0, [columns, rows]), 1)
    (x, y), (wide, tall) = low.tolist(), np.round(high - low, 1).tolist()
    return Box(x, y, wide, tall)


def _reading(answer: GradeAnswer, *, confirm_below: float | None) -> GradeReading:
    """Put a grader's answer; without a confidence to ask for, every grade is to be confirmed."""
    return GradeReading(
        value=answer.grade,
        probabilities=tuple(float(share) for share in answer.probabilities),
        confidence=answer.confidence,
        machine_value=answer.grade,
        corrected_by=None,
        suggestion=confirm_below is None or answer.confidence < confirm_below,
    )


def _assessed(
    one: NamedJoint, boxes: dict[str, Box], grades: dict[str, GradeReading], epiphyses: dict[str, Epiphysis]
) -> AssessedJoint:
    """Put one joint together."""
    name = one.joint.value
    if one.detection is None:
        return missing_joint(one)
    return AssessedJoint(
        name=name,
        box=boxes[name],
        status=one.status.value,
        detection=one.detection.score,
        remark=remark_of(one),
        grade=grades.get(name),
        score=None,
        epiphysis=epiphyses.get(name),
    )


def _findings(chosen: Chosen, shape: tuple[int, int]) -> list[Finding]:
    """Tell what is remarkable about the named hand."""
    boxes = [(one.joint.value, one.box) for one in chosen.named.joints if one.box is not None]
    return [*naming_findings(chosen.named), *cut_box_findings(boxes, shape=shape)]
