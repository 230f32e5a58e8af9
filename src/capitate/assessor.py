"""From a film to an assessment: the page a newcomer reads first.

Read the file, squash it, find the hand, cut the view, run the bone-age network, calibrate, and say what was not
assessed. Nothing else in Capitate brings models and geometry together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.assessment import (
    Assessment,
    BoneAge,
    Distribution,
    Hand,
    ModelReference,
    Quality,
    Refusal,
    SexBoneAge,
    Source,
    Subject,
)
from capitate.errors import CapitateError, FilmError, NoHandError
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.bundle import load_bundle
from capitate.runtime.calibration import quantile
from capitate.runtime.ensemble import Disagreement
from capitate.runtime.locator import HandLocator, Located
from capitate.runtime.views import HandFrame, squash
from capitate.types import Box, Finding, Interval, Severity, Sex, age_text

__all__ = ["Assessed", "Assessor", "Request", "assess", "refusal"]

STANDARD = "Greulich-Pyle"
UNCERTAIN_HAND = 0.15
"""Disagreement of the locator with itself, in hand lengths, above which a film is warned about:
0.2 % of 12,611 hands."""
NO_HAND = 0.45
"""Disagreement above which a film is refused: none of 12,611 hands, whose
largest is 0.34; see docs/bone-age-model.md."""
_MONTH_DAYS = 365.25 / 12
_TO_SKIN = (0.12, 0.15, 0.12, 0.22)
"""Margins left, above, right and below the frame through the outer joints that take in finger ends, thumb and wrist, in
shares of its width and height: medians over the hand boxes of 568 labelled hands, both sides averaged."""
_NOT_YET = {
    "reference": "No reference population is built in yet, so the bone age is not compared with one.",
    "joints": "Joints are not read yet.",
    "carpals": "Carpal bones are not read yet.",
    "marks": "Marks of possible fractures are not made.",
    "maps": "Heat maps are not made yet.",
    "methods": "RUS-CHN and TW3 need graded joints, which are not read yet.",
    "abnormality": "The abnormality screen was not run.",
    "adult_height": "Adult height is not predicted.",
}


@dataclass(frozen=True)
class Request:
    """What the caller knows about a film.

    Attributes:
        sex: as given; None leaves it to the file.
        sex_source: `given` or `table`.
        chronological_age_months: as given; None leaves it to the dates.
        birth_date: as given; None leaves it to the file.
        study_date: as given; None leaves it to the file.
        each_sex: whether the ages under either sex are wanted too where the sex is unknown.
    """

    sex: Sex | None = None
    sex_source: str = "given"
    chronological_age_months: float | None = None
    birth_date: date | None = None
    study_date: date | None = None
    each_sex: bool = True


@dataclass(frozen=True, eq=False)
class Assessed:
    """An assessment and the film it is of, polarity resolved; the film is None if it could not be read."""

    assessment: Assessment
    radiograph: Radiograph | None


@dataclass
class _Clock:
    """Milliseconds by step."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        began = time.perf_counter()
        yield
        self.steps[name] = round((time.perf_counter() - began) * 1000, 2)


