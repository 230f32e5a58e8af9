"""Boxes in VOC and YOLO form, with the lists of their splits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.errors import TableError, UsageError
from capitate.training.data.box_files import write_labels
from capitate.training.data.boxes import LabelledBox, clipped, read_boxes, read_sound_boxes, write_boxes
from capitate.training.data.importing import Form, form_of, import_data
from capitate.training.data.voc import read_voc, write_voc
from capitate.training.data.yolo import read_yolo, write_yolo
from capitate.training.joints_labels import BOXES_OF_A_HAND
from capitate.training.layouts import read_any

VOC = """<annotation><filename>old-name.png</filename>
<size><width>200</width><height>400</height><depth>1</depth></size>
<object><name>Radius</name><difficult>0</difficult>
<bndbox><xmin>21</xmin><ymin>101</ymin><xmax>60</xmax><ymax>200</ymax></bndbox></object>
<object><name>Ulna</name><difficult>1</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>200</xmax><ymax>400</ymax></bndbox></object></annotation>"""
BOXES = [LabelledBox("a", "Radius", 0.2, 0.375, 0.2, 0.25), LabelledBox("b", "Ulna", 0.5, 0.5, 1.0, 1.0)]


def test_voc_pixels_count_from_one_and_end_inside(tmp_path):
    (tmp_path / "7.xml").write_text(VOC)
    radius, ulna = read_voc(tmp_path)
    assert (radius.film, radius.joint) == ("7", "Radius")
    assert radius.corners == pytest.approx((0.1, 0.25, 0.3, 0.5))
    assert ulna.corners == pytest.approx((0, 0, 1, 1))
    assert read_voc(tmp_path, difficult=False) == [radius]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<annotation>", "not an XML file"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + VOC, "document type"),
        (VOC.replace("<xmin>21</xmin>", "<xmin>x</xmin>"), "bndbox/xmin must be a number of pixels, got 'x'"),
        (VOC.replace("<width>200</width>", "<width>0</width>"), "got 0 x 400"),
        (VOC.replace("<xmax>60</xmax>", "<xmax>20</xmax>"), "without area"),
        (VOC.replace("<xmax>60</xmax>", "<xmax>600</xmax>"), "outside its film"),
    ],
)
def test_bad_voc_files_are_named(tmp_path, text, says):
    (tmp_path / "7.xml").write_text(text)
    with pytest.raises(TableError, match=says) as caught:
        read_voc(tmp_path)
    assert "7.xml" in str(caught.value)


def test_voc_round_trip_with_lists(tmp_path):
    write_voc(BOXES, tmp_path, sizes={"a": (200, 400), "b": (50, 50)}, splits={"train": ["a"], "val": ["b"]})
    again = read_voc(tmp_path)
    for one, other in zip(BOXES, again, strict=True):
        assert (one.film, one.joint) == (other.film, other.joint)
        assert one.corners == pytest.approx(other.corners)
    assert (tmp_path / "ImageSets/Main/train.txt").read_text() == "a\n"
    assert (tmp_path / "ImageSets/Main/val.txt").read_text() == "b\n"


def test_yolo_round_trip_with_lists_and_names(tmp_path):
    films = {"a": "films/a.png", "b": "films/b.png", "c": "films/c.png"}
    write_yolo(BOXES, tmp_path, films=films, splits={"train": ["a", "c"], "val": ["b"]})
    assert read_yolo(tmp_path) == BOXES
    assert (tmp_path / "labels/a.txt").read_text() == "0 0.200000 0.375000 0.200000 0.250000\n"
    assert (tmp_path / "labels/c.txt").read_text() == ""
    assert (tmp_path / "train.txt").read_text() == "films/a.png\nfilms/c.png\n"
    assert json.loads((tmp_path / "data.yaml").read_text())["names"]["6"] == "DistalPhalanx"


def test_yolo_names(tmp_path):
    (tmp_path / "7.txt").write_text("1 0.5 0.5 0.1 0.1\n")
    assert read_yolo(tmp_path)[0].joint == "Ulna"
    (tmp_path / "classes.txt").write_text("hand\nwrist\n")
    assert read_yolo(tmp_path)[0].joint == "wrist"
    (tmp_path / "classes.txt").unlink()
    pytest.importorskip("yaml")
    (tmp_path / "data.yaml").write_text("path: .\nnames:\n  0: hand\n  1: ulna\n")
    assert read_yolo(tmp_path)[0].joint == "ulna"


@pytest.mark.parametrize("text", ["{}", '{"names": 3}', '{"names": {"a": "Ulna"}}', "{"])
def test_a_description_without_names_is_an_error(tmp_path, text):
    (tmp_path / "7.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(TableError, match=r"data\.yaml: the names of the classes cannot be read"):
        read_yolo(tmp_path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("9 0.5 0.5 0.1 0.1", "no name for the class, got 9"),
        ("1 0.5 0.5 0.1", "not a class and four fractions"),
        ("1 250 300 40 40", "outside its film"),
        ("1 0.5 0.5 0 0.1", "without area"),
    ],
)
def test_bad_yolo_lines_are_named(tmp_path, line, says):
    (tmp_path / "7.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(TableError, match=says) as caught:
        read_yolo(tmp_path)
    assert "7.txt, line 2" in str(caught.value)


def test_a_table_of_boxes_round_trip(tmp_path):
    write_boxes(BOXES, tmp_path / "boxes.csv")
    assert read_boxes(tmp_path / "boxes.csv") == BOXES


def test_clipping_keeps_the_part_on_the_film():
    assert clipped(LabelledBox("a", "Ulna", 0.98, 0.5, 0.1, 0.1)).corners == pytest.approx((0.93, 0.45, 1, 0.55))


def test_forms_are_told_apart_and_imported(tmp_path):
    (tmp_path / "voc" / "Annotations").mkdir(parents=True)
    (tmp_path / "voc" / "Annotations" / "7.xml").write_text(VOC)
    (tmp_path / "yolo" / "labels" / "train").mkdir(parents=True)
    (tmp_path / "yolo" / "labels" / "train" / "7.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    assert (form_of(tmp_path / "voc"), form_of(tmp_path / "yolo")) == (Form.VOC, Form.YOLO)
    for form, count in ((Form.VOC, 2), (Form.YOLO, 1)):
        made = import_data(tmp_path / form.value, tmp_path / f"{form}.csv")
        assert (made.count, len(read_boxes(made.place))) == (count, count)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        Image.fromarray(np.arange(80 * 40, dtype=np.uint32).reshape(80, 40).astype(np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    (tmp_path / "films.csv").write_text("path,sex,bone_age_months,split\na.png,F,60,train\nb.png,M,60,test\n")
    write_boxes([*BOXES, LabelledBox("gone", "Ulna", 0.5, 0.5, 0.1, 0.1)], tmp_path / "boxes.csv")
    return tmp_path


@pytest.mark.parametrize("voc", [True, False])
def test_labels_of_a_table_follow_its_splits(labelled, voc):
    out = labelled / "out"
    done = write_labels(labelled / "boxes.csv", read_any(labelled / "films.csv"), out, voc=voc)
    assert (done.films, done.boxes, done.lists, done.without_film) == (2, 2, {"test": 1, "train": 1}, 1)
    again = read_voc(out) if voc else read_yolo(out)
    assert [box.film for box in again] == ["a", "b"]
    if not voc:
        assert (out / "train.txt").read_text() == "./images/a.png\n"
        assert (out / "images" / "a.png").read_bytes() == (labelled / "a.png").read_bytes()


def test_hands_with_wrong_boxes_can_be_left_out(labelled):
    table = labelled / "boxes.csv"
    table.write_text(table.read_text() + "a,Ulna,0.5,0.5,0.01,0\n")
    films = read_any(labelled / "films.csv")
    with pytest.raises(TableError, match="line 5: a box of Ulna without area"):
        write_labels(table, films, labelled / "out", voc=False)
    done = write_labels(table, films, labelled / "out", voc=False, leave_out_wrong=True)
    assert (done.films, list(done.wrong)) == (1, ["a"])


def test_hands_with_wrong_counts_are_left_out(tmp_path):
    hand = [(name, k) for name, count in BOXES_OF_A_HAND.items() for k in range(count)]
    boxes = [LabelledBox(film, name, 0.1 + k / 10, 0.5, 0.1, 0.1) for film in "ab" for name, k in hand]
    write_boxes(boxes[:-1], tmp_path / "boxes.csv")
    sound, wrong = read_sound_boxes(tmp_path / "boxes.csv")
    assert ({box.film for box in sound}, wrong) == ({"a"}, {"b": "DistalPhalanx 4 of 5"})


def test_labels_without_their_films(labelled):
    write_boxes([LabelledBox("gone", "Ulna", 0.5, 0.5, 0.1, 0.1)], labelled / "boxes.csv")
    with pytest.raises(UsageError, match="none of the 1 labelled films"):
        write_labels(labelled / "boxes.csv", read_any(labelled / "films.csv"), labelled / "out", voc=False)
