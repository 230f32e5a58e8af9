from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from capitate.errors import TableError
from capitate.training.layouts import read_any
from capitate.training.manifest import read_films_table, read_manifest, read_path_list
from capitate.types import Sex, Side


def write(folder: Path, text: str | bytes, name: str = "films.csv") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def films(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"film")


def test_manifest_keeps_everything_of_a_film_in_one_record(tmp_path: Path) -> None:
    table = write(
        tmp_path,
        "path,sex,bone_age_months,patient_id,study_id,birth_date,study_date,side,region,abnormal,split,kind\n"
        "a/1.png,female,126.5,p1,s1,2007-01-01,20170101,left,hand,0,test,original\n"
        "a/2.png,M,,,,,,,,,,\n",
    )
    first, second = read_manifest(table)
    assert first.path == tmp_path / "a" / "1.png"
    assert (first.id, first.sex, first.bone_age_months) == ("1", Sex.FEMALE, 126.5)
    assert (first.patient_id, first.study_id, first.side) == ("p1", "s1", Side.LEFT)
    assert (first.region, first.abnormal, first.split) == ("hand", False, "test")
    assert first.birth_date == date(2007, 1, 1)
    assert first.chronological_age_months == pytest.approx(120, abs=0.1)
    assert first.labels == {"kind": "original"}
    assert (second.sex, second.bone_age_months, second.patient_id) == (Sex.MALE, None, None)


@pytest.mark.parametrize("word", ["female", "Female", "F", "f"])
def test_sex_is_read_in_any_case(tmp_path: Path, word: str) -> None:
    assert read_manifest(write(tmp_path, f"path,sex,bone_age_months\n1.png,{word},1\n"))[0].sex is Sex.FEMALE


@pytest.mark.parametrize(("word", "sex"), [("u", Sex.UNKNOWN), ("unknown", Sex.UNKNOWN), ("male", Sex.MALE)])
def test_sex_words(tmp_path: Path, word: str, sex: Sex) -> None:
    assert read_manifest(write(tmp_path, f"path,sex,bone_age_months\n1.png,{word},1\n"))[0].sex is sex


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_byte_order_mark(tmp_path: Path, delimiter: str) -> None:
    text = "\ufeffPath,Sex,Bone_Age_Months\r\n1.png,F,12\r\n".replace(",", delimiter)
    assert read_manifest(write(tmp_path, text))[0].bone_age_months == 12


def test_decimal_comma_where_the_comma_does_not_separate(tmp_path: Path) -> None:
    assert read_manifest(write(tmp_path, "path;sex;bone_age_months\n1.png;F;126,5\n"))[0].bone_age_months == 126.5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,sex\n1.png,F\n", ["line 1", "'bone_age_months'", "path, sex"]),
        ("path,sex,bone_age_months\n1.png,F,1\n2.png,girl,1\n", ["line 3", "'sex'", "'girl'", "female, male"]),
        ("path,sex,bone_age_months\n1.png,1,1\n", ["line 2", "'sex'", "'1'"]),
        ("path,sex,bone_age_months\n1.png,,1\n", ["line 2", "'sex'", "''"]),
        ("path,sex,bone_age_months\n1.png,F,ten\n", ["line 2", "'bone_age_months'", "'ten'", "126.5"]),
        ("path,sex,bone_age_months\n1.png,F,-3\n", ["line 2", "'-3'"]),
        ("path,sex,bone_age_months\n1.png,F,nan\n", ["line 2", "'nan'"]),
        ("path,sex,bone_age_months\n1.png,F,3800\n", ["line 2", "'3800'", "360"]),
        ("path,sex,bone_age_months\n1.png,F,1\n./1.png,F,1\n", ["twice", "1.png"]),
        ("path,sex,bone_age_months\n,F,1\n", ["line 2", "'path'"]),
        ("path,sex,bone_age_months\n", ["empty"]),
        ("", ["empty"]),
        ("path,sex,bone_age_months\n1.png,F\n", ["line 2", "3 columns", "2 cells"]),
        ("path,sex,sex,bone_age_months\n1.png,F,F,1\n", ["twice", "'sex'"]),
        ('path,sex,bone_age_months\n"1.png,F,1\n', ["not a CSV"]),
        (b"path,sex,bone_age_months\nM\xfcller.png,F,1\n", ["line 2", "0xfc", "UTF-8"]),
        ("path,sex,bone_age_months\n".encode("utf-16"), ["UTF-16", "UTF-8"]),
        (b"PK\x03\x04xlsx", ["workbook"]),
        (b"\x89PNG\0\0", ["binary"]),
        (
            "path,sex,bone_age_months,birth_date,study_date\n1.png,F,1,2017-01-01,2016-01-01\n",
            ["line 2", "'study_date'", "2016-01-01", "before"],
        ),
        ("path,sex,bone_age_months,birth_date\n1.png,F,1,31.5.2017\n", ["'birth_date'", "31.5.2017"]),
        ("path,sex,bone_age_months,side\n1.png,F,1,up\n", ["'side'", "'up'"]),
        ("path,sex,bone_age_months,abnormal\n1.png,F,1,maybe\n", ["'abnormal'", "'maybe'"]),
    ],
)
def test_a_bad_table_says_where_and_what(tmp_path: Path, text: str | bytes, says: list[str]) -> None:
    with pytest.raises(TableError) as caught:
        read_manifest(write(tmp_path, text))
    for part in says:
        assert part in str(caught.value)


def test_missing_table_and_folder_are_table_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TableError, match="cannot read"):
            read_manifest(path)


