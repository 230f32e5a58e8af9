"""Joints drawn over the film: where, how, and what each says; as SVG of the page and as a picture."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from capitate.hand import RUS_JOINTS, Joint
from capitate.report import to_html
from capitate.report.joint_marks import COLOURS, joint_marks, short_name
from capitate.report.joint_places import missing_places
from capitate.report.joints_picture import joints_picture
from capitate.report.labels import place_labels
from capitate.report.picture import film_levels
from capitate.types import Side

from .examples import NORMAL
from .joint_examples import assessed, corrected, drawn, with_joint, without

SVG = "{http://www.w3.org/2000/svg}"


def svg(page: str) -> ElementTree.Element:
    """The film's drawing, which has to be well-formed XML."""
    text = re.search(r'<svg class="picture".*?</svg>', page, flags=re.S)[0]
    return ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def drawing(assessment, phantom, **options):
    return svg(to_html(assessment, radiograph=phantom.radiograph, **options))


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def test_every_joint_is_a_box_in_film_pixels_that_leads_to_its_entry():
    phantom = drawn()
    page = to_html(assessed(phantom), radiograph=phantom.radiograph)
    root = svg(page)
    assert root.attrib["viewBox"] == f"0 0 {phantom.radiograph.width} {phantom.radiograph.height}"
    links = root.findall(f".//{SVG}a")
    assert [link.attrib["href"] for link in links] == [f"#joint-{joint}" for joint in Joint]
    for link, joint in zip(links, Joint, strict=True):
        (mark,) = [one for one in link.findall(f"{SVG}rect") if one.attrib["class"] == "mark"]
        box = phantom.joint(joint).box
        found = [float(mark.attrib[key]) for key in ("x", "y", "width", "height")]
        assert found == pytest.approx([box.x, box.y, box.width, box.height], abs=0.051)
        assert page.count(f'id="joint-{joint}"') == 1
        assert ("ungraded" in link.attrib["class"].split()) == (joint not in RUS_JOINTS)


def test_hovering_and_reading_aloud_tell_grade_and_confidence():
    phantom = drawn()
    for lang, tip in (
        ("en", "Ulna grade 6 (45 %, to be confirmed) · box found 93 %"),
        ("zh", "尺骨分级6级（置信度45%，待确认） · 定位已找到 93 %"),
    ):
        root = drawing(assessed(phantom), phantom, lang=lang)
        (link,) = [one for one in root.iter(f"{SVG}a") if one.attrib["href"] == "#joint-Ulna"]
        assert link.find(f"{SVG}title").text == link.attrib["aria-label"] == tip
        assert " · ".join(text.text for text in link.find(f"{SVG}g").findall(f"{SVG}text")) == tip


def test_found_uncertain_and_missing_are_drawn_differently():
    phantom = drawn()
    read = without(with_joint(assessed(phantom), "MIPThird", status="uncertain"), "PIPThird")
    page = to_html(read, radiograph=phantom.radiograph)
    classes = {link.attrib["href"]: link.attrib["class"] for link in svg(page).iter(f"{SVG}a")}
    assert classes["#joint-Radius"] == "joint found"
    assert classes["#joint-MIPThird"] == "joint uncertain"
    assert classes["#joint-PIPThird"] == "joint missing"
    style = page.split("<style>")[1].split("</style>")[0]
    dashes = re.findall(r"\.joint\.(\w+) \.mark \{ stroke-dasharray: ([\d. ]+); \}", style)
    assert [status for status, _ in dashes] == ["uncertain", "missing"]
    assert len({dash for _, dash in dashes}) == 2
    for name, colour in COLOURS.items():
        assert re.search(rf"\.{name} {{ --joint: {colour.lower()}; }}", style), name


def test_outlines_are_closed_paths_through_their_corners():
    phantom = drawn()
    read = assessed(phantom)
    paths = [one.attrib for one in drawing(read, phantom).iter(f"{SVG}path")]
    shown = {kind: [one["d"] for one in paths if one["class"] == kind] for kind in ("epiphysis", "carpal")}
    assert (len(shown["epiphysis"]), len(shown["carpal"])) == (21, 7)
    for path, outline in zip(shown["carpal"], read.carpals.outlines, strict=True):
        assert re.fullmatch(r"M[\d.]+,[\d.]+( L[\d.]+,[\d.]+)+ Z", path)
        corners = np.array(re.findall(r"([\d.]+),([\d.]+)", path), dtype=float)
        assert corners == pytest.approx(np.array(outline), abs=0.051)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_missing_joint_is_expected_where_it_is(side):
    phantom = drawn(side)
    box = phantom.hand_box
    for name in ("Radius", "MCPThird", "MIPFifth", "DIPFirst"):
        place = missing_places(without(assessed(phantom), name).joints)[name]
        truth = phantom.joint(name).box
        apart = np.hypot(
            place.x + place.width / 2 - truth.x - truth.width / 2,
            place.y + place.height / 2 - truth.y - truth.height / 2,
        )
        assert apart < 0.05 * box.height, name


def test_without_enough_joints_nothing_is_expected_anywhere():
    read = assessed(drawn())
    few = tuple(replace(one, box=one.box if index < 5 else None) for index, one in enumerate(read.joints))
    assert missing_places(few) == {}
    assert len(joint_marks(replace(read, joints=few))) == 5
    assert joint_marks(NORMAL) == ()


