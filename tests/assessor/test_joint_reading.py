"""From film to joints, grades and scores, with models whose answers are known: drawn films that carry marks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import jsonschema
import numpy as np
import pytest

from capitate.assessment import Assessment
from capitate.assessor import Assessor, JointReader, Request
from capitate.hand import Joint
from capitate.phantom import FilmLook, Phantom, Pose, draw
from capitate.report import from_json, schema, to_json
from capitate.types import Severity, Sex, Side

from .stand_ins import KnownGrader, MarkDetector, TrueOutlines, code, marked, middle

BOY = {
    "Radius": 14, "Ulna": 1, "MCPFirst": 11, "MCPThird": 1, "MCPFifth": 10, "PIPFirst": 7, "PIPThird": 7, "PIPFifth": 3,
    "MIPThird": 4, "MIPFifth": 8, "DIPFirst": 6, "DIPThird": 9, "DIPFifth": 3,
}  # fmt: skip
"""Grades of a boy that score 522 points, 12.73 years: the worked example of system 000."""
VALIDATOR = jsonschema.Draft202012Validator(schema())


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(model="bone-age-small", joints=False, threads=1)


@pytest.fixture
def reader(assessor) -> JointReader:
    """Models of joints, new for each test, in the assessor."""
    assessor.joints = JointReader(MarkDetector(), grader=KnownGrader(dict(BOY)))
    return assessor.joints


@cache
def hand(side: Side = Side.LEFT, *, turn: float = 0.0, seed: int = 1) -> Phantom:
    pose = Pose(rotation_degrees=turn)
    return draw(age_months=150, sex=Sex.MALE, height=320, seed=seed, side=side, pose=pose, look=FilmLook.clean())


@pytest.fixture(scope="module")
def drawn() -> Phantom:
    return hand()


def assess(assessor: Assessor, film, sex: Sex | None = Sex.MALE) -> Assessment:
    assessment = assessor.assess_radiograph(film, request=Request(sex=sex)).assessment
    VALIDATOR.validate(to_json(assessment))
    assert to_json(from_json(to_json(assessment))) == to_json(assessment)
    return assessment


def said(assessment: Assessment) -> dict[str, str]:
    """What was remarked, by code, without parts that no release assesses yet."""
    return {one.code: one.message for one in assessment.quality.findings if not one.code.endswith("_not_assessed")}


def test_the_whole_chain_gives_the_known_total(assessor, reader, drawn):
    found = assess(assessor, marked(drawn))
    assert [one.name for one in found.joints] == list(Joint)
    assert {one.name: one.grade.value for one in found.joints if one.grade} == BOY
    assert {one.status for one in found.joints} == {"found"}
    method = found.methods["rus_chn"]
    assert (method["total"], round(method["age_years"], 2), method["missing"]) == (522, 12.73, [])
    assert method["interval"]["low"] == pytest.approx(12.73 * 12, abs=0.1)
    assert found.methods["tw3"]["total"] == 537
    assert sum(one.score for one in found.joints if one.score) == 522
    assert said(found) == {}
    assert {"joint-detector", "joint-grades"} < {one.name for one in found.models}
    assert set(found.timings_ms) == {"locate", "joints", "grades", "bone_age", "scores"}


def test_boxes_are_those_of_the_drawn_joints_and_the_grader_sees_them(assessor, reader, drawn):
    found = assess(assessor, marked(drawn))
    for one in found.joints:
        assert middle(one.box) == middle(drawn.joint(one.name).box)
        assert (one.detection, one.remark) == (0.9, None)
    assert {name: float(seen[0]) for name, seen in reader.grader.pictures.items()} == {
        name: float(code(name)) for name in BOY
    }


@pytest.mark.parametrize(("side", "turn"), [(Side.LEFT, 90), (Side.LEFT, 180), (Side.RIGHT, 0), (Side.RIGHT, 270)])
def test_a_hand_of_any_side_and_turn_gives_the_same(assessor, reader, side, turn):
    film = replace(marked(hand(side, turn=turn)), side=Side.UNKNOWN)
    found = assess(assessor, film)
    assert found.methods["rus_chn"]["total"] == 522
    assert (found.hand.side, found.hand.side_source) == (side, "joints")


def test_the_file_outweighs_the_joints_about_the_side_and_the_contradiction_is_said(assessor, reader, drawn):
    found = assess(assessor, replace(marked(drawn), side=Side.RIGHT))
    assert (found.hand.side, found.hand.side_source) == (Side.RIGHT, "file")
    assert "says right hand" in said(found)["side_contradiction"]
    assert "lie as those of a left hand" in said(found)["side_contradiction"]


def test_probabilities_reach_points_total_and_interval(assessor, reader, drawn):
    reader.grader.confidence = 0.8
    found = assess(assessor, marked(drawn))
    radius = found.joints[0]
    assert radius.grade.probabilities[14] == pytest.approx(0.8)
    assert (radius.grade.value, radius.grade.machine_value, radius.grade.confidence) == (14, 14, pytest.approx(0.8))
    assert radius.score == 209, "the grade that is shown counts"
    method = found.methods["rus_chn"]
    assert method["total"] == 522
    assert method["interval"]["low_total"] < method["total"] <= method["interval"]["high_total"]


@pytest.mark.parametrize(("confirm_below", "suggested"), [(0.9, True), (0.7, False), (None, True)])
def test_grades_below_the_cards_confidence_are_suggestions(assessor, reader, drawn, confirm_below, suggested):
    reader.grader.confidence, reader.grader.confirm_below = 0.8, confirm_below
    found = assess(assessor, marked(drawn))
    assert {one.grade.suggestion for one in found.joints if one.grade} == {suggested}
    assert ("grades_to_confirm" in said(found)) is suggested


def test_an_unknown_sex_scores_either(assessor, reader, drawn):
    found = assess(assessor, marked(drawn), Sex.UNKNOWN)
    method = found.methods["rus_chn"]
    assert (method["total"], method["age_years"], method["interval"]) == (None, None, None)
    assert method["by_sex"]["male"]["total"] == 522
    girl = assess(assessor, marked(drawn), Sex.FEMALE).methods["rus_chn"]
    assert {key: girl[key] for key in method["by_sex"]["female"]} == method["by_sex"]["female"]
    assert {one.score for one in found.joints} == {None}


def test_a_missing_joint_is_said_with_what_it_costs_and_widens_the_interval(assessor, reader, drawn):
    found = assess(assessor, marked(drawn, without=("Ulna", "MIPSecond")))
    ulna = found.joints[1]
    assert (ulna.name, ulna.box, ulna.status, ulna.grade) == ("Ulna", None, "missing", None)
    assert "no box at its place" in ulna.remark
    assert "scores are incomplete" in ulna.remark
    assert "no score depends on it" in found.joints[list(Joint).index(Joint.MIP_SECOND)].remark
    assert said(found)["joints_not_found"] == "Not found on the film: Ulna and MIPSecond."
    assert "12 of 13 joints: Ulna has no grade" in said(found)["joints_without_grade"]
    method = found.methods["rus_chn"]
    assert method["missing"] == ["Ulna"]
    assert method["interval"]["low_total"] < method["interval"]["high_total"]


def test_a_cast_is_said_and_what_is_seen_is_assessed(assessor, reader, drawn):
    hidden = ("Radius", "Ulna", "MCPFirst", "PIPFirst", "DIPFirst", "MCPSecond")
    found = assess(assessor, marked(drawn, without=hidden))
    assert said(found)["joints_hidden"].startswith("6 of 21 joints were not found on the film (Radius, Ulna, MCPFirst")
    assert "a cast" in said(found)["joints_hidden"]
    assert len(found.methods["rus_chn"]["missing"]) == 5
    assert found.bone_age is not None


def test_fingers_cut_off_are_said_to_be_off_the_film(assessor, reader, drawn):
    film = marked(drawn)
    cut = replace(film, pixels=np.ascontiguousarray(film.pixels[100:]))
    found = assess(assessor, cut)
    assert said(found)["joints_off_film"].startswith("The hand is cut off: ")
    assert "DIPThird" in said(found)["joints_off_film"]
    assert "off the film" in next(one.remark for one in found.joints if one.name == "DIPThird")


def test_a_box_that_reaches_out_of_the_film_is_clipped_and_said(assessor, reader, drawn):
    reader.detector.side = 50.0
    film = marked(drawn)
    lowest = max(y for one in drawn.joints for y in [middle(one.box)[1]])
    found = assess(assessor, replace(film, pixels=np.ascontiguousarray(film.pixels[: lowest + 12])))
    assert "reach" in said(found)["joint_cut_off"]
    bottom = max(one.box.y + one.box.height for one in found.joints if one.box)
    assert bottom == lowest + 12


def test_a_film_on_which_no_joint_is_named_still_gets_its_bone_age(assessor, reader, drawn):
    found = assess(assessor, drawn.radiograph)
    assert "No joint could be named: 0 boxes" in said(found)["joints_not_named"]
    assert {one.status for one in found.joints} == {"missing"}
    assert found.methods is None
    told = {one.code: one.message for one in found.quality.findings}
    assert told["methods_not_assessed"] == "No joint could be named on the film."
    assert found.bone_age is not None


def two_hands(left: Side, right: Side):
    """A film of two hands side by side."""
    films = [marked(hand(left)), marked(hand(right, seed=2))]
    return replace(films[0], pixels=np.hstack([one.pixels for one in films]), side=Side.UNKNOWN), films[0].width


@pytest.mark.parametrize("most", [None, 1])
def test_of_two_hands_the_left_one_is_read_and_named(assessor, reader, most):
    """Whether the detector gives the boxes of both hands or only those of the hand that it was shown."""
    reader.detector.most = most
    film, middle_column = two_hands(Side.RIGHT, Side.LEFT)
    found = assess(assessor, film)
    assert found.error is None
    assert "the left hand at the right of the film was read" in said(found)["second_hand"]
    assert min(one.box.x for one in found.joints if one.box) > middle_column
    assert found.hand.box.x >= middle_column
    assert (found.hand.side, found.methods["rus_chn"]["total"]) == (Side.LEFT, 522)
    alone = assess(assessor, marked(hand(Side.LEFT, seed=2))).bone_age
    assert found.bone_age.months == pytest.approx(alone.months, abs=3)


def test_room_beside_a_hand_is_no_second_hand(assessor, reader, drawn):
    film = marked(drawn)
    wide = replace(film, pixels=np.hstack([film.pixels, np.zeros_like(film.pixels)]))
    assert "second_hand" not in said(assess(assessor, wide))


def test_without_a_grader_joints_are_found_and_the_way_on_is_said(assessor, reader, drawn):
    assessor.joints = JointReader(MarkDetector())
    found = assess(assessor, marked(drawn))
    assert all(one.box and one.grade is None for one in found.joints)
    assert found.methods is None
    told = {one.code: one for one in found.quality.findings}
    assert "no bundle 'joint-grades' is installed" in told["methods_not_assessed"].message
    assert "capitate rescore" in told["methods_not_assessed"].message
    assert told["carpals_not_assessed"].severity is Severity.INFO


def test_without_joints_every_part_says_why(assessor, drawn):
    assessor.joints = None
    found = assess(assessor, drawn.radiograph)
    assert (found.joints, found.carpals, found.methods) == (None, None, None)
    told = {one.code: one.message for one in found.quality.findings}
    assert told["joints_not_assessed"] == told["methods_not_assessed"] == "Joints were not asked for."


def test_joints_are_read_once_for_several_requests(assessor, reader, drawn, tmp_path):
    asked = []
    detect = reader.detector.detect
    reader.detector.detect = lambda *args, **kwargs: asked.append(1) or detect(*args, **kwargs)
    film = tmp_path / "film.png"
    from PIL import Image

    Image.fromarray(np.round(drawn.radiograph.pixels * 255).astype(np.uint8)).save(film)
    assessor.assess_each(film, requests=[Request(sex=Sex.MALE)])
    once = len(asked)
    assessor.assess_each(film, requests=[Request(sex=Sex.MALE), Request(sex=Sex.FEMALE), Request()])
    assert len(asked) == 2 * once


@pytest.mark.parametrize(("side", "turn"), [(Side.LEFT, 0), (Side.RIGHT, 90)])
def test_epiphyses_and_carpal_bones_are_outlined_where_they_are_drawn(assessor, reader, side, turn):
    drawn = draw(
        age_months=120, sex=Sex.MALE, height=600, side=side, pose=Pose(rotation_degrees=turn), look=FilmLook.clean()
    )
    film = marked(drawn)
    reader.outliner, reader.detector.side = TrueOutlines(drawn, film), 60.0
    found = assess(assessor, film)
    outlined = [one for one in found.joints if one.epiphysis is not None and one.epiphysis.outline]
    assert len(outlined) >= 10
    assert {one.name for one in found.joints if one.epiphysis is not None} == set(BOY)
    polygons = [polygon for one in outlined for polygon in one.epiphysis.outline] + list(found.carpals.outlines)
    for polygon in polygons:
        x, y = np.mean(polygon, axis=0)
        assert drawn.outlines[int(y), int(x)] == 2
    for one in outlined:
        x, y = np.mean(one.epiphysis.outline[0], axis=0)
        assert abs(x - middle(one.box)[0]) + abs(y - middle(one.box)[1]) < 60
    measured = [one for one in outlined if one.epiphysis.width_ratio is not None]
    ratios = [one.epiphysis.width_ratio / drawn.joint(one.name).width_ratio for one in measured]
    assert len(measured) >= 5
    assert np.median(ratios) == pytest.approx(1, abs=0.2)
    assert found.carpals.count == len(found.carpals.outlines) == len(found.carpals.names) >= 4
    assert 0 < found.carpals.area_of_hand < 0.2
    assert "carpals_not_assessed" not in {one.code for one in found.quality.findings}
    assert "outlines" in found.timings_ms


def test_a_film_that_neither_locator_nor_joints_take_for_a_hand_is_refused(assessor, reader, drawn, monkeypatch):
    locate = assessor.locator.locate
    monkeypatch.setattr(assessor.locator, "locate", lambda square: replace(locate(square), disagreement=0.3))
    refused = assess(assessor, drawn.radiograph)
    assert refused.error.code == "no_hand"
    assert "differs by 0.30 hand lengths" in refused.error.message
    assert "no joint could be named" in refused.error.message
    assert assess(assessor, marked(drawn)).error is None, "joints that can be named are a hand"
    assessor.joints = None
    assert assess(assessor, drawn.radiograph).error is None


def test_a_hand_in_one_half_is_read_where_the_whole_film_would_be_refused(assessor, reader, monkeypatch):
    film, _ = two_hands(Side.LEFT, Side.RIGHT)
    locate, looks = assessor.locator.locate, []

    def first_look_fails(square):
        looks.append(square)
        found = locate(square)
        return replace(found, disagreement=0.6) if len(looks) == 1 else found

    monkeypatch.setattr(assessor.locator, "locate", first_look_fails)
    found = assess(assessor, film)
    assert (found.error, found.methods["rus_chn"]["total"]) == (None, 522)
    assert "the left hand at the left of the film was read" in said(found)["second_hand"]
    looks.clear()
    assessor.joints = None
    assert assess(assessor, film).error.code == "no_hand"
