"""`capitate screen`: studies from names, folders, headers and tables; every study has a row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from .screen_bundles import film, probability, screen_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return screen_bundle(tmp_path_factory.mktemp("bundles") / "screen")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def dicom(path: Path, share: float, *, study: str, part: str) -> None:
    """A film of 64 x 64 pixels whose upper part is white."""
    pixels = np.zeros((64, 64), np.uint8)
    pixels[: round(64 * share)] = 255
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.BodyPartExamined, data.Modality = study, part, "DX"
    data.Rows = data.Columns = 64
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 7, 0, 1
    data.PhotometricInterpretation, data.PixelData = "MONOCHROME2", pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


def test_kaggle_has_one_row_a_study_with_the_mean_of_its_films(run, bundle, tmp_path):
    films = tmp_path / "test"
    for name, share in (("HAND_1a_image1", 0.2), ("HAND_1a_image12", 0.6), ("WRIST_long-id_7_image1", 0.8)):
        film(films / f"{name}.png", share)
    film(films / "alone.png", 0.4)
    out = tmp_path / "submission.csv"
    result = run("screen", films, "--model", bundle, "--format", "kaggle", "--output", out)
    assert result.code == 0
    rows = table(out.read_text())
    assert list(rows[0]) == ["id", "label"]
    found = {row["id"]: float(row["label"]) for row in rows}
    assert found == {
        "HAND_1a": pytest.approx(probability(0.2, 0.6), abs=1e-5),
        "WRIST_long-id_7": pytest.approx(probability(0.8), abs=1e-5),
        "alone": pytest.approx(probability(0.4), abs=1e-5),
    }


def test_several_bundles_are_averaged(run, bundle, tmp_path):
    other = screen_bundle(tmp_path / "other", steepness=(2.0,), threshold={"value": 0.7})
    film(tmp_path / "films" / "a.png", 0.7)
    result = run("screen", tmp_path / "films", "--model", bundle, "--model", other, "--format", "json")
    one = json.loads(result.out)
    assert one["probability"] == pytest.approx((probability(0.7) + probability(0.7, steepness=2.0)) / 2, abs=1e-5)
    assert one["threshold"] == pytest.approx(0.6)
    assert [model["name"] for model in one["models"]] == ["abnormality-screen"] * 2
    strange = screen_bundle(tmp_path / "strange", training={"a label of 1 says": "something else"})
    refused = run("screen", tmp_path / "films", "--model", bundle, "--model", strange)
    assert refused.code == 2
    assert "tell the same thing" in refused.err


def test_calibration_of_the_card_is_applied(run, tmp_path):
    bundle = screen_bundle(tmp_path / "calibrated", calibration={"slope": 0.5, "intercept": -1.0})
    film(tmp_path / "films" / "a_image1.png", 0.75)
    found = json.loads(run("screen", tmp_path / "films", "--model", bundle, "--format", "json").out)
    assert found["probability"] == pytest.approx(1 / (1 + np.exp(-(0.5 * 8 * 0.25 - 1))), abs=1e-5)


def test_mura_and_a_table_of_studies(run, bundle, tmp_path):
    mura = tmp_path / "MURA"
    film(mura / "XR_WRIST" / "patient1" / "study1_positive" / "image1.png", 0.7)
    film(mura / "XR_WRIST" / "patient1" / "study1_positive" / "image2.png", 0.5)
    film(mura / "XR_ELBOW" / "patient2" / "study1_negative" / "image1.png", 0.5)
    result = run("screen", mura, "--model", bundle, "--format", "csv")
    rows = {row["id"]: row for row in table(result.out)}
    assert rows["XR_WRIST/patient1/study1"]["films"] == "2"
    elbow = rows["XR_ELBOW/patient2/study1"]
    assert (elbow["refusal"], elbow["probability"]) == ("region_not_learned", "")
    assert "the screen has learned hand, wrist" in elbow["refusal_message"]
    assert result.code == 1

    film(tmp_path / "studies" / "HAND_1_image1.png", 0.3)
    (tmp_path / "studies" / "train.csv").write_text("id,label\nHAND_1,NA\nHAND_2,1\n")
    result = run("screen", tmp_path / "studies" / "train.csv", "--model", bundle, "--format", "kaggle")
    assert [row["id"] for row in table(result.out)] == ["HAND_1", "HAND_2"]
    assert table(result.out)[1]["label"] == "", "nothing is lost, and nothing guessed"
    assert "HAND_2" in result.err
    assert "no_readable_film" in result.err
    assert result.code == 1


def test_dicom_studies_and_their_body_part(run, bundle, tmp_path):
    folder = tmp_path / "dicom"
    folder.mkdir()
    first, second = generate_uid(), generate_uid()
    for name, share, study, part in (
        ("a", 0.25, first, "HAND"),
        ("b", 0.5, first, "HAND"),
        ("c", 0.5, second, "CHEST"),
    ):
        dicom(folder / f"{name}.dcm", share, study=study, part=part)
    result = run("screen", folder, "--model", bundle, "--format", "csv")
    rows = {row["id"]: row for row in table(result.out)}
    assert rows[first]["films"] == "2"
    assert rows[first]["regions"] == "hand"
    assert float(rows[first]["probability"]) == pytest.approx(probability(0.25, 0.5), abs=1e-5)
    assert rows[second]["refusal"] == "region_not_learned"


def test_films_that_cannot_be_read_and_labels_that_contradict(run, bundle, tmp_path):
    film(tmp_path / "a.png", 0.5)
    (tmp_path / "b.png").write_bytes(b"no film")
    (tmp_path / "films.csv").write_text(
        "path,study_id,abnormal\na.png,torn,1\nc.png,torn,0\nb.png,gone,1\na2.png,half,\nd.png,half,\n"
    )
    film(tmp_path / "a2.png", 0.6)
    film(tmp_path / "c.png", 0.5)
    result = run("screen", tmp_path / "films.csv", "--model", bundle, "--format", "json")
    found = {one["id"]: one for one in map(json.loads, result.out.splitlines())}
    assert result.code == 1
    assert found["torn"]["error"]["code"] == "labels_contradict"
    assert found["gone"]["error"]["code"] == "no_readable_film"
    assert found["half"]["error"] is None
    assert found["half"]["probability"] == pytest.approx(probability(0.6), abs=1e-5)
    assert [one["code"] for one in found["half"]["findings"]] == ["unreadable_path"]


def test_a_film_that_looks_like_no_film_of_the_training(run, bundle, tmp_path):
    film(tmp_path / "films" / "bright.png", 0.95)
    film(tmp_path / "films" / "usual.png", 0.6)
    result = run("screen", tmp_path / "films", "--model", bundle, "--format", "csv")
    rows = {row["id"]: row for row in table(result.out)}
    assert (rows["bright"]["familiar"], rows["bright"]["findings"]) == ("false", "film_unfamiliar")
    assert (rows["usual"]["familiar"], rows["usual"]["findings"]) == ("true", "")
    shown = run("screen", tmp_path / "films", "--model", bundle)
    assert "does not look like those" in shown.out
    untold = screen_bundle(tmp_path / "untold", bright=None)
    assert table(run("screen", tmp_path / "films", "--model", untold, "--format", "csv").out)[0]["familiar"] == ""


def test_same_names_in_two_folders_are_two_studies(run, bundle, tmp_path):
    for place in ("hand", "wrist"):
        film(tmp_path / "films" / place / "001_image1.png", 0.5)
    result = run("screen", tmp_path / "films", "--model", bundle, "--format", "kaggle")
    assert [row["id"] for row in table(result.out)] == ["hand/001", "wrist/001"]
    both = run("screen", *sorted((tmp_path / "films").glob("*/*.png")), "--model", bundle, "--format", "kaggle")
    assert [row["id"] for row in table(both.out)] == ["hand/001", "wrist/001"]


def test_the_share_of_films_called(run, bundle, tmp_path):
    for k, share in enumerate((0.2, 0.3, 0.4, 0.7)):
        film(tmp_path / "films" / f"{k}.png", share)
    text = run("screen", tmp_path / "films", "--model", bundle, "--summary")
    assert "1 of 4 studies reach the threshold 0.500: 25.0 % (4.6 to 69.9 %)" in text.out
    (figure,) = json.loads(run("screen", tmp_path / "films", "--model", bundle, "--summary", "--format", "json").out)
    assert (figure["name"], figure["value"], figure["on"]) == ("share of films called", 0.25, "4 studies of films")


def test_the_table_in_both_languages(run, bundle, tmp_path):
    film(tmp_path / "films" / "HAND_1_image1.png", 0.8)
    english = run("screen", tmp_path / "films", "--model", bundle).out
    assert "HAND_1  1      hand    0.917        look at" in english, english
    assert "not a medical device" in english
    chinese = run("screen", tmp_path / "films", "--model", bundle, "--lang", "zh").out
    assert "请查看" in chinese


def test_what_cannot_be_meant(run, bundle, tmp_path):
    assert run("screen", tmp_path, "--model", bundle).code == 2
    film(tmp_path / "a.png", 0.5)
    assert "no model bundle" in run("screen", tmp_path / "a.png", "--model", "nothing").err
    wrong = run("screen", tmp_path / "a.png", "--model", "bone-age")
    assert wrong.code == 2
    assert "does bone-age, not abnormality" in wrong.err
    assert run("screen", tmp_path / "gone.csv", "--model", bundle).code == 2