def test_labels_name_joint_and_grade():
    marks = {mark.name: mark for mark in joint_marks(corrected(assessed(drawn()), "Radius", 9))}
    assert (marks["Radius"].label, marks["Ulna"].label) == ("Radius 9", "Ulna 6?")
    assert (marks["MCPThird"].label, marks["DIPSecond"].label) == ("MCP III 6", "DIP II")
    assert [short_name(joint) for joint in ("PIPFirst", "MIPFourth", "DIPFifth")] == ["PIP I", "MIP IV", "DIP V"]


def test_labels_of_graded_joints_cover_each_other_nowhere_and_stay_on_the_film():
    phantom = drawn(height=1000)
    marks = joint_marks(assessed(phantom))
    film = (phantom.radiograph.width, phantom.radiograph.height)
    labels = place_labels(marks, film=film, size=14, measure=lambda text, size: 0.6 * size * len(text))
    assert len(labels) == 21
    boxes = [label.box for label in labels]
    for box in boxes:
        assert 0 <= box.x <= film[0] - box.width
        assert 0 <= box.y <= film[1] - box.height
    for index, one in enumerate(boxes[:13]):
        for other in boxes[:index]:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert across <= 0 or down <= 0


def test_the_picture_has_the_film_s_own_pixels_and_boxes_where_they_are():
    phantom = drawn()
    read = without(with_joint(assessed(phantom), "MIPThird", status="uncertain"), "PIPThird")
    film, picture = film_levels(phantom.radiograph.pixels), joints_picture(read, phantom.radiograph)
    shown = np.asarray(picture)
    assert picture.mode == "RGB"
    assert picture.width == film.shape[1]
    assert picture.height > film.shape[0], "legend and notice stand below the film"
    box = phantom.joint("Radius").box
    assert tuple(shown[int(box.y), int(box.x + box.width / 2)]) == rgb(COLOURS["found"])
    box = phantom.joint("MIPThird").box
    side = shown[int(box.y) : int(box.y + box.height), int(box.x)]
    coloured = (side == rgb(COLOURS["uncertain"])).all(axis=1)
    assert 0.3 < coloured.mean() < 0.9, "dashed"
    inside = phantom.joint("Radius").box
    rows = slice(round(inside.y + 0.8 * inside.height), round(inside.y + 0.95 * inside.height))
    columns = slice(round(inside.x + 0.4 * inside.width), round(inside.x + 0.6 * inside.width))
    assert (shown[rows, columns] == film[rows, columns, None]).all()


def test_a_small_film_has_room_for_legend_and_notice():
    phantom = drawn(height=200)
    picture = joints_picture(assessed(phantom), phantom.radiograph)
    assert picture.width == phantom.radiograph.width
    assert picture.height > 200


def test_the_page_opens_nothing_but_itself_and_shows_all_layers_by_the_keyboard():
    phantom = drawn()
    page = to_html(assessed(phantom), radiograph=phantom.radiograph)
    assert not re.search(r"(https?:)?//(?!www\.w3\.org)", re.sub(r"data:image/jpeg;base64,[^\"]+", "", page))
    boxes = re.findall(r'<input type="checkbox"[^>]*id="([\w-]+)"', page)
    assert boxes == ["joints", "all-names", "outlines", "box"]
    assert all(f'<label for="{one}">' in page for one in boxes)
    assert page.count("<img ") == 13 * 4


def test_without_grades_every_joint_leads_to_its_row():
    phantom = drawn()
    read = assessed(phantom)
    joints = tuple(replace(one, grade=None) for one in read.joints)
    page = to_html(replace(read, joints=joints, methods=None), radiograph=phantom.radiograph)
    assert "<article" not in page
    assert all(page.count(f'<tr class="found" id="joint-{joint}">') == 1 for joint in Joint)
    assert len(svg(page).findall(f".//{SVG}a")) == 21


def test_a_carpal_bone_that_is_sure_has_its_name():
    phantom = drawn()
    read = assessed(phantom)
    read = replace(read, carpals=replace(read.carpals, names=("capitate", None, "hamate", *[None] * 4)))
    for lang, names in (("en", ["capitate", "carpal bone", "hamate"]), ("zh", ["头状骨", "腕骨", "钩骨"])):
        paths = drawing(read, phantom, lang=lang).iter(f"{SVG}path")
        assert [path.find(f"{SVG}title").text for path in paths if path.attrib["class"] == "carpal"][:3] == names


def test_a_page_without_any_joint_says_so_and_shows_no_empty_places():
    phantom = drawn()
    read = assessed(phantom)
    none = tuple(replace(one, box=None, status="missing", grade=None, detection=None) for one in read.joints)
    page = to_html(replace(read, joints=none, methods=None, carpals=None), radiograph=phantom.radiograph)
    assert "No joint was found on the film." in page
    assert "<article" not in page
    assert svg(page).findall(f".//{SVG}a") == []


def test_nothing_from_outside_becomes_markup():
    phantom = drawn()
    read = corrected(assessed(phantom), "Radius", 9, reader="<b>&\"'x")
    read = replace(read, joints=tuple(replace(one, remark="<i>") for one in read.joints))
    page = to_html(read, radiograph=phantom.radiograph)
    assert "<b>" not in page
    assert "<i>" not in page
    assert "<b>&\"'x" in next(svg(page).iter(f"{SVG}a")).attrib["aria-label"]
