"""From film to assessment: sex and dates, maturity, refusal, and what is said about each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from capitate import assess
from capitate.assessor import NO_HAND, UNCERTAIN_HAND, Assessor, Request
from capitate.errors import FilmError
from capitate.phantom import draw
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import Answer
from capitate.types import Severity, Sex, age_text

BORN, TAKEN = date(2006, 11, 30), date(2017, 5, 31)
MONTHS = (TAKEN - BORN).days / (365.25 / 12)


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(model="bone-age-small", joints=False, threads=1)


@pytest.fixture(scope="module")
def film() -> Radiograph:
    """A girl's film whose file does not say so."""
    drawn = draw(age_months=126, sex=Sex.FEMALE, height=420, seed=1).radiograph
    return replace(drawn, sex=Sex.UNKNOWN)


def codes(assessment) -> set[str]:
    return {finding.code for finding in assessment.quality.findings}


def months_of(assessor: Assessor, monkeypatch: pytest.MonkeyPatch, **months: int) -> None:
    """Let the network be sure of a month, by sex."""

    def answer(views, sexes):
        rows = np.zeros((len(sexes), 240), dtype=np.float32)
        rows[range(len(sexes)), [months[str(sex)] for sex in sexes]] = 1
        return Answer(rows, np.full(len(sexes), np.nan))

    monkeypatch.setattr(assessor.bone_age, "answer", answer)


@pytest.fixture
def located(assessor, film, monkeypatch):
    """Let the locator contradict itself by so much."""
    locate = assessor.locator.locate

    def disagree(by: float) -> None:
        monkeypatch.setattr(assessor.locator, "locate", lambda square: replace(locate(square), disagreement=by))

    return disagree


def test_a_lost_hand_is_warned_about(assessor, film, monkeypatch):
    locate = assessor.locator.locate
    monkeypatch.setattr(assessor.locator, "locate", lambda square: replace(locate(square), strayed=True))
    found = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment
    assert [f.severity for f in found.quality.findings if f.code == "hand_uncertain"] == [Severity.WARNING]
    assert found.bone_age is not None


def test_point_interval_and_distribution_belong_together(assessor, film):
    found = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment
    age = found.bone_age
    assert age.interval.low < age.months < age.interval.high
    assert age.interval.level == 0.9
    below = np.cumsum(age.distribution.probabilities)
    assert below[-1] == pytest.approx(1)
    middle = int(np.searchsorted(below, 0.5))
    assert abs(age.months - middle) <= 0.5
    assert age.by_sex is None
    assert found.quality.accepted
    assert {model.name for model in found.models} == {"bone-age-small", "hand-locator"}
    assert set(found.timings_ms) == {"locate", "bone_age"}


def test_a_contradicting_sex_is_followed_and_said(assessor, film):
    boys = replace(film, sex=Sex.MALE)
    told = assessor.assess_radiograph(boys, request=Request(sex=Sex.FEMALE)).assessment
    assert (told.subject.sex, told.subject.sex_source) == (Sex.FEMALE, "given")
    assert "sex_contradiction" in codes(told)
    plain = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment
    assert "sex_contradiction" not in codes(plain)
    assert told.bone_age == plain.bone_age


def test_the_files_sex_is_used_unless_unknown_is_asked_for(assessor, film):
    boys = replace(film, sex=Sex.MALE)
    own = assessor.assess_radiograph(boys).assessment
    assert (own.subject.sex, own.subject.sex_source) == (Sex.MALE, "dicom")
    hidden = assessor.assess_radiograph(boys, request=Request(sex=Sex.UNKNOWN)).assessment
    assert hidden.subject.sex is Sex.UNKNOWN
    assert "sex_not_used" in codes(hidden)
    table = assessor.assess_radiograph(boys, request=Request(sex=Sex.UNKNOWN, sex_source="table")).assessment
    assert "sex_not_used" not in codes(table)


def test_unknown_sex_gives_both_ages(assessor, film):
    unknown = assessor.assess_radiograph(film).assessment
    assert (unknown.subject.sex, unknown.subject.sex_source) == (Sex.UNKNOWN, "none")
    assert set(unknown.bone_age.by_sex) == {Sex.FEMALE, Sex.MALE}
    for sex, one in unknown.bone_age.by_sex.items():
        given = assessor.assess_radiograph(film, request=Request(sex=sex)).assessment.bone_age
        assert one.months == pytest.approx(given.months, abs=0.01)
        assert one.text == given.text


