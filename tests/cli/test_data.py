"""`capitate data`: exit codes, files, and what is said where something does not fit."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from capitate.cli.data import FailOn, SourceForm
from capitate.training.checks.fault import Gravity
from capitate.training.data.importing import Form


@pytest.fixture
def films(tmp_path):
    """Twelve small films of six patients, with a table."""
    random = np.random.default_rng(0)
    rows = []
    for k in range(12):
        coarse = Image.fromarray(random.integers(0, 255, (6, 5), dtype=np.uint8))
        film = Image.new("L", (70, 82))
        film.paste(coarse.resize((60, 72), Image.Resampling.BICUBIC), (5, 5))
        film.save(tmp_path / f"{k}.png")
        rows.append(f"{k}.png,{'FM'[k // 2 % 2]},{10 + 18 * k},p{k // 2}\n")
    (tmp_path / "films.csv").write_text("path,sex,bone_age_months,patient_id\n" + "".join(rows))
    return tmp_path


def test_choices_are_those_of_the_library():
    assert [one.value for one in FailOn] == [one.value for one in Gravity]
    assert [one.value for one in SourceForm] == [one.value for one in Form]


def test_check_of_a_sound_set_ends_with_0(run, films):
    result = run("data", "check", films / "films.csv", "--out", films / "out", "--samples", 0, "--fail-on", "warning")
    assert (result.code, "12 of 12 films read" in result.out) == (0, True)
    assert json.loads((films / "out" / "check.json").read_text())["faults"] == []
    assert (films / "out" / "check.html").read_text().startswith("<!doctype html>")


def test_check_ends_with_1_from_the_gravity_asked_for(run, films):
    (films / "0.png").write_bytes((films / "1.png").read_bytes())
    words = ("data", "check", films / "films.csv", "--out", films / "out", "--samples", 0)
    plain = run(*words)
    assert (plain.code, "identical_films" in plain.out) == (1, True)  # the copies' labels differ: an error
    (films / "0.png").write_bytes(b"nothing")
    broken = run(*words)
    assert (broken.code, "unreadable_film" in broken.out) == (1, True)


def test_check_of_joint_labels(run, films):
    (films / "boxes.csv").write_text(
        "id,joint,x_center,y_center,width,height\n0,Radius,0.5,0.5,0.1,0.1\n0,Ulna,0.99,0.5,0.1,0.1\n77,Ulna,0.5,0.5,2,0.1\n"
    )
    result = run("data", "check", films / "boxes.csv", "--films", films, "--out", films / "out", "--samples", 0)
    codes = {fault["code"]: fault for fault in json.loads((films / "out" / "check.json").read_text())["faults"]}
    assert result.code == 1
    assert codes.keys() == {"out_of_range", "missing_film", "box_beyond_film", "film_without_labels"}
    assert codes["box_beyond_film"]["places"] == ["film 0: Ulna reaches to 0.940, 0.450, 1.040, 0.550"]
    assert codes["film_without_labels"]["count"] == 11


def test_check_of_graded_crops(run, tmp_path):
    random = np.random.default_rng(0)
    for split, hand in (("train", "7"), ("val", "7"), ("val", "8")):
        place = tmp_path / "graded" / split / "Radius" / "5"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (40, 40), dtype=np.uint8)).save(place / f"{hand}__{split}.png")
    result = run("data", "check", tmp_path / "graded", "--out", tmp_path / "out", "--samples", 0)
    codes = {fault["code"] for fault in json.loads((tmp_path / "out" / "check.json").read_text())["faults"]}
    assert (result.code, codes >= {"patient_in_two_splits", "grade_without_crop"}) == (1, True)


def test_import_then_split_then_refuse_to_overwrite(run, films):
    (films / "rsna.csv").write_text("id,boneage,male\n0,60,True\n1,70,False\n2,80,True\n")
    assert run("data", "import", films / "rsna.csv", "--out", films / "manifest.csv").code == 0
    words = ("data", "split", films / "films.csv", "--out", films / "folds.csv", "--folds", 3, "--seed", 4)
    result = run(*words)
    assert (result.code, "0 films and 0 groups on two sides" in result.out) == (0, True)
    with (films / "folds.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    patients = {(row["patient_id"], row["split"]) for row in rows}
    assert (len(rows), len(patients), {row["split"] for row in rows}) == (12, 6, {"0", "1", "2"})
    proof = json.loads((films / "folds.proof.json").read_text())
    assert (proof["disjoint"], proof["seed"], sum(proof["groups"].values())) == (True, 4, 6)
    again = run(*words)
    assert (again.code, "is there already" in again.err) == (2, True)


def test_split_with_shares_keeps_copies_together(run, films):
    (films / "11.png").write_bytes((films / "0.png").read_bytes())
    words = ("--share", "train=0.5", "--share", "test=0.5", "--copies")
    assert run("data", "split", films / "films.csv", "--out", films / "split.csv", *words).code == 0
    with (films / "split.csv").open(newline="") as stream:
        split = {row["path"]: row["split"] for row in csv.DictReader(stream)}
    assert split["0.png"] == split["11.png"] == split["1.png"] == split["10.png"]
    assert set(split.values()) == {"train", "test"}
    bad = run("data", "split", films / "films.csv", "--out", films / "x.csv", "--share", "train:3")
    assert (bad.code, "train=0.8" in bad.err) == (2, True)


def test_clahe_refuses_the_source_folder_and_turns_of_films(run, films):
    pytest.importorskip("cv2")
    fine = run("data", "clahe", films / "films.csv", "--out", films / "clahe", "--tiles", 2)
    assert (fine.code, len(list((films / "clahe" / "films").iterdir()))) == (0, 12)
    same = run("data", "clahe", films / "films.csv", "--out", films)
    assert (same.code, "never equalised in place" in same.err) == (2, True)
    turned = run("data", "clahe", films / "films.csv", "--out", films / "x", "--rotations", 2)
    assert (turned.code, "--rotations" in turned.err) == (2, True)


def test_boxes_become_yolo_labels_with_lists(run, films):
    (films / "boxes.csv").write_text("id,joint,x_center,y_center,width,height\n0,Radius,0.5,0.5,0.1,0.1\n")
    result = run(
        "data", "boxes", films / "boxes.csv", "--films", films / "films.csv", "--form", "yolo", "--out", films / "y"
    )
    assert (result.code, "1 boxes of 1 films" in result.out) == (0, True)
    assert (films / "y" / "labels" / "0.txt").read_text() == "0 0.500000 0.500000 0.100000 0.100000\n"
    again = run(
        "data", "boxes", films / "boxes.csv", "--films", films / "films.csv", "--form", "voc", "--out", films / "y"
    )
    assert (again.code, "holds files already" in again.err) == (2, True)


def test_audit_names_faults_and_tries_naming(run, tmp_path):
    from capitate.hand import Joint, bone_class_of
    from capitate.hand.plan import JOINTS, hand_plan

    at = hand_plan().places * [0.9, 0.8] + [0.45, 0.95]
    rows = [
        f"{film},{bone_class_of(joint)},{x},{y},0.08,0.08"
        for film in (1, 2)
        for joint, (x, y) in zip(JOINTS, at, strict=True)
        if (film, joint) != (2, Joint.ULNA)
    ]
    (tmp_path / "boxes.csv").write_text("id,joint,x_center,y_center,width,height\n" + "\n".join(rows) + "\n")
    result = run("data", "audit", tmp_path / "boxes.csv", "--out", tmp_path / "out")
    assert (result.code, "2       wrong_counts    Ulna 0 of 1." in result.out) == (0, True)
    assert "1 of 2 hands are not to be learned from" in result.out
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["unusable"] == ["2"]
    missing = run("data", "audit", tmp_path / "none.csv", "--out", tmp_path / "out")
    assert (missing.code, "none.csv" in missing.err) == (2, True)