class Assessor:
    """Keeps the models loaded and assesses one film after another; safe to share between threads."""

    def __init__(
        self, *, model: str | BoneAgeModel = "bone-age", threads: int | None = None, member: int | None = None
    ) -> None:
        """Load the models.

        Args:
            model: name of a bone-age bundle, or a folder that holds one; or a model that is loaded already.
            threads: for one network; those of the machine, at most 4, if None.
            member: use only what held out this fold (out-of-fold evaluation).
        """
        self.locator = HandLocator(threads=threads)
        if isinstance(model, str):
            model = BoneAgeModel(load_bundle(model), threads=threads, member=member)
        self.bone_age = model

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""
        return (self.bone_age.reference, self.locator.bundle.reference)

    def assess(
        self, source: str | PathLike[str] | bytes, *, name: str | None = None, request: Request | None = None
    ) -> Assessed:
        """Assess a film; a film that cannot be assessed gives a refused assessment, not an exception.

        Args:
            source: path or bytes of the file.
            name: to show instead of the file's own name.
            request: what the caller knows.
        """
        return self.assess_each(source, name=name, requests=[request or Request()])[0]

    def assess_each(
        self, source: str | PathLike[str] | bytes, *, requests: Sequence[Request], name: str | None = None
    ) -> list[Assessed]:
        """Assess one film under several requests, such as with its sex given and hidden.

        The film is read, the hand found and the view cut once, and each network is asked once, for all sexes that the
        requests need.

        Args:
            source: path or bytes of the file.
            requests: what is to be taken as known, one an assessment.
            name: to show instead of the file's own name.
        """
        clock = _Clock()
        try:
            with clock.step("read"):
                radiograph = files.read(source, name=name)
        except FilmError as error:
            shown = name or ("film" if isinstance(source, bytes) else str(source))
            return [Assessed(refusal(shown, error, request=request), None) for request in requests]
        return self._assess(radiograph, requests, clock)

    def assess_radiograph(self, radiograph: Radiograph, *, request: Request | None = None) -> Assessed:
        """Assess a film that is decoded already."""
        return self._assess(radiograph, [request or Request()], _Clock())[0]

    def _assess(self, radiograph: Radiograph, requests: Sequence[Request], clock: _Clock) -> list[Assessed]:
        """Find the hand, ask the networks once, and put together what each request gets."""
        with clock.step("locate"):
            square = squash(radiograph.pixels)
            located = self.locator.locate(square)
            if located.negated:
                radiograph, square = radiograph.negated(), np.float32(1) - square
        if located.disagreement > NO_HAND:
            return [Assessed(_no_hand(radiograph, request, located), radiograph) for request in requests]
        told = [(_subject(radiograph, request), request.each_sex) for request in requests]
        with clock.step("bone_age"):
            views = self.bone_age.views(radiograph.pixels, located.frame, square=square)
            answers = self._answers(views, [_sexes(one.sex, each_sex=each) for (one, _), each in told])
            found = [self._bone_age(answers, one.sex, each_sex=each) for (one, _), each in told]
        return [
            Assessed(self._assessment(radiograph, located, known, one, clock), radiograph)
            for (known, _), one in zip(told, found, strict=True)
        ]

    def _assessment(
        self,
        radiograph: Radiograph,
        located: Located,
        known: tuple[Subject, list[Finding]],
        found: tuple[BoneAge, float],
        clock: _Clock,
    ) -> Assessment:
        """Put an assessment together."""
        (subject, remarks), (bone_age, scatter) = known, found
        doubts = (*_hand_findings(located), *_member_findings(scatter, self.bone_age.disagreement))
        findings = (*radiograph.findings, *remarks, *doubts, *_not_assessed())
        return Assessment(
            source=Source(radiograph.name, radiograph.sha256),
            subject=subject,
            quality=Quality(accepted=True, findings=findings),
            hand=_hand(radiograph, located.frame),
            bone_age=bone_age,
            models=self.models,
            timings_ms=dict(clock.steps),
        )

    def _answers(
        self, views: NDArray[np.uint8], wanted: Sequence[Sequence[Sex]]
    ) -> dict[Sex, tuple[NDArray[np.float32], float]]:
        """Ask the networks once: by sex, the distribution and how far the networks scatter."""
        sexes = list(dict.fromkeys(sex for some in wanted for sex in some))
        answer = self.bone_age.answer(np.repeat(views[None], len(sexes), axis=0), sexes)
        pairs = zip(answer.probabilities, answer.scatter.tolist(), strict=True)
        return dict(zip(sexes, pairs, strict=True))

    def _bone_age(
        self, answers: Mapping[Sex, tuple[NDArray[np.float32], float]], sex: Sex, *, each_sex: bool
    ) -> tuple[BoneAge, float]:
        """Read the answer for the sex, and for both sexes where it is unknown; tell how far the networks scatter."""
        each = {one: self._read(answers[one][0], one) for one in _sexes(sex, each_sex=each_sex)}
        main = each.pop(sex)
        if each and all(one.mature for one in each.values()):
            main = _mature(min(one.months for one in each.values()), main.interval)
        row, scatter = answers[sex]
        row = row.astype(np.float64)
        bone_age = BoneAge(
            months=main.months,
            text=main.text,
            standard=STANDARD,
            mature=main.mature,
            interval=main.interval,
            distribution=Distribution(0.0, 1.0, tuple(float(p) for p in row / row.sum())),
            by_sex=each or None,
        )
        return bone_age, scatter

    def _read(self, row: NDArray[np.float32], sex: Sex) -> SexBoneAge:
        """Turn one distribution into point, interval and words."""
        calibration = self.bone_age.calibration
        interval = calibration.interval(row, sex)
        if calibration.is_mature(row, sex):
            return _mature(calibration.mature_months[sex], interval)
        months = float(quantile(row[None], 0.5)[0])
        return SexBoneAge(months, age_text(months), False, interval)