@pytest.mark.parametrize(
    ("request_", "months", "code"),
    [
        (Request(birth_date=BORN, study_date=TAKEN), MONTHS, None),
        (Request(birth_date=BORN), None, None),
        (Request(chronological_age_months=126), 126, None),
        (Request(chronological_age_months=126, birth_date=BORN, study_date=TAKEN), 126, None),
        (Request(chronological_age_months=120, birth_date=BORN, study_date=TAKEN), 120, "age_contradiction"),
        (Request(birth_date=TAKEN, study_date=BORN), None, "dates_implausible"),
        (Request(birth_date=date(1890, 1, 1), study_date=TAKEN), None, "dates_implausible"),
    ],
)
def test_the_chronological_age_comes_from_request_and_dates(assessor, film, request_, months, code):
    found = assessor.assess_radiograph(film, request=replace(request_, sex=Sex.FEMALE)).assessment
    assert found.subject.chronological_age_months == (months if months is None else pytest.approx(months))
    about_age = {"age_contradiction", "dates_implausible"} & codes(found)
    assert about_age == (set() if code is None else {code})


def test_dates_of_the_file_serve_where_none_are_given(assessor, film):
    dated = replace(film, birth_date=BORN, study_date=TAKEN)
    found = assessor.assess_radiograph(dated, request=Request(sex=Sex.FEMALE)).assessment
    assert found.subject.chronological_age_months == pytest.approx(MONTHS)
    later = Request(sex=Sex.FEMALE, study_date=date(2018, 5, 31))
    assert assessor.assess_radiograph(
        dated, request=later
    ).assessment.subject.chronological_age_months == pytest.approx(MONTHS + 365 / (365.25 / 12))


def test_a_mature_hand_has_a_lower_bound_in_place_of_a_point(assessor, film, monkeypatch):
    months_of(assessor, monkeypatch, female=235)
    age = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment.bone_age
    bound = assessor.bone_age.calibration.mature_months[Sex.FEMALE]
    assert (age.mature, age.months) == (True, bound)
    assert age.text == f"mature (at least {age_text(bound).partition(' (')[0]})"
    months_of(assessor, monkeypatch, female=int(bound) - 1)
    age = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment.bone_age
    assert (age.mature, age.months) == (False, pytest.approx(int(bound) - 1))


def test_with_the_sex_unknown_mature_means_under_either_sex(assessor, film, monkeypatch):
    bounds = assessor.bone_age.calibration.mature_months
    months_of(assessor, monkeypatch, female=235, male=235, unknown=100)
    age = assessor.assess_radiograph(film).assessment.bone_age
    assert (age.mature, age.months) == (True, min(bounds[Sex.FEMALE], bounds[Sex.MALE]))
    months_of(assessor, monkeypatch, female=235, male=150, unknown=170)
    age = assessor.assess_radiograph(film).assessment.bone_age
    assert (age.mature, age.months) == (False, pytest.approx(170))
    assert [age.by_sex[sex].mature for sex in (Sex.FEMALE, Sex.MALE)] == [True, False]


def test_a_hand_that_differs_in_the_mirror_image_is_refused(assessor, film, located):
    located(NO_HAND + 0.01)
    found = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment
    assert (found.quality.accepted, found.error.code) == (False, "no_hand")
    assert found.bone_age is None
    assert "0.46" in found.error.message
    assert found.source.sha256 == film.sha256
    assert found.subject.sex is Sex.FEMALE


def test_a_hand_that_differs_a_little_is_warned_about(assessor, film, located):
    for by, warned in ((NO_HAND, True), (UNCERTAIN_HAND + 0.01, True), (UNCERTAIN_HAND, False)):
        located(by)
        found = assessor.assess_radiograph(film, request=Request(sex=Sex.FEMALE)).assessment
        assert found.error is None
        severities = {finding.code: finding.severity for finding in found.quality.findings}
        assert severities.get("hand_uncertain") == (Severity.WARNING if warned else None)


def test_a_negative_gives_the_films_own_age_and_says_so(assessor, film):
    negative = replace(film, pixels=np.float32(1) - film.pixels)
    request = Request(sex=Sex.FEMALE)
    plain, inverted = (assessor.assess_radiograph(one, request=request) for one in (film, negative))
    assert "negated" in codes(inverted.assessment)
    assert "negated" not in codes(plain.assessment)
    # Not to the last digit: a negative is rounded to other grey levels. Drawn films differ by up to 0.2 months.
    assert inverted.assessment.bone_age.months == pytest.approx(plain.assessment.bone_age.months, abs=0.5)
    assert inverted.radiograph.pixels == pytest.approx(film.pixels, abs=1e-6)


def test_a_file_that_cannot_be_read_is_a_refused_assessment(assessor):
    assessed = assessor.assess(b"no film", name="folder/film.png", request=Request(sex=Sex.MALE))
    assert assessed.radiograph is None
    found = assessed.assessment
    assert found.source.name == "film.png"
    assert found.error.code in codes(found)
    assert "bone_age_not_assessed" in codes(found)
    with pytest.raises(FilmError):
        assess(b"no film", model="bone-age-small")


def test_what_was_not_assessed_is_said(assessor, film):
    found = assessor.assess_radiograph(film).assessment
    for part in ("reference", "joints", "carpals", "abnormality", "adult_height"):
        assert f"{part}_not_assessed" in codes(found)
    assert "bone_age_not_assessed" not in codes(found)
