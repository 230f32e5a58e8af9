"""`capitate rescore`: grades corrected, scores again, crops for training, and what is said of wrong input."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from capitate import files
from capitate.assessed_joints import AssessedJoint, GradeReading
from capitate.assessment import Assessment, BoneAge, Distribution, Quality, Refusal, SexBoneAge, Source, Subject
from capitate.assessor.graded_crops import MARGIN
from capitate.assessor.scores import score_joints
from capitate.hand import RUS_JOINTS, Joint
from capitate.methods import GRADE_COUNT
from capitate.methods import Joint as Graded
from capitate.phantom import FilmLook, Phantom, Pose, draw
from capitate.report import dumps, schema
from capitate.training.settings.joint_grades import JointGradesConfig
from capitate.types import Finding, Interval, Severity, Sex, Side, age_text

GRADES = dict(zip(Graded, (14, 1, 11, 1, 10, 7, 7, 3, 4, 8, 6, 9, 3), strict=True))
"""Grades of a boy that score 522 points."""
VALIDATOR = jsonschema.Draft202012Validator(schema())


def machine(joint: Graded, *, sure: float = 1.0) -> GradeReading:
    shares = [0.0] * (GRADE_COUNT[joint] + 1)
    shares[GRADES[joint]] = sure
    shares[0] += 1 - sure
    return GradeReading(GRADES[joint], tuple(shares), sure, GRADES[joint], None, suggestion=sure < 0.5)


def assessed(
    *, name: str = "film.png", sex: Sex = Sex.MALE, sha256: str = "3f" * 32, without: str = "Ulna", phantom=None
) -> Assessment:
    """An assessment of a hand whose Ulna is missing and whose DIPFifth is unsure."""
    boxes = {} if phantom is None else {one.name: one.box for one in phantom.joints}
    joints = []
    for joint in Joint:
        missing = joint == without
        grade = None
        if joint in RUS_JOINTS and not missing:
            grade = machine(Graded(joint.value), sure=0.4 if joint is Joint.DIP_FIFTH else 1.0)
            grade = replace(grade, value=GRADES[Graded(joint.value)], machine_value=GRADES[Graded(joint.value)])
        box = None if missing else boxes.get(joint.value)
        status = "missing" if missing else "found"
        remark = f"{joint}: no box at its place." if missing else None
        joints.append(AssessedJoint(joint.value, box, status, None if missing else 0.9, remark, grade, None, None))
    scores = score_joints(joints, sex=sex)
    each = {one: SexBoneAge(m, age_text(m), False, Interval(m - 9, m + 9, 0.9)) for one, m in AGES.items()}
    main = each.get(sex, each[Sex.FEMALE])
    age = BoneAge(
        main.months, main.text, "Greulich-Pyle", False, main.interval, Distribution(0.0, 1.0, (0.5, 0.5)),
        each if sex is Sex.UNKNOWN else None,
    )  # fmt: skip
    return Assessment(
        Source(name, sha256), Subject(sex, "given"), Quality(True, scores.findings), bone_age=age,
        joints=scores.joints, methods=scores.methods,
    )  # fmt: skip


AGES = {Sex.FEMALE: 150.0, Sex.MALE: 160.0}


def save(folder: Path, *assessments: Assessment, name: str = "film.json") -> Path:
    path = folder / name
    path.write_text("".join(dumps(one) + "\n" for one in assessments), encoding="utf-8")
    return path


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return save(tmp_path, assessed())


def output(result) -> dict:
    assert result.code == 0, result.err
    written = json.loads(result.out)
    VALIDATOR.validate(written)
    return written


def joint_of(written: dict, name: str) -> dict:
    return next(one for one in written["joints"] if one["name"] == name)


def codes(written: dict) -> set[str]:
    return {one["code"] for one in written["quality"]["findings"]}


ALL = [f"{joint.value}={grade}" for joint, grade in GRADES.items()]


@pytest.mark.parametrize(
    "words",
    [
        ["--set", *ALL],
        [word for pair in ALL for word in ("--set", pair)],
        ALL,
    ],
    ids=["one --set", "a --set each", "no --set"],
)
def test_all_grades_of_the_worked_example_give_its_total(run, known, words):
    written = output(run("rescore", known, *words))
    method = written["methods"]["rus_chn"]
    assert (method["total"], round(method["age_years"], 2), method["missing"]) == (522, 12.73, [])
    assert method["interval"]["low_total"] == method["interval"]["high_total"] == 522
    assert written["methods"]["tw3"]["total"] == 537


def test_the_options_may_stand_before_the_file(run, known):
    assert output(run("rescore", "--set", "Radius=9", "Ulna=8", known)) == output(
        run("rescore", known, "--set", "radius=9", "ULNA=8")
    )


def test_the_machines_reading_stays_beside_the_persons(run, known):
    before = json.loads(known.read_text())
    written = output(run("rescore", known, "--set", "Radius=9", "--by", "reader 2"))
    was, now = joint_of(before, "Radius"), joint_of(written, "Radius")
    assert (now["grade"]["value"], now["grade"]["machine_value"], now["grade"]["corrected_by"]) == (9, 14, "reader 2")
    assert now["grade"]["probabilities"] == was["grade"]["probabilities"]
    assert (was["score"], now["score"]) == (209, 135)
    assert written["methods"]["rus_chn"]["total"] < before["methods"]["rus_chn"]["total"]
    assert joint_of(written, "MCPFirst") == joint_of(before, "MCPFirst")
    told = next(one for one in written["quality"]["findings"] if one["code"] == "grades_corrected")
    assert told["message"] == "Corrected: Radius 9 (machine: 14; by reader 2)."


def test_corrections_gather_and_clear_gives_the_machines_grade_back(run, tmp_path, known):
    out = tmp_path / "corrected.json"
    run("rescore", known, "--set", "Radius=9", "MCPFirst=8", "--out", out)
    assert json.loads(out.read_text())["methods"] == output(run("rescore", out))["methods"]
    back = output(run("rescore", out, "--clear", "Radius", "mcpfirst"))
    before = json.loads(known.read_text())
    assert back["joints"] == before["joints"]
    assert back["methods"] == before["methods"]
    assert "grades_corrected" not in codes(back)


def test_confirming_a_suggestion_makes_it_a_grade(run, tmp_path, known):
    before = json.loads(known.read_text())
    assert (joint_of(before, "DIPFifth")["grade"]["suggestion"], "grades_to_confirm" in codes(before)) == (True, True)
    out = tmp_path / "confirmed.json"
    run("rescore", known, "--set", "DIPFifth=3", "--out", out)
    written = json.loads(out.read_text())
    assert (joint_of(written, "DIPFifth")["grade"]["suggestion"], "grades_to_confirm" in codes(written)) == (
        False,
        False,
    )
    again = output(run("rescore", out, "--clear", "DIPFifth"))
    assert joint_of(again, "DIPFifth")["grade"]["suggestion"] is True, "nobody vouches for it any more"


def test_a_missing_joint_may_be_graded_and_that_is_said(run, known):
    before = json.loads(known.read_text())
    assert "joints_without_grade" in codes(before)
    written = output(run("rescore", known, "--set", "Ulna=8"))
    ulna = joint_of(written, "Ulna")
    assert (ulna["box"], ulna["status"], ulna["grade"]["value"]) == (None, "missing", 8)
    assert (ulna["grade"]["machine_value"], ulna["grade"]["probabilities"]) == (None, None)
    assert "missing_joint_graded" in codes(written)
    assert "joints_without_grade" not in codes(written)


def test_a_joint_that_cannot_be_graded_does_not_count(run, known):
    written = output(run("rescore", known, "--set", "Radius=-"))
    radius = joint_of(written, "Radius")
    assert (radius["grade"]["value"], radius["grade"]["machine_value"], radius["score"]) == (None, 14, None)
    assert written["methods"]["rus_chn"]["missing"] == ["Radius", "Ulna"]


def test_a_film_whose_joints_were_not_read_can_be_graded_by_a_person(run, tmp_path):
    path = save(tmp_path, replace(assessed(), joints=None, methods=None))
    written = output(run("rescore", path, *ALL))
    assert written["methods"]["rus_chn"]["total"] == 522
    assert len(written["joints"]) == 21


def test_the_sex_may_be_set_where_it_was_unknown(run, tmp_path):
    path = save(tmp_path, assessed(sex=Sex.UNKNOWN))
    assert json.loads(path.read_text())["methods"]["rus_chn"]["total"] is None
    written = output(run("rescore", path, "--set", *ALL, "--sex", "male"))
    assert (written["subject"]["sex"], written["subject"]["sex_source"]) == ("male", "given")
    assert (written["bone_age"]["months"], written["bone_age"]["by_sex"]) == (160.0, None)
    assert written["methods"]["rus_chn"]["total"] == 522
    assert "distribution_of_unknown_sex" in codes(written)


def test_json_goes_to_the_file_and_text_to_the_screen(run, tmp_path, known):
    out = tmp_path / "corrected.json"
    result = run("rescore", known, "--set", "Radius=9", "--out", out)
    assert result.code == 0
    assert result.out.startswith("film.png\n")
    assert "radius grade 9 (set by reader, the machine read grade 14, 100 %), 135 points" in result.out
    assert json.loads(out.read_text())["schema"] == "capitate.assessment/1"
    assert json.loads(run("rescore", known, "--out", out, "--format", "json").out)["source"]["name"] == "film.png"
    assert "骨龄" in run("rescore", known, "--format", "text", "--lang", "zh").out


def test_several_films_need_the_name_of_one(run, tmp_path):
    path = save(tmp_path, assessed(name="a.png"), assessed(name="b.png", sha256="ab" * 32), name="all.jsonl")
    result = run("rescore", path, "--set", "Radius=9")
    assert (result.code, result.out) == (2, "")
    assert "got 2 (a.png, b.png); say which with --film" in result.err
    for name in ("b.png", "ab" * 32):
        assert output(run("rescore", path, "--set", "Radius=9", "--film", name))["source"]["name"] == "b.png"
    assert "no film 'c.png' among 2 assessments; there are a.png, b.png" in run("rescore", path, "--film", "c.png").err
    assert len(run("rescore", path).out.splitlines()) == 2


def test_standard_input(run, known, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(known.read_text()))
    assert joint_of(output(run("rescore", "-", "--set", "Radius=9")), "Radius")["grade"]["value"] == 9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Radius=15"], "Radius has no such grade, got 15; give one of its grades, 0 (not yet visible) to 14"),
        (["Radius=-1"], "Radius has no such grade, got -1"),
        (["Radius=nine"], "got 'nine'"),
        (["Radius=G"], "assessments have RUS-CHN grades, got the stage Radius=G"),
        (["Elbow=3"], "no such joint, got 'Elbow'"),
        (["PIPSecond=3"], "the second and fourth ray are not scored"),
        (["Radius=9", "Radius=8"], "the joint Radius stands twice"),
        (["--set", "Radius"], "a joint is written as JOINT=GRADE, such as Radius=9, got 'Radius'"),
        (["--clear", "Radius"], "nobody corrected Radius, it has the machine's grade 14"),
        (["--clear", "Ulna"], "nobody corrected Ulna, it has no grade"),
        (["--clear", "Elbow"], "no such joint, got 'Elbow'"),
        (["--set", "Radius=9", "--clear", "Radius"], "Radius is set and cleared at once"),
        (["--sex", "female"], "was assessed as male, got female"),
        (["--by", " "], "a correction says who made it"),
        (["--format", "csv"], "written as json or text, got csv"),
        (["--crops", "x"], "--crops without --films"),
        (["--films", "x"], "--films without --crops"),
        (["--corrected-only"], "--corrected-only without --crops"),
    ],
)
def test_what_is_wrong_with_the_words_is_said(run, known, words, told):
    result = run("rescore", known, *words)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("no json", "must be one JSON object"),
        ("[]", "must be one JSON object, got list"),
        ('{"schema": "capitate.score/1"}', "this version reads capitate.assessment/1, got 'capitate.score/1'"),
        ('{"schema": "capitate.assessment/2"}', "got 'capitate.assessment/2'; assess the film again"),
        ('{"schema": "capitate.assessment/1"}', "lacks the key"),
    ],
)
def test_a_file_that_is_no_assessment_is_said(run, tmp_path, text, told):
    path = tmp_path / "film.json"
    path.write_text(text)
    result = run("rescore", path, "--set", "Radius=9")
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_other_wrong_files(run, tmp_path):
    (tmp_path / "film.png").write_bytes(b"\x89PNG\xff")
    assert "it is not UTF-8 text" in run("rescore", tmp_path / "film.png").err
    assert "cannot be read: No such file" in run("rescore", tmp_path / "none.json").err
    assert "no assessment was named, got 'Radius=9'" in run("rescore", "Radius=9").err
    broken = json.loads(dumps(assessed()))
    broken["joints"][0]["grade"]["value"] = 20
    broken["joints"][0]["grade"]["corrected_by"] = "reader"
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert "Radius has no such grade, got 20" in run("rescore", tmp_path / "broken.json").err


def test_a_refused_film_has_nothing_to_rescore(run, tmp_path):
    finding = Finding("no_hand", Severity.REFUSAL, "no hand")
    refused = Assessment(
        Source("x.png", "ab" * 32), Subject(Sex.MALE, "given"), Quality(False, (finding,)),
        error=Refusal("no_hand", "no hand"),
    )  # fmt: skip
    result = run("rescore", save(tmp_path, refused), "--set", "Radius=9")
    assert result.code == 2
    assert "'x.png' was refused (no_hand)" in result.err
    several = run("rescore", save(tmp_path, refused, assessed(), name="all.jsonl"))
    assert (several.code, len(several.out.splitlines())) == (1, 1)
    assert "'x.png' was refused (no_hand) and is left out" in several.err


def test_a_place_that_cannot_be_written_is_said(run, tmp_path, known):
    result = run("rescore", known, "--out", tmp_path / "none" / "x.json")
    assert result.code == 2
    assert "cannot write to" in result.err


def film(folder: Path, phantom: Phantom, *, bits: int = 8, name: str = "film.png") -> Path:
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    pixels = phantom.radiograph.pixels
    whole = np.round(pixels * 255).astype(np.uint8) if bits == 8 else np.round(pixels * 65535).astype(np.uint16)
    Image.fromarray(whole).save(path)
    return path


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return draw(age_months=120, sex=Sex.MALE, height=300, look=FilmLook.clean())


def of_film(path: Path, phantom: Phantom) -> Assessment:
    return assessed(name=path.name, sha256=files.read(path).sha256, phantom=phantom)


@pytest.mark.parametrize("bits", [8, 16])
def test_crops_hold_the_films_own_pixels(run, tmp_path, phantom, bits):
    path = film(tmp_path / "films" / "below", phantom, bits=bits)
    known = save(tmp_path, of_film(path, phantom))
    result = run(
        "rescore", known, "--set", "Radius=9", "Ulna=8", "--crops", tmp_path / "out", "--films", tmp_path / "films"
    )
    assert result.code == 0, result.err
    assert "crops 12, films 1" in result.err
    written = sorted(one.relative_to(tmp_path / "out").as_posix() for one in (tmp_path / "out").rglob("*.png"))
    hand = f"film-{files.read(path).sha256[:8]}"
    graded = {joint: 9 if joint == "Radius" else grade for joint, grade in GRADES.items() if joint != "Ulna"}
    assert written == sorted(f"{joint}/{grade}/{hand}__{joint}.png" for joint, grade in graded.items())
    box = phantom.joint("Radius").box
    side = round(max(box.width, box.height) * (1 + 2 * MARGIN))
    left, top = round(box.x + box.width / 2 - side / 2), round(box.y + box.height / 2 - side / 2)
    crop = files.read(tmp_path / "out" / "Radius" / "9" / f"{hand}__Radius.png").pixels
    whole = files.read(path).pixels
    rows = np.clip(np.arange(top, top + side), 0, whole.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, whole.shape[1] - 1)
    assert np.array_equal(crop, whole[np.ix_(rows, columns)])


def test_crops_can_be_trained_on_and_follow_a_changed_grade(run, tmp_path, phantom):
    crops_of = pytest.importorskip("capitate.training.joint_grades.crops")
    path = film(tmp_path / "films", phantom)
    known, out, place = save(tmp_path, of_film(path, phantom)), tmp_path / "corrected.json", tmp_path / "out"
    run("rescore", known, "--set", "Radius=9", "--out", out)
    words = ("--crops", place, "--films", path, "--corrected-only", "--quiet")
    result = run("rescore", out, *words)
    assert (result.code, result.out, result.err) == (0, "", "")
    graded = crops_of.read_graded(place)
    assert (graded.joints.tolist(), graded.grades.tolist()) == (["Radius"], [9])
    run("rescore", out, "--set", "Radius=10", "MIPThird=5", *words)
    graded = crops_of.read_graded(place)
    assert dict(zip(graded.joints.tolist(), graded.grades.tolist(), strict=True)) == {"Radius": 10, "MIPThird": 5}
    assert len(set(graded.hands.tolist())) == 1


def test_crops_of_a_turned_right_hand_are_those_of_an_upright_left_one(run, tmp_path):
    crops = []
    for side, turn in ((Side.LEFT, 0.0), (Side.RIGHT, 180.0)):
        pose = Pose(rotation_degrees=turn)
        hand = draw(age_months=120, sex=Sex.MALE, height=300, side=side, pose=pose, variation=0, look=FilmLook.clean())
        path = film(tmp_path / side, hand)
        place = tmp_path / f"out-{side}"
        assert run("rescore", save(tmp_path, of_film(path, hand)), "--crops", place, "--films", path).code == 0
        (crop,) = (place / "MIPThird").rglob("*.png")
        crops.append(files.read(crop).pixels)
    size = min(*crops[0].shape, *crops[1].shape)
    left, right = (one[:size, :size].ravel() for one in crops)
    assert np.corrcoef(left, right)[0, 1] > 0.9


def test_a_negative_is_cut_as_it_was_assessed(run, tmp_path, phantom):
    path = film(tmp_path / "films", phantom)
    plain = of_film(path, phantom)
    negated = replace(plain, quality=Quality(True, (Finding("negated", Severity.WARNING, "inverted"),)))
    seen = []
    for name, one in (("plain", plain), ("negated", negated)):
        place = tmp_path / name
        run("rescore", save(tmp_path, one), "--crops", place, "--films", path)
        (crop,) = (place / "Radius").rglob("*.png")
        seen.append(files.read(crop).pixels)
    assert seen[1] == pytest.approx(1 - seen[0], abs=1e-6)


def test_films_that_do_not_match_are_said(run, tmp_path, phantom):
    path = film(tmp_path / "films", phantom)
    known = save(tmp_path, of_film(path, phantom))
    other = draw(age_months=100, sex=Sex.MALE, height=300, look=FilmLook.clean())
    film(tmp_path / "others", other)
    film(tmp_path / "elsewhere", phantom, name="another.png")
    for place, told in (("others", "is not the film that was assessed"), ("elsewhere", "no film named 'film.png'")):
        result = run("rescore", known, "--crops", tmp_path / "out", "--films", tmp_path / place)
        assert (result.code, result.out) == (2, "")
        assert told in result.err
    twice = save(tmp_path, of_film(path, phantom), assessed(name="gone.png"), name="all.jsonl")
    result = run("rescore", twice, "--crops", tmp_path / "out", "--films", tmp_path / "films")
    assert result.code == 1
    assert "no film named 'gone.png'" in result.err
    assert "crops 12, films 1" in result.err


def test_the_margin_is_that_of_the_experiment_that_trains_on_the_crops():
    assert JointGradesConfig().margin == MARGIN
