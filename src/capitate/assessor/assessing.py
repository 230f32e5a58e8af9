"""From a film to an assessment: the page a newcomer reads first.

Read the file, find the hand, read its joints, cut the view, run the bone-age network, score the joints, and say what
was not assessed. Each step is a module beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from os import PathLike
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.assessment import Assessment, BoneAge, ModelReference, Quality, Source, Subject
from capitate.assessor.bone_age import Answers, answers, bone_age_of, explained_answers, member_findings
from capitate.assessor.clock import Clock
from capitate.assessor.hand_on_film import HandOnFilm, find_hand, hand_findings, hand_of
from capitate.assessor.joint_findings import side_findings
from capitate.assessor.joint_models import RELEASED, JointModels
from capitate.assessor.joint_reader import JointReader, JointReading
from capitate.assessor.maps import MapsOfFilm, no_map
from capitate.assessor.refusing import JOINT_PARTS, NOT_YET, no_hand, not_assessed, refusal
from capitate.assessor.request import Request, subject_of
from capitate.assessor.scores import Scores, score_joints
from capitate.assessor.screen_reader import ScreenReader, ScreenReading
from capitate.errors import FilmError, NoMapError
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import BoneAgeModel, OnFilm
from capitate.runtime.bundle import load_bundle
from capitate.runtime.locator import HandLocator
from capitate.types import Finding, Sex, Side

__all__ = ["Assessed", "Assessor", "assess"]


@dataclass(frozen=True, eq=False)
class Assessed:
    """An assessment, the film it is of, and maps of what its answers rest on.

    Attributes:
        assessment: the result.
        radiograph: the film, polarity resolved; None if it could not be read.
        maps: by `bone_age` and `grades`, as far as they were asked for and can be made. The assessment names files of
            maps once a report has written them.
    """

    assessment: Assessment
    radiograph: Radiograph | None
    maps: Mapping[str, ActivationMap] = field(default_factory=dict)


class Assessor:
    """Keeps the models loaded and assesses one film after another; safe to share between threads."""

    def __init__(
        self,
        *,
        model: str | BoneAgeModel = "bone-age",
        joints: bool | JointModels | JointReader = True,
        maps: bool = False,
        screen: ScreenReader | None = None,
        threads: int | None = None,
        member: int | None = None,
    ) -> None:
        """Load the models.

        Args:
            model: name of a bone-age bundle, or a folder that holds one; or a model that is loaded already.
            joints: whether joints are read, by the released bundles as far as they are installed; or other bundles, or
                a reader that is loaded already. False spares the time where the bone age alone is wanted.
            maps: whether what the answers rest on is mapped, in the same pass of the networks.
            screen: the abnormality screen, which runs only where it is given.
            threads: for one network; those of the machine, at most 4, if None.
            member: use only what held out this fold (out-of-fold evaluation).

        Raises:
            BundleError: if weights cannot be used.
        """
        self.locator = HandLocator(threads=threads)
        if isinstance(model, str):
            model = BoneAgeModel(load_bundle(model), threads=threads, member=member)
        self.bone_age, self.maps = model, maps
        self.joints, self._no_joints = _joint_reader(joints, threads=threads)
        self.screen = screen

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""
        read = () if self.joints is None else self.joints.references
        screened = () if self.screen is None else self.screen.references
        return (self.bone_age.reference, self.locator.bundle.reference, *read, *screened)

    def assess(
        self,
        source: str | PathLike[str] | bytes,
        *,
        name: str | None = None,
        request: Request | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Assessed:
        """Assess a film; a film that cannot be assessed gives a refused assessment, not an exception.

        Args:
            source: path or bytes of the file.
            name: to show instead of the file's own name.
            request: what the caller knows.
            tell: called with the name of each step as it begins, such as `read` or `bone_age`.
        """
        return self.assess_each(source, name=name, requests=[request or Request()], tell=tell)[0]

    def assess_each(
        self,
        source: str | PathLike[str] | bytes,
        *,
        requests: Sequence[Request],
        name: str | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> list[Assessed]:
        """Assess one film under several requests, such as with its sex given and hidden.

        The film is read, the hand found and the view cut once, and each network is asked once, for all sexes that the
        requests need.

        Args:
            source: path or bytes of the file.
            requests: what is to be taken as known, one an assessment.
            name: to show instead of the file's own name.
            tell: called with the name of each step as it begins.
        """
        clock = Clock(tell=tell)
        try:
            with clock.step("read"):
                radiograph = files.read(source, name=name)
        except FilmError as error:
            shown = name or ("film" if isinstance(source, bytes) else str(source))
            return [Assessed(refusal(shown, error, request=request), None) for request in requests]
        return self._assess(radiograph, requests, clock)

    def assess_radiograph(self, radiograph: Radiograph, *, request: Request | None = None) -> Assessed:
        """Assess a film that is decoded already."""
        return self._assess(radiograph, [request or Request()], Clock())[0]

    def _assess(self, radiograph: Radiograph, requests: Sequence[Request], clock: Clock) -> list[Assessed]:
        """Find the hand, ask the networks once, and put together what each request gets."""
        with clock.step("locate"):
            radiograph, hand = find_hand(radiograph, self.locator)
        read = None
        if self.joints is not None:
            read = self.joints.read(radiograph, hand, locator=self.locator, clock=clock, maps=self.maps)
            hand = read.hand
        unnamed = read is not None and not read.found
        refused = [no_hand(radiograph, hand, unnamed=unnamed, request=request) for request in requests]
        if any(refused):
            return [Assessed(one, radiograph) for one in refused if one is not None]
        screened = None if self.screen is None else self.screen.read(radiograph, clock=clock, maps=self.maps)
        told = [subject_of(radiograph, request) for request in requests]
        with clock.step("bone_age"):
            views = self.bone_age.views(hand.pixels, hand.located.frame, square=hand.square)
            wanted = [(subject.sex, one.each_sex) for (subject, _), one in zip(told, requests, strict=True)]
            answered, mapped = self._ages(views, wanted, hand=hand, film=radiograph)
        assessed = []
        for (subject, remarks), (sex, each_sex) in zip(told, wanted, strict=True):
            age = bone_age_of(self.bone_age, answered, sex=sex, each_sex=each_sex)
            doubts = member_findings(answered[sex][1], self.bone_age.disagreement)
            maps = MapsOfFilm(wanted=self.maps).joined("bone_age", mapped.get(sex))
            maps = maps.joined("grades", None if read is None else read.grades_map)
            maps = maps.joined("abnormality", None if screened is None else screened.map)
            film = _Film(radiograph, hand, read, screened, clock, maps)
            assessment = self._assessment(film, subject, age, [*remarks, *doubts])
            assessed.append(Assessed(assessment, radiograph, maps.made))
        return assessed

    def _ages(
        self,
        views: NDArray[np.uint8],
        wanted: Sequence[tuple[Sex, bool]],
        *,
        hand: HandOnFilm,
        film: Radiograph,
    ) -> tuple[Answers, Mapping[Sex, ActivationMap | Finding]]:
        """Ask the bone-age networks, and map their answers where maps are wanted; a reason stands for a missing map."""
        if not self.maps:
            return answers(self.bone_age, views, wanted), {}
        rows, columns = hand.pixels.shape
        place = OnFilm(hand.located.frame, (rows, columns), left=hand.left, film=(film.height, film.width))
        try:
            return explained_answers(self.bone_age, views, wanted, hand=place)
        except NoMapError as error:
            found = no_map("the bone age", error)
            return answers(self.bone_age, views, wanted), {sex: found for sex, _ in wanted}

    def _assessment(self, film: _Film, subject: Subject, bone_age: BoneAge, remarks: Sequence[Finding]) -> Assessment:
        """Put an assessment together."""
        read, scores, screened = film.read, film.scores(subject.sex), film.screened
        missing = dict.fromkeys(JOINT_PARTS, self._no_joints) if read is None else dict(read.not_assessed)
        if screened is not None:
            missing |= screened.not_assessed
        known = () if screened is None else ("abnormality", "marks")
        side = Side.UNKNOWN if read is None else read.named.side
        findings = (
            *film.radiograph.findings,
            *remarks,
            *hand_findings(film.hand),
            *side_findings(stated=film.radiograph.side, seen=side),
            *(() if read is None else read.findings),
            *(() if scores is None else scores.findings),
            *film.maps.findings,
            *(() if screened is None else screened.findings),
            *not_assessed(
                {**{part: text for part, text in NOT_YET.items() if part not in known}, **film.maps.missing, **missing}
            ),
        )
        return Assessment(
            source=Source(film.radiograph.name, film.radiograph.sha256),
            subject=subject,
            quality=Quality(accepted=True, findings=findings),
            hand=hand_of(film.radiograph, film.hand, joints_say=side),
            bone_age=bone_age,
            joints=None if scores is None else scores.joints,
            carpals=None if read is None else read.carpals,
            methods=None if scores is None else scores.methods,
            abnormality=None if screened is None else screened.abnormality,
            marks=None if screened is None else screened.marks,
            models=self.models,
            timings_ms=dict(film.clock.steps),
        )


@dataclass(frozen=True, eq=False)
class _Film:
    """What is known of a film whatever the request."""

    radiograph: Radiograph
    hand: HandOnFilm
    read: JointReading | None
    screened: ScreenReading | None
    clock: Clock
    maps: MapsOfFilm

    def scores(self, sex: Sex) -> Scores | None:
        """Score the joints for a sex."""
        if self.read is None:
            return None
        with self.clock.step("scores"):
            return score_joints(self.read.joints, sex=sex, widening=self.read.interval_widening)


def _joint_reader(wanted: bool | JointModels | JointReader, *, threads: int | None) -> tuple[JointReader | None, str]:
    """Load the models of joints; returns them, and what is said where joints are not read."""
    if isinstance(wanted, JointReader):
        return wanted, ""
    if wanted is False:
        return None, "Joints were not asked for."
    models = wanted if isinstance(wanted, JointModels) else RELEASED
    return JointReader.load(models, threads=threads), f"Joints are not read: {models.absent('detector')}"


@overload
def assess(
    source: str | PathLike[str] | bytes,
    *,
    sex: str | Sex | None = None,
    age_years: float | None = None,
    birth_date: date | None = None,
    study_date: date | None = None,
    model: str = "bone-age",
    joints: bool = True,
    maps: Literal[False] = False,
) -> Assessment: ...


@overload
def assess(
    source: str | PathLike[str] | bytes,
    *,
    sex: str | Sex | None = None,
    age_years: float | None = None,
    birth_date: date | None = None,
    study_date: date | None = None,
    model: str = "bone-age",
    joints: bool = True,
    maps: Literal[True],
) -> Assessed: ...


def assess(
    source: str | PathLike[str] | bytes,
    *,
    sex: str | Sex | None = None,
    age_years: float | None = None,
    birth_date: date | None = None,
    study_date: date | None = None,
    model: str = "bone-age",
    joints: bool = True,
    maps: bool = False,
) -> Assessment | Assessed:
    """Assess one film and give the result; loads the models anew, so keep an `Assessor` for many films.

    Args:
        source: path or bytes of a PNG, JPEG, TIFF, WebP or DICOM file.
        sex: `female`, `male` or `unknown`; None takes it from a DICOM file, or unknown.
        age_years: chronological age; None takes it from the dates.
        birth_date: of the child.
        study_date: of the film.
        model: bundle name or folder.
        joints: whether joints are read, where their models are installed.
        maps: whether what the answers rest on is mapped; maps are arrays beside an assessment, so that the result is
            then an `Assessed`, with the assessment, the film and its maps.

    Raises:
        FilmError: if the film cannot be assessed.
        BundleError: if the weights cannot be used.
    """
    request = Request(
        sex=None if sex is None else Sex(sex),
        chronological_age_months=None if age_years is None else age_years * 12,
        birth_date=birth_date,
        study_date=study_date,
    )
    radiograph = files.read(source)
    assessed = Assessor(model=model, joints=joints, maps=maps).assess_radiograph(radiograph, request=request)
    return assessed if maps else assessed.assessment
