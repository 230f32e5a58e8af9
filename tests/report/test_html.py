import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from capitate.assessment import NOTICE, Source
from capitate.errors import UsageError
from capitate.radiograph import Radiograph
from capitate.report import to_html

from .examples import DIGEST, LATER, MATURE, NORMAL, REFUSED, UNKNOWN_SEX, UNREADABLE, WARNED, WRITTEN

VOID = {"meta", "input", "br", "img"}


class Page(HTMLParser):
    """Collects text, attributes and whether every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_example_is_well_formed_and_holds_all_it_needs(example, lang, radiograph):
    page = Page(to_html(example, radiograph=radiograph, lang=lang, written=WRITTEN))
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "base"}
    inside = tuple(f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes)
    for _, attributes in page.elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(key, "data:").startswith("data:") or attributes[key] in inside
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_style_fetches_nothing():
    style = to_html(NORMAL).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_what_a_normal_page_says(radiograph):
    page = Page(to_html(NORMAL, radiograph=radiograph, written=WRITTEN))
    for said in (
        "10 years 6 months (126.5 months)",
        "9 years 1 months to 11 years 10 months",
        "female (as given)",
        "Greulich-Pyle, as RSNA's readers used it",
        "chronological age 9 years 10 months",
        "2025-03-04 09:30 UTC",
        "bone-age-default",
        "1.0.0",
        "ab" * 32,
        "research only (LICENSE-WEIGHTS.md)",
        DIGEST,
        "3° clockwise",
        "400 × 500 pixels, 8 bit, PNG",
        "decode 31 ms",
        "Joints were not assessed",
        "No warnings.",
        NOTICE,
    ):
        assert said in page.text
    assert dict(page.elements[0][1])["lang"] == "en"


def test_the_same_arguments_give_the_same_page(radiograph):
    assert to_html(NORMAL, radiograph=radiograph) == to_html(NORMAL, radiograph=radiograph)
    assert "<time>" not in to_html(NORMAL)


def test_chinese_page(radiograph):
    page = Page(to_html(WARNED, radiograph=radiograph, lang="zh"))
    assert dict(page.elements[0][1])["lang"] == "zh-Hans"
    for said in ("骨龄报告", "10岁6个月 （126.5个月）", "研究软件，非医疗器械", "实足年龄", "骨龄的概率分布"):
        assert said in page.text


def test_hand_box_is_drawn_in_film_pixels_and_can_be_hidden(radiograph):
    elements = Page(to_html(NORMAL, radiograph=radiograph)).elements
    boxes = [attributes for tag, attributes in elements if tag == "rect" and attributes["class"] == "box"]
    assert [(box["x"], box["y"], box["width"], box["height"]) for box in boxes] == [("60.0", "40.0", "280.0", "420.0")]
    picture = next(attributes for _, attributes in elements if attributes.get("class") == "picture")
    assert picture["viewbox"] == "0 0 400 500"
    assert any(attributes.get("type") == "checkbox" for tag, attributes in elements if tag == "input")


def _picture(page):
    return Image.open(io.BytesIO(base64.b64decode(re.search(r'href="data:image/jpeg;base64,([^"]+)"', page)[1])))


def test_the_film_is_shown_at_most_a_thousand_pixels_long():
    pixels = np.tile(np.linspace(0.2, 0.4, 1200, dtype=np.float32), (2400, 1))
    picture = _picture(to_html(NORMAL, radiograph=Radiograph(pixels=pixels, name="film.png", sha256=DIGEST)))
    assert picture.size == (500, 1000)
    assert picture.mode == "L"
    shown = np.asarray(picture)
    assert shown[:, :5].mean() < 6, "contrast is stretched"
    assert shown[:, -5:].mean() > 249
    assert not picture.getexif()


def test_a_small_or_blank_film_is_shown_as_it_is():
    blank = Radiograph(pixels=np.full((20, 30), 0.5, np.float32), name="blank.png", sha256="0" * 64)
    picture = _picture(to_html(REFUSED, radiograph=blank))
    assert picture.size == (30, 20)
    assert set(np.unique(picture)) == {128}


def test_unknown_sex_shows_both(radiograph):
    text = Page(to_html(UNKNOWN_SEX, radiograph=radiograph)).text
    assert "If female 10 years 0 months (120.0 months)".lower() in text.lower()
    assert "if male 11 years 1 months (133.3 months)" in text.lower()
    assert "The sex is not known." in text


def test_mature_hand_is_said_to_be_mature():
    text = Page(to_html(MATURE)).text
    assert "mature (at least 18 years 0 months)" in text
    assert "a lower bound" in text


def test_refused_page_gives_the_reason_and_no_age():
    text = Page(to_html(REFUSED)).text
    assert "This film was not assessed The film is blank: all pixels are 0; send a hand radiograph." in text
    assert "not_a_radiograph" in text
    assert "Age scale" not in text
    assert "There is no file 'a/gone.png'" in Page(to_html(UNREADABLE)).text


def test_nothing_from_outside_becomes_markup(radiograph):
    name = '"><script>alert(1)</script>.png'
    page = to_html(replace(WARNED, source=Source(name=name, sha256=None)), radiograph=radiograph)
    assert "<script" not in page
    assert "states &lt;male&gt;, female was given &amp; used" in page
    assert name in Page(page).text


def test_pages_of_later_results_still_render():
    assert "10 years 6 months" in to_html(LATER)


def test_another_language_is_a_usage_error():
    with pytest.raises(UsageError, match="got 'fr'"):
        to_html(NORMAL, lang="fr")


def _luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [("ink", "paper"), ("soft", "paper"), ("soft", "panel"), ("amber", "amber-panel"), ("soft", "amber-panel"),
     ("red", "red-panel"), ("soft", "red-panel"), ("accent", "paper"), ("ink", "band")],
)  # fmt: skip
def test_text_stands_out_by_wcag_aa(scheme, ink, paper):
    blocks = re.findall(r":root \{(.*?)\}", to_html(NORMAL), flags=re.S)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[scheme]))
    lighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
