import base64
import io
import os
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from PIL import Image

from capitate.explain import ActivationMap
from capitate.explain.arrays import read_npz
from capitate.explain.overlay import laid_over
from capitate.files.finding import find
from capitate.report import from_json, schema, to_html, to_json, write
from capitate.report.map_names import MapKind, named_maps
from capitate.report.map_regions import explained, region_rows, regions
from capitate.report.map_words import MAP_PHRASES, amount_text, limit_text
from capitate.report.picture import film_levels
from capitate.report.wording import Language

from .examples import NORMAL
from .joint_examples import assessed, drawn
from .map_examples import age_map, screen_map
from .test_html import Page


@pytest.fixture(scope="module")
def film():
    return drawn()


@pytest.fixture(scope="module")
def read(film):
    return assessed(film)


@pytest.fixture(scope="module")
def maps(film, read):
    return {"bone_age": age_map(read, film.radiograph), "abnormality": screen_map()}


def test_files_of_maps_are_written_named_and_taken_away(tmp_path, film, read, maps):
    paths = write(read, tmp_path, radiograph=film.radiograph, maps=maps)
    names = [path.name for path in paths if "-map-" in path.name]
    assert names == [
        "drawn-map-bone-age.png", "drawn-map-bone-age.npz", "drawn-map-abnormality.png", "drawn-map-abnormality.npz",
    ]  # fmt: skip
    written = from_json((tmp_path / "drawn.json").read_text(encoding="utf-8"))
    assert written.maps == {"bone_age": names[0], "abnormality": names[2], "grades": None}
    assert written.maps == named_maps(maps, stem="drawn")
    assert [path.name for path in find(tmp_path)] == [], "pictures of maps are no films"
    write(written, tmp_path)
    assert set(names) <= set(os.listdir(tmp_path)), "an assessment that names its maps keeps them"
    write(read, tmp_path, radiograph=film.radiograph)
    assert not set(names) & set(os.listdir(tmp_path)), "one without maps takes them away"


def test_another_film_s_maps_are_never_replaced(tmp_path, film, read, maps):
    mine = write(read, tmp_path, radiograph=film.radiograph, maps=maps, formats=["maps"])
    other = replace(read, source=replace(read.source, sha256="b" * 64))
    again = write(other, tmp_path, radiograph=film.radiograph, maps=maps, formats=["maps"])
    assert [path.name for path in again] == [path.name.replace("drawn", "drawn-bbbbbbbb") for path in mine]
    mine[1].write_bytes(b"numbers of somebody else")
    assert write(read, tmp_path, maps=maps, formats=["maps"])[0].name.startswith(f"drawn-{read.source.sha256[:8]}")


def test_the_json_is_of_the_schema(read, maps):
    told = to_json(replace(read, maps=named_maps(maps, stem="drawn")))
    jsonschema.validate(told, schema())
    told["maps"]["heat"] = "a.png"
    with pytest.raises(jsonschema.ValidationError, match="heat"):
        jsonschema.validate(told, schema())


def test_the_array_holds_the_map_and_where_it_comes_from(tmp_path, film, read, maps):
    path = next(one for one in write(read, tmp_path, radiograph=film.radiograph, maps=maps) if one.suffix == ".npz")
    stored = read_npz(path)
    assert np.array_equal(stored.activation.values, maps["bone_age"].values)
    assert (stored.activation.base, stored.activation.unit, stored.activation.model) == (
        120.0,
        "months",
        "bone-age-default",
    )
    assert (stored.version, stored.film) == ("1.0.0", read.source.sha256)