def test_films_that_share_a_stem_are_told_apart_by_their_path(tmp_path: Path) -> None:
    text = "path,sex,bone_age_months\na/hand.png,F,1\nb/hand.png,M,2\nc/7.png,M,3\n"
    assert [study.id for study in read_manifest(write(tmp_path, text))] == ["a/hand.png", "b/hand.png", "7"]


def test_films_table_needs_a_path_only(tmp_path: Path) -> None:
    open_sex, stated = read_films_table(write(tmp_path, "path,sex,age_years\n1.png,,\n2.png,U,10.5\n"))
    assert (open_sex.sex, open_sex.sex_stated, open_sex.chronological_age_months) == (Sex.UNKNOWN, False, None)
    assert (stated.sex, stated.sex_stated, stated.chronological_age_months) == (Sex.UNKNOWN, True, 126)
    assert read_films_table(write(tmp_path, "path\n1.png\n"))[0].path == tmp_path / "1.png"


def test_age_column_in_months_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="years"):
        read_films_table(write(tmp_path, "path,age\n1.png,126\n"))


def test_path_list(tmp_path: Path) -> None:
    listed = write(tmp_path, "# my films\n\nb.png\n/abs/a b.dcm\n", "list.txt")
    assert read_path_list(listed) == [tmp_path / "b.png", Path("/abs/a b.dcm")]
    with pytest.raises(TableError, match="empty"):
        read_path_list(write(tmp_path, "# nothing\n", "list.txt"))


def test_rsna_training_layout(tmp_path: Path) -> None:
    table = write(tmp_path, "id,boneage,male\n1377,180,False\n1378,12,TRUE\n", "boneage-training-dataset.csv")
    films(tmp_path / "boneage-training-dataset" / "boneage-training-dataset", "1377.png", "1378.png")
    first, second = read_any(table)
    assert (first.id, first.sex, first.bone_age_months) == ("1377", Sex.FEMALE, 180)
    assert first.path == tmp_path / "boneage-training-dataset/boneage-training-dataset/1377.png"
    assert second.sex is Sex.MALE
    assert read_any(tmp_path) == [first, second]


def test_rsna_validation_layouts_in_any_column_order(tmp_path: Path) -> None:
    films(tmp_path, "boneage-validation-dataset-1/1386.png", "boneage-validation-dataset-2/1392.png")
    text = "male,Bone Age (months),Image ID\n0,30,1386\n1,162.1,1392\n"
    first, second = read_any(write(tmp_path, text, "Validation Dataset.csv"))
    assert (first.sex, first.bone_age_months) == (Sex.FEMALE, 30)
    assert (second.sex, second.bone_age_months) == (Sex.MALE, 162.1)


def test_rsna_test_layout_with_and_without_ages(tmp_path: Path) -> None:
    films(tmp_path, "boneage-test-dataset/4360.png")
    assert read_any(write(tmp_path, "Case ID,Sex\n4360,M\n", "test.csv"))[0].bone_age_months is None
    aged = write(tmp_path, "Case ID,Sex,Ground truth bone age (months)\n4360,M,169.12\n", "test.csv")
    assert read_any(aged)[0].bone_age_months == 169.12


def test_own_layouts_keep_kind_and_split(tmp_path: Path) -> None:
    films(tmp_path, "high/1377.webp", "small/00/1377.webp")
    text = "id,split,boneage_months,sex,kind,width\n1377,train,180,F,original,758\n"
    study = read_any(write(tmp_path / "high", text, "index.csv"))[0]
    assert (study.id, study.split, study.labels["kind"]) == ("1377", "train", "original")
    small = write(tmp_path / "small", "id,file,boneage_months,sex,pixel_sd\n1377,00/1377.webp,180,F,50\n", "index.csv")
    assert read_any(small)[0].path == tmp_path / "small/00/1377.webp"


def test_gender_layout(tmp_path: Path) -> None:
    films(tmp_path, "Data/test/526DL.png")
    study = read_any(write(tmp_path, "id,filename,boneage,gender\n526DL,526DL.png,151.2,female\n"))[0]
    assert (study.id, study.sex, study.bone_age_months) == ("526DL", Sex.FEMALE, 151.2)


def test_missing_films_are_counted_and_five_named(tmp_path: Path) -> None:
    films(tmp_path, "3.png")
    rows = "".join(f"{k},1,True\n" for k in range(1, 9))
    with pytest.raises(TableError, match=r"7 of 8 films are missing, got ids 1, 2, 4, 5, 6, \.\.\."):
        read_any(write(tmp_path, "id,boneage,male\n" + rows))


def test_unknown_form_and_bad_cells_of_a_layout(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="got columns name, age"):
        read_any(write(tmp_path, "name,age\nx,1\n"))
    films(tmp_path, "1.png")
    with pytest.raises(TableError, match="'male': neither true nor false, got 'F'"):
        read_any(write(tmp_path, "id,boneage,male\n1,1,F\n"))
    with pytest.raises(TableError, match="no sex"):
        read_any(write(tmp_path, "id,boneage,male\n1,1,\n"))


def test_folder_with_no_or_several_tables(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="got 0"):
        read_any(tmp_path)
    for name in ("a.csv", "b.csv"):
        write(tmp_path, "path,sex,bone_age_months\n1.png,F,1\n", name)
    with pytest.raises(TableError, match=r"got 2 \(a.csv, b.csv\)"):
        read_any(tmp_path)


def test_manifest_is_read_by_read_any(tmp_path: Path) -> None:
    assert read_any(write(tmp_path, "path,sex,bone_age_months\n1.png,F,1\n"))[0].id == "1"
