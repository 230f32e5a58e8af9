"""MURA's folders, tables of studies with NA, the fracture index, graded crops; and a manifest written of each."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from capitate.errors import TableError, UsageError
from capitate.training.data.crops import Crop, read_crops, read_named_crops
from capitate.training.data.importing import Form, form_of, import_data
from capitate.training.layouts import read_any, read_whole
from capitate.training.manifest import read_manifest, write_manifest
from capitate.types import Sex, Side


def films(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())


MURA = (
    "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/image1.png",
    "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/image2.png",
    "MURA-v1.1/train/XR_HAND/patient00002/study1_negative/image1.png",
    "MURA-v1.1/valid/XR_HAND/patient11185/study2_positive/image1.png",
)


def test_mura_folders(tmp_path):
    films(tmp_path, *MURA)
    studies = {study.id: study for study in read_any(tmp_path)}
    wrist = studies[MURA[0]]
    assert (wrist.patient_id, wrist.study_id) == ("patient00001", "XR_WRIST/patient00001/study1")
    assert (wrist.region, wrist.abnormal, wrist.split, wrist.sex) == ("wrist", True, "train", Sex.UNKNOWN)
    assert studies[MURA[1]].study_id == wrist.study_id
    assert (studies[MURA[2]].abnormal, studies[MURA[3]].split) == (False, "valid")
    assert studies.keys() == set(MURA)


def test_mura_in_an_archive_is_the_same(tmp_path):
    films(tmp_path / "folder", *MURA)
    with zipfile.ZipFile(tmp_path / "mura.zip", "w") as archive:
        for name in MURA:
            archive.writestr(name, name)
    zipped = read_any(tmp_path / "mura.zip")
    facts = [(s.id, s.patient_id, s.study_id, s.region, s.abnormal, s.split) for s in zipped]
    plain = read_any(tmp_path / "folder")
    assert facts == [(s.id, s.patient_id, s.study_id, s.region, s.abnormal, s.split) for s in plain]


def test_study_table_with_na(tmp_path):
    films(
        tmp_path,
        "train/HAND_7c_image1.png",
        "train/HAND_7c_image3.png",
        "train/WRIST_a1_image1.png",
        "train/HAND_7c4_image1.png",
    )
    (tmp_path / "train.csv").write_text("id,label\nHAND_7c,1.0\nWRIST_a1,NA\nHAND_7c4,0\n")
    studies = read_any(tmp_path / "train.csv")
    assert [(s.id, s.study_id, s.region, s.abnormal) for s in studies] == [
        ("HAND_7c_image1", "HAND_7c", "hand", True),
        ("HAND_7c_image3", "HAND_7c", "hand", True),
        ("WRIST_a1_image1", "WRIST_a1", "wrist", None),
        ("HAND_7c4_image1", "HAND_7c4", "hand", False),
    ]


def test_fracture_index_is_grouped_by_source(tmp_path):
    films(tmp_path, "images/a.webp", "images/b.webp")
    (tmp_path / "index.csv").write_text("file,source,fracture,classes\na.webp,s1,1,0\nb.webp,s1,0,\n")
    first, second = read_any(tmp_path)
    assert (first.patient_id, first.abnormal, second.abnormal, first.study_id) == ("s1", True, False, None)
    assert first.labels == {"classes": "0"}
    assert (first.region, second.region) == ("elbow", None)


@pytest.mark.parametrize(("classes", "region"), [("3", "humerus"), ("3;4", "humerus"), ("1;6", "fingers and wrist")])
def test_classes_of_fractures_become_regions(tmp_path, classes, region):
    films(tmp_path, "images/a.webp")
    (tmp_path / "index.csv").write_text(f"file,source,fracture,classes\na.webp,s1,1,{classes}\n")
    assert read_any(tmp_path / "index.csv")[0].region == region


def test_a_class_that_is_not_known_is_refused(tmp_path):
    films(tmp_path, "images/a.webp")
    (tmp_path / "index.csv").write_text("file,source,fracture,classes\na.webp,s1,1,9\n")
    with pytest.raises(TableError, match="line 2, column 'classes': unknown class, got '9'; write numbers of 0 to 6"):
        read_any(tmp_path / "index.csv")


def test_films_elsewhere(tmp_path):
    films(tmp_path / "regions", "7.png")
    (tmp_path / "index.csv").write_text("id,boneage_months,sex\n7,60,F\n")
    with pytest.raises(TableError, match="missing"):
        read_any(tmp_path / "index.csv")
    assert read_any(tmp_path / "index.csv", films=tmp_path / "regions")[0].path == tmp_path / "regions" / "7.png"


def test_a_written_manifest_says_the_same(tmp_path):
    text = (
        "path,sex,bone_age_months,patient_id,study_id,birth_date,study_date,chronological_age_months,side,region,"
        "abnormal,split,kind\na/1.png,female,126.5,p1,s1,2007-01-01,2017-01-01,120.1,left,hand,0,test,original\n"
        "a/2.png,male,,,,,,,,,,,\n"
    )
    (tmp_path / "films.csv").write_text(text)
    studies = read_manifest(tmp_path / "films.csv")
    (tmp_path / "deeper").mkdir()
    write_manifest(studies, tmp_path / "deeper" / "again.csv")
    again = read_manifest(tmp_path / "deeper" / "again.csv")
    assert [study.listed for study in again] == ["../a/1.png", "../a/2.png"]
    for one, other in zip(studies, again, strict=True):
        for name in ("path", "id", "sex", "bone_age_months", "patient_id", "study_id", "birth_date", "study_date"):
            assert getattr(one, name) == getattr(other, name)
        assert (one.side, one.region, one.abnormal, one.split) == (
            other.side,
            other.region,
            other.abnormal,
            other.split,
        )
    assert again[0].side is Side.LEFT
    assert again[0].labels == {"kind": "original"}


def test_a_patient_in_two_splits_is_an_error(tmp_path):
    head = "path,sex,bone_age_months,patient_id,split\n"
    (tmp_path / "films.csv").write_text(head + "1.png,F,1,p,train\n2.png,F,1,p,test\n3.png,F,1,q,test\n")
    with pytest.raises(TableError, match=r"two splits, got films of one in test and train \(1 such"):
        read_any(tmp_path / "films.csv")
    assert len(read_whole(tmp_path / "films.csv").studies) == 3


NAMED = ("h1/Third_Metacarpal_Grade5.png", "h1/Radius_Grade14.png", "h2/First_Distal_Phalanx_Grade11.png")


def test_named_crops_are_sorted_into_joints_and_grades(tmp_path):
    films(tmp_path / "crops", *NAMED)
    assert form_of(tmp_path / "crops") is Form.CROPS
    made = import_data(tmp_path / "crops", tmp_path / "graded")
    assert made.count == 3
    placed = sorted(path.relative_to(tmp_path / "graded").as_posix() for path in (tmp_path / "graded").rglob("*.png"))
    assert placed == [
        "DIPFirst/11/h2__First_Distal_Phalanx_Grade11.png",
        "MCPThird/5/h1__Third_Metacarpal_Grade5.png",
        "Radius/14/h1__Radius_Grade14.png",
    ]
    assert (tmp_path / "graded" / placed[1]).read_bytes() == NAMED[0].encode()
    named = {(crop.joint, crop.grade, crop.hand) for crop in read_named_crops(tmp_path / "crops")}
    assert named == {(crop.joint, crop.grade, crop.hand) for crop in read_crops(tmp_path / "graded")}
    with pytest.raises(UsageError, match="holds files already"):
        import_data(tmp_path / "crops", tmp_path / "graded")
    with pytest.raises(UsageError, match="JOINT/GRADE/ folders already"):
        form_of(tmp_path / "graded")


def test_copies_of_a_crop_are_of_one_hand(tmp_path):
    films(
        tmp_path, "MCP/3/90210-clahe.png", "MCP/3/90210-clahe-turned+17.png", "MCP/3/90210.png", "MCP/4/h__x-clahe.png"
    )
    assert {crop.hand for crop in read_crops(tmp_path)} == {"90210", "h"}
    assert read_crops(tmp_path)[0] == Crop(tmp_path / "MCP/3/90210-clahe-turned+17.png", "MCP", 3, "90210")


@pytest.mark.parametrize(
    ("name", "says"), [("MCP/11/a.png", "grades 0 to 10, got 11"), ("Knee/1/a.png", "got 'Knee/1/a.png'")]
)
def test_a_grade_or_joint_that_does_not_exist(tmp_path, name, says):
    films(tmp_path, name)
    with pytest.raises(TableError, match=says):
        read_crops(tmp_path)


def test_an_id_that_stands_twice_is_an_error(tmp_path):
    films(tmp_path, "1377.png", "1378.png")
    (tmp_path / "rsna.csv").write_text("id,boneage,male\n1377,180,False\n1378,12,True\n1377,90,False\n")
    with pytest.raises(TableError, match=r"a film stands twice, got '1377\.png' \(1 such"):
        read_any(tmp_path / "rsna.csv")


def test_import_never_overwrites(tmp_path):
    films(tmp_path, "1377.png")
    (tmp_path / "rsna.csv").write_text("id,boneage,male\n1377,180,False\n")
    made = import_data(tmp_path / "rsna.csv", tmp_path / "new" / "manifest.csv")
    assert read_manifest(made.place)[0].bone_age_months == 180
    with pytest.raises(UsageError, match="is there already"):
        import_data(tmp_path / "rsna.csv", made.place)
    with pytest.raises(UsageError, match="there is no"):
        import_data(tmp_path / "none.csv", tmp_path / "other.csv")