def _sexes(sex: Sex, *, each_sex: bool) -> list[Sex]:
    """List the sexes that the networks are asked for: the child's, and both where it is unknown and they are wanted."""
    return [sex, Sex.FEMALE, Sex.MALE] if sex is Sex.UNKNOWN and each_sex else [sex]


def _mature(at_least: float, interval: Interval) -> SexBoneAge:
    """Report maturity with its lower bound in place of a point."""
    text = age_text(at_least).partition(" (")[0]
    return SexBoneAge(at_least, f"mature (at least {text})", True, interval)


def assess(
    source: str | PathLike[str] | bytes,
    *,
    sex: str | Sex | None = None,
    age_years: float | None = None,
    birth_date: date | None = None,
    study_date: date | None = None,
    model: str = "bone-age",
) -> Assessment:
    """Assess one film and give the result; loads the models anew, so keep an `Assessor` for many films.

    Args:
        source: path or bytes of a PNG, JPEG, TIFF, WebP or DICOM file.
        sex: `female`, `male` or `unknown`; None takes it from a DICOM file, or unknown.
        age_years: chronological age; None takes it from the dates.
        birth_date: of the child.
        study_date: of the film.
        model: bundle name or folder.

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
    return Assessor(model=model).assess_radiograph(radiograph, request=request).assessment


def refusal(name: str, error: CapitateError, *, request: Request | None = None) -> Assessment:
    """Make the assessment of a film that was refused."""
    request = request or Request()
    sex = request.sex or Sex.UNKNOWN
    finding = Finding(error.code, Severity.REFUSAL, str(error))
    return Assessment(
        source=Source(name.replace("\\", "/").rsplit("/", 1)[-1] or name, None),
        subject=Subject(sex, request.sex_source if request.sex else "none", request.chronological_age_months),
        quality=Quality(accepted=False, findings=(finding, *_not_assessed("The film was refused."))),
        error=Refusal(error.code, str(error)),
    )


def _subject(radiograph: Radiograph, request: Request) -> tuple[Subject, list[Finding]]:
    """Bring together what the caller and the file say about the child; a contradiction is a finding."""
    findings = []
    stated = radiograph.sex
    if request.sex is not None:
        sex, origin = request.sex, request.sex_source
        if Sex.UNKNOWN not in (sex, stated) and sex is not stated:
            message = f"The file says {stated}, the request says {sex}; the request was followed."
            findings.append(Finding("sex_contradiction", Severity.WARNING, message))
        elif sex is Sex.UNKNOWN and stated is not Sex.UNKNOWN and request.sex_source == "given":
            message = f"The file says {stated}; unknown was asked for and used."
            findings.append(Finding("sex_not_used", Severity.INFO, message))
    else:
        sex, origin = stated, "dicom" if stated is not Sex.UNKNOWN else "none"
    age, remark = _chronological_age(radiograph, request)
    return Subject(sex, origin, age), findings + ([remark] if remark else [])


def _chronological_age(radiograph: Radiograph, request: Request) -> tuple[float | None, Finding | None]:
    """Give the age in months: as given, or study date minus birth date."""
    born = request.birth_date or radiograph.birth_date
    taken = request.study_date or radiograph.study_date
    from_dates = (taken - born).days / _MONTH_DAYS if born and taken else None
    if from_dates is not None and not 0 <= from_dates <= 1440:
        message = "The study date lies before the birth date or more than 120 years after it; no age was derived."
        return request.chronological_age_months, Finding("dates_implausible", Severity.WARNING, message)
    if request.chronological_age_months is None:
        return from_dates, None
    if from_dates is not None and abs(from_dates - request.chronological_age_months) > 1.5:
        message = (
            f"The age given is {request.chronological_age_months:.1f} months, the dates say {from_dates:.1f}; "
            "the age given was followed."
        )
        return request.chronological_age_months, Finding("age_contradiction", Severity.WARNING, message)
    return request.chronological_age_months, None


def _hand(radiograph: Radiograph, frame: HandFrame) -> Hand:
    """Express the frame, widened from the outer joints to skin and wrist, in film pixels."""
    size = np.array([radiograph.width, radiograph.height]) / 2
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    left, top, right, bottom = _TO_SKIN
    corners = [c + i * r + j * d for i in (-1 - 2 * left, 1 + 2 * right) for j in (-1 - 2 * top, 1 + 2 * bottom)]
    places = (np.array(corners) + 1) * size
    low = np.clip(places.min(axis=0), 0, 2 * size)
    high = np.clip(places.max(axis=0), 0, 2 * size)
    down = d * size
    turn = float(np.degrees(np.arctan2(-down[0], down[1])))
    box = Box(*(round(float(v), 1) for v in (*low, *(high - low))))
    return Hand(radiograph.side, round(turn, 1), box)


def _hand_findings(located: Located) -> list[Finding]:
    """Warn where the hand was not found with confidence."""
    if located.disagreement <= UNCERTAIN_HAND and not located.strayed:
        return []
    message = "No single whole hand was found with confidence; the bone age may be meaningless."
    return [Finding("hand_uncertain", Severity.WARNING, message)]


def _member_findings(scatter: float, rule: Disagreement | None) -> list[Finding]:
    """Warn where the networks of an ensemble scatter more than the card's rule allows."""
    if rule is None or not scatter >= rule.months:
        return []
    message = (
        f"The model's networks disagree: their bone ages scatter by {scatter:.1f} months, and {rule.months:.1f} or "
        f"more is reached on {100 * rule.share:.0f} % of films; read this bone age with care."
    )
    return [Finding("members_disagree", Severity.WARNING, message)]


def _no_hand(radiograph: Radiograph, request: Request, located: Located) -> Assessment:
    """Refuse a film on which the locator contradicts itself as it does where there is no hand."""
    error = NoHandError(
        f"no single whole hand was found: the hand's place differs by {located.disagreement:.2f} hand lengths between "
        f"the film and its mirror image, more than {NO_HAND}; give a film of one hand, fingers and wrist included"
    )
    refused = refusal(radiograph.name, error, request=request)
    return replace(refused, source=Source(radiograph.name, radiograph.sha256))


def _not_assessed(why: str | None = None) -> list[Finding]:
    """Say for every part of an assessment that is null why it is so."""
    parts: Mapping[str, str] = _NOT_YET if why is None else dict.fromkeys((*_NOT_YET, "hand", "bone_age"), why)
    return [Finding(f"{part}_not_assessed", Severity.INFO, text) for part, text in parts.items()]


def with_findings(assessment: Assessment, *findings: Finding) -> Assessment:
    """Return the assessment with further findings."""
    quality = replace(assessment.quality, findings=(*assessment.quality.findings, *findings))
    return replace(assessment, quality=quality)