def test_the_picture_is_the_film_with_the_map_pixel_by_pixel_and_a_strip(tmp_path, film, read, maps):
    path = write(read, tmp_path, radiograph=film.radiograph, maps=maps, formats=["maps"])[0]
    with Image.open(path) as opened:
        picture, told = np.asarray(opened), opened.info
    height, width = film.radiograph.height, film.radiograph.width
    assert told == {"capitate-film": read.source.sha256}
    assert picture.shape[1:] == (width, 3)
    assert picture.shape[0] > height + 60
    over = np.asarray(laid_over(film_levels(film.radiograph.pixels), maps["bone_age"]))
    assert np.array_equal(picture[:height], over)
    bar = picture[height + 5, [12, width // 2, -12]].astype(int)
    assert bar[0, 2] > bar[0, 0] + 60, "blue lowers, at the left"
    assert bar[1].max() < 20, "nothing over air in the middle"
    assert bar[2, 0] > bar[2, 2] + 60, "orange raises, at the right"


def test_regions_sum_to_the_map_and_name_the_joints(film, read, maps):
    one, size = maps["bone_age"], (film.radiograph.height, film.radiograph.width)
    parts = regions(one, read, film=size)
    total = float(one.values.sum(dtype=np.float64))
    assert sum(part.amount for part in parts) == pytest.approx(total, abs=1e-6)
    assert max(parts, key=lambda part: part.amount).region == "Radius"
    assert min(parts, key=lambda part: part.amount).region == "MCPThird"
    rows = region_rows(parts, unit="months", lang="en")
    assert [row.title for row in rows[-3:]] == ["carpal bones", "rest of the hand", "outside the hand"]
    assert sum(row.amount for row in rows) == pytest.approx(total, abs=1e-6)
    assert sum(row.area for row in rows) == pytest.approx(1)
    assert len(rows) <= 12
    start, most = explained(MapKind.BONE_AGE, one, parts, lang="en")
    assert start.startswith(
        "The map starts from a base of 120.0 months; the parts of the film add +4.0 months and lead"
    )
    up, down = most.split(" What lowers it most: ")
    assert re.match(r"What raises the age most: radius \(\+\d\.\d months\), ulna \(", up)
    assert re.match(r"third metacarpal \(−\d\.\d months\), fifth distal phalanx", down)
    assert "桡骨" in explained(MapKind.BONE_AGE, one, parts, lang="zh")[1]


def test_without_joints_hand_and_surroundings_are_told():
    one = ActivationMap("m", "bone_age", "months", np.full((10, 8), 0.05, np.float32), 100.0, 104.0)
    parts = regions(one, NORMAL, film=(500, 400))
    assert [row.title for row in region_rows(parts, unit="months", lang="en")] == ["hand", "outside the hand"]
    hand = 4 * 280 * 420 / 200_000
    assert [part.amount for part in parts] == pytest.approx([hand, 4 - hand], abs=0.02)
    nothing = ActivationMap("m", "bone_age", "months", np.zeros((2, 2), np.float32), 100.0, 100.0)
    _, most = explained(MapKind.BONE_AGE, nothing, regions(nothing, NORMAL, film=(500, 400)), lang="en")
    assert most == "What raises the age most: nothing. What lowers it most: nothing."


def test_numbers_are_written_with_their_sign():
    assert [amount_text(value, "months") for value in (3.14, -0.26, 0.04, -0.04)] == ["+3.1", "−0.3", "0.0", "0.0"]
    assert amount_text(-1.234, "logit") == "−1.23"
    one = ActivationMap("m", "bone_age", "months", np.array([[0.5, -0.25]], np.float32), 0.0, 0.25)
    assert limit_text(one, strongest=0.5, lang="en") == ("0.01", "months per 1 % of the film's area")
    same = ActivationMap("m", "bone_age", "months", np.repeat([[0.25, -0.125]], 2, 1).astype(np.float32), 0.0, 0.25)
    assert limit_text(same, strongest=0.25, lang="en")[0] == "0.01", "the grid does not matter"


def test_phrases_are_in_both_languages():
    english, chinese = (MAP_PHRASES[one] for one in Language)
    assert english.keys() == chinese.keys()
    for key, phrase in english.items():
        assert sorted(re.findall(r"\{\w+\}", phrase)) == sorted(re.findall(r"\{\w+\}", chinese[key])), key


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_each_map_over_the_film_with_a_slider_by_keyboard(lang, film, read, maps):
    text = to_html(read, radiograph=film.radiograph, maps=maps, lang=lang)
    page = Page(text)
    assert page.open == []
    stops = [one for tag, one in page.elements if tag == "input" and one.get("type") == "radio"]
    assert len(stops) == 22
    for kind in maps:
        own = [one for one in stops if one["name"] == f"opacity-{kind}"]
        assert [one["value"] for one in own] == [str(stop) for stop in range(0, 101, 10)]
        assert [one["value"] for one in own if "checked" in one] == ["70"]
        assert all(one["aria-label"] == f"{one['value']} %" for one in own)
    groups = [one["aria-label"] for _, one in page.elements if one.get("role") == "radiogroup"]
    phrases = MAP_PHRASES[Language(lang)]
    assert groups == [phrases["opacity"].format(title=phrases[kind]) for kind in maps]
    assert sum(one.get("href") == "#film-picture" for tag, one in page.elements if tag == "use") == 2
    assert text.count("data:image/jpeg") == to_html(read, radiograph=film.radiograph).count("data:image/jpeg")
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe"}
    style = text.split("<style>")[1].split("</style>")[0]
    for stop in range(0, 101, 10):
        assert f'.stop[value="{stop}"]:checked ~ svg .over {{ opacity: {stop / 100:g}; }}' in style
    said = "The map starts from a base of 120.0 months" if lang == "en" else "图以 120.0 个月 为基准"
    assert said in page.text


def test_the_layer_has_the_map_s_colours_and_is_clear_where_it_says_nothing(film, read, maps):
    text = to_html(read, radiograph=film.radiograph, maps={"bone_age": maps["bone_age"]})
    found = re.findall(r'class="over" href="data:image/png;base64,([^"]+)"', text)
    layer, bar = (np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGBA")) for one in found)
    assert layer.shape == (film.radiograph.height, film.radiograph.width, 4)
    assert layer[5, 5, 3] == 0
    radius = next(one.box for one in read.joints if one.name == "Radius")
    middle = layer[int(radius.y + radius.height / 2), int(radius.x + radius.width / 2)]
    assert middle[0] > middle[2] + 60, "orange where the age is raised"
    assert bar[0, [0, 127, -1], 3].tolist() == pytest.approx([255, 0, 255], abs=2)


def test_pages_without_maps_or_film_are_as_before(film, read, maps):
    assert to_html(read, radiograph=film.radiograph, maps={}) == to_html(read, radiograph=film.radiograph)
    assert "radiogroup" not in to_html(read, maps=maps)
