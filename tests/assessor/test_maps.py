"""Maps beside an assessment: made in the pass that answers, or a sentence that says why not."""

import numpy as np
import pytest
from PIL import Image

import capitate
from capitate.assessor import Assessed, Assessor, JointReader, Request
from capitate.errors import NoMapError
from capitate.explain import ActivationMap
from capitate.hand import Joint
from capitate.phantom import FilmLook, draw
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.bundle import load_bundle
from capitate.runtime.calibration import quantile
from capitate.types import Sex

from .stand_ins import KnownGrader, MarkDetector, marked

BASE = 100.0
PHANTOM = draw(age_months=150, sex=Sex.MALE, height=320, seed=1, look=FilmLook.clean())


class Explaining(BoneAgeModel):
    """The released model with a map that puts all on one cell; remembers where the hand lay."""

    def explained(self, views, sexes, *, hand, shown=0):
        self.hand = hand
        answer = self.answer(views, sexes)
        months = float(quantile(answer.probabilities[shown : shown + 1], 0.5)[0])
        return answer, ActivationMap(
            "bone-age", "bone_age", "months", np.full((1, 1), months - BASE, np.float32), BASE, months
        )


class Silent(BoneAgeModel):
    def explained(self, views, sexes, *, hand, shown=0):
        raise NoMapError("the networks carry no feature maps; export the bundle again")


class ExplainingGrader(KnownGrader):
    """Maps each grade onto the middle of its box."""

    def explained(self, pixels, boxes, joints):
        answers = self.grade(np.stack([self.cut(pixels, box) for box in boxes]), joints)
        each = zip(answers, boxes, strict=True)
        values = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32)
        return answers, [
            ActivationMap("joint-grades", "grade", "grades", values, one.expected - 1, one.expected, box)
            for one, box in each
        ]


@pytest.fixture(scope="module")
def told():
    """One film with maps and without, and with a model that has none."""
    film, request, bundle = marked(PHANTOM), Request(sex=Sex.MALE), load_bundle("bone-age-small")
    grades = {joint.value: 3 for joint in Joint}
    found = {}
    for name, model, grader, maps in (
        ("maps", Explaining(bundle, threads=1), ExplainingGrader(grades), True),
        ("plain", Explaining(bundle, threads=1), ExplainingGrader(grades), False),
        ("silent", Silent(bundle, threads=1), None, True),
    ):
        reader = JointReader(MarkDetector(), grader=grader)
        assessor = Assessor(model=model, joints=reader, maps=maps, threads=1)
        found[name] = (assessor.assess_radiograph(film, request=request), assessor)
    return found


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The drawn film as a file."""
    path = tmp_path_factory.mktemp("film") / "film.png"
    Image.fromarray(np.round(PHANTOM.radiograph.pixels * 255).astype(np.uint8)).save(path)
    return path


def _messages(assessed, code):
    return [one.message for one in assessed.assessment.quality.findings if one.code == code]


def test_a_map_s_answer_is_the_age_that_is_shown(told):
    assessed, assessor = told["maps"]
    one = assessed.maps["bone_age"]
    assert one.answer == pytest.approx(assessed.assessment.bone_age.months, abs=0.01)
    assert one.base + float(one.values.sum()) == pytest.approx(one.answer, abs=0.01)
    hand = assessor.bone_age.hand
    assert hand.film == (assessed.radiograph.height, assessed.radiograph.width)
    assert hand.left == 0
    assert hand.part == hand.film


def test_grades_are_joined_on_the_film_where_their_joints_are(told):
    assessed, _ = told["maps"]
    one = assessed.maps["grades"]
    assert one.box is None
    assert one.answer == pytest.approx(13 * 3)
    assert float(one.values.sum()) == pytest.approx(13, abs=0.01)
    density = one.at(assessed.radiograph.height, assessed.radiograph.width)
    radius = next(joint.box for joint in assessed.assessment.joints if joint.name == "Radius")
    middle = density[int(radius.y + radius.height / 2), int(radius.x + radius.width / 2)]
    assert middle > 0.5 * density.max()
    assert {joint.grade.value for joint in assessed.assessment.joints if joint.grade} == {3}


def test_the_answer_is_the_same_with_and_without_maps(told):
    with_maps, plain = told["maps"][0], told["plain"][0]
    assert with_maps.assessment.bone_age == plain.assessment.bone_age
    assert with_maps.assessment.joints == plain.assessment.joints
    assert plain.maps == {}
    assert _messages(plain, "maps_not_assessed") == ["Maps of what the answers rest on were not asked for."]
    assert _messages(with_maps, "maps_not_assessed") == []
    assert with_maps.assessment.maps is None, "files are named by the report that writes them"


def test_a_model_without_maps_still_answers_and_says_why(told):
    assessed = told["silent"][0]
    assert assessed.assessment.bone_age is not None
    assert assessed.maps == {}
    assert _messages(assessed, "no_map") == [
        "No map of the bone age: the networks carry no feature maps; export the bundle again"
    ]
    assert _messages(assessed, "maps_not_assessed") == _messages(assessed, "no_map")


def test_each_request_has_the_map_of_its_own_sex(film):
    assessor = Assessor(model=Explaining(load_bundle("bone-age-small"), threads=1), joints=False, maps=True, threads=1)
    girl, boy = assessor.assess_each(film, requests=[Request(sex=Sex.FEMALE), Request(sex=Sex.MALE)])
    for one in (girl, boy):
        assert one.maps["bone_age"].answer == pytest.approx(one.assessment.bone_age.months, abs=0.01)
    assert girl.maps["bone_age"].answer != boy.maps["bone_age"].answer


def test_one_film_from_python(film):
    found = capitate.assess(film, sex="female", model="bone-age-small", joints=False, maps=True)
    assert isinstance(found, Assessed)
    assert found.radiograph.sha256 == found.assessment.source.sha256
    assert found.maps or _messages(found, "no_map")
