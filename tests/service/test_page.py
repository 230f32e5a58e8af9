"""The page in Chromium: a reader's whole story, with a real film where there are some, else with a drawn one."""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageOps

pytest.importorskip("playwright", reason="playwright is not installed: pip install '.[dev]'")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed: pip install '.[dev]'")
pytest.importorskip("fastapi", reason="the service is not installed: pip install '.[serve]'")

from capitate.phantom.demo import demo_film

from .browser import PATIENCE_SECONDS, Reader, chromium, reader, service

sys.path.append(str(Path(__file__).parents[1]))  # tests have no package above their folders
from files.film_makers import dicom

pytestmark = [pytest.mark.peer, pytest.mark.slow]
REAL = "rsna-highres/1380.webp"  # a boy of 120 months; every joint is found


@pytest.fixture(scope="module")
def browser(peer: Callable[[str], str]) -> Iterator[Any]:
    """One Chromium for all; not longer than this module, since Playwright's loop would be in the way of others."""
    with chromium(peer("chromium")) as one:
        yield one


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A drawn hand as PNG."""
    path = tmp_path_factory.mktemp("drawn") / "hand.png"
    demo_film(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def film(drawn: bytes) -> tuple[str, bytes]:
    """Name and bytes of a film: a real one, or a drawn one where there is none."""
    data = os.environ.get("CAPITATE_DATA") or Path(__file__).parents[3] / "shared" / "data"
    real = Path(data) / REAL
    return (real.name, real.read_bytes()) if real.is_file() else ("hand.png", drawn)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with service(tmp_path_factory.mktemp("page") / "store") as address:
        yield address


@pytest.fixture(scope="module")
def stored(url: str, film: tuple[str, bytes]) -> dict[str, Any]:
    """The film, assessed already."""
    about = {"sex": "male", "child": "A-1"}
    answer = httpx.post(f"{url}/v1/assessments", files={"film": film}, data=about, timeout=PATIENCE_SECONDS)
    record = answer.json()
    assert record["status"] == "done", record
    return record


@pytest.fixture
def at_page(url: str, browser: Any) -> Iterator[Reader]:
    with reader(url, browser) as one:
        yield one


@pytest.fixture
def at_film(stored: dict[str, Any], url: str, browser: Any) -> Iterator[Reader]:
    """A reader with the stored film open."""
    with reader(f"{url}/#{stored['id']}", browser) as one:
        one.url = url
        one.await_age()
        yield one


def _grade(page: Any) -> int:
    return int(re.search(r"\d+", page.locator("#joint-detail output").inner_text())[0])


def _other_way(page: Any, most: int) -> str:
    """The arrow that changes the chosen joint's grade, whatever it is."""
    return "ArrowUp" if _grade(page) < most else "ArrowDown"


def test_a_reader_drops_a_film_corrects_a_grade_saves_the_pdf_and_finds_it_again(at_page, film):
    page = at_page.page
    assert at_page.axe() == []
    page.get_by_text("About the child").click()
    page.select_option("#child-form [name=sex]", "male")
    page.fill("#child-form [name=birth_date]", "2010-03-01")
    page.fill("#child-form [name=study_date]", "2020-06-15")
    page.fill("#child-form [name=child]", "B-2")
    assert at_page.axe() == []
    page.get_by_text("About the child").click()

    at_page.drop(film)
    page.locator("#items li").first.wait_for()
    age = at_page.await_age()
    assert re.fullmatch(r"\d+ y \d+ m \(\d+\.\d months\)", age)
    assert page.locator("#ages svg.scale").get_attribute("aria-label").startswith("Scale from 0 to 19 years: Bone age")
    assert "10 y 3 m" in page.locator("#ages").inner_text()
    assert page.locator("#overlay [role=button]").count() > 13
    assert at_page.axe() == []

    page.locator('#overlay [data-joint="Radius"]').click()
    assert page.locator("#joint-detail img").count() == 4
    before, points = _grade(page), page.locator("#ages .facts dd").first.inner_text()
    page.keyboard.press("ArrowUp")
    assert _grade(page) == before + 1
    at_page.await_saved()
    assert page.locator("#ages .facts dd").first.inner_text() != points
    assert "the machine read" in page.locator("#joint-detail .status").inner_text()
    radius = at_page.record()["assessment"]["joints"][0]
    assert (radius["grade"]["value"], radius["grade"]["machine_value"]) == (before + 1, before)
    assert at_page.axe() == []

    page.click("#tab-report")
    with page.expect_download() as saved:
        page.click("#report-pdf")
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF-")
    assert saved.value.suggested_filename.endswith("-en.pdf")
    page.select_option("#report-lang", "zh")
    page.click("#report-preview")
    page.frame_locator("#report-frame").get_by_text("骨龄报告").wait_for()
    page.keyboard.press("Escape")
    assert at_page.axe() == []

    found = at_page.open_id()
    page.reload()
    assert at_page.await_age() == age
    assert at_page.open_id() == found
    assert page.locator("#joint-detail h3").inner_text().casefold() == "radius"
    assert _grade(page) == before + 1

    page.fill("#search", "B-2")
    page.locator("#items li").first.wait_for()
    page.locator(f'#items [data-id="{found}"]').wait_for()
    page.fill("#search", "nothing has this name")
    page.get_by_text("No film fits this search.").wait_for()


def test_undo_takes_the_last_change_back(at_film):
    page = at_film.page
    page.locator('[data-row="Ulna"]').click()
    before = _grade(page)
    page.keyboard.press(_other_way(page, 12))
    at_film.await_saved()
    assert _grade(page) != before
    page.keyboard.press("u")
    at_film.await_saved()
    page.locator("#joint-detail output", has_text=f"grade {before} of").wait_for()
    assert at_film.record()["assessment"]["joints"][1]["grade"]["corrected_by"] is None


def test_an_edit_that_met_another_readers_is_explained_and_can_be_applied_again(at_film):
    page = at_film.page
    at_film.expected.add(412)
    page.locator('[data-row="MCPThird"]').click()
    mine = _grade(page) + (1 if _grade(page) < 10 else -1)
    record = at_film.record()
    answer = httpx.patch(
        f"{at_film.url}/v1/assessments/{record['id']}/grades",
        json={"grades": {"PIPThird": 6}, "by": "another"},
        headers={"If-Match": f'"{record["revision"]}"'},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200, answer.text

    page.keyboard.press("ArrowUp" if mine > _grade(page) else "ArrowDown")
    page.get_by_text("Somebody else changed this assessment meanwhile").wait_for()
    assert f"you have grade {mine}" in page.locator("#question-rows").inner_text()
    assert at_film.axe() == []
    page.click("text=Apply mine again")
    at_film.await_saved()
    now = {one["name"]: one["grade"] for one in at_film.record()["assessment"]["joints"]}
    assert now["MCPThird"]["value"] == mine
    assert (now["PIPThird"]["value"], now["PIPThird"]["corrected_by"]) == (6, "another")


def test_an_edit_without_the_service_is_kept_and_sent_again(at_film):
    page = at_film.page
    page.locator('[data-row="DIPFifth"]').click()
    wanted = _grade(page) + (1 if _grade(page) < 11 else -1)
    page.context.set_offline(True)
    page.keyboard.press("ArrowUp" if wanted > _grade(page) else "ArrowDown")
    page.locator("#notices").get_by_text("Your change was not saved").wait_for()
    assert _grade(page) == wanted
    page.context.set_offline(False)
    page.locator("#notices").get_by_role("button", name="Try again").click()
    at_film.await_saved()
    assert {one["name"]: one["grade"] for one in at_film.record()["assessment"]["joints"]}["DIPFifth"][
        "value"
    ] == wanted


def test_the_keyboard_alone_is_enough(at_page, stored):
    page, keys = at_page.page, at_page.page.keyboard
    # Playwright turns choosers over only while somebody listens, and needs a while to begin: a key is faster.
    page.on("filechooser", lambda chooser: None)
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(8):
        keys.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.evaluate("document.activeElement.blur()")
    keys.press("/")
    keys.type("A-1")
    page.locator(f'#items [data-id="{stored["id"]}"]').wait_for()
    keys.press("Escape")
    keys.press("PageDown")
    at_page.await_age()
    keys.press("ArrowRight")
    assert page.locator("#joint-detail h3").inner_text().casefold() == "radius"
    before = _grade(page)
    keys.press(_other_way(page, 14))
    at_page.await_saved()
    assert _grade(page) != before
    keys.press("m")
    at_page.await_saved()

    reading = page.locator("#reading").inner_text()
    keys.press("8")
    page.locator("#reading", has_not_text=reading).wait_for()
    keys.press("f")
    keys.press("i")
    page.locator("#invert[aria-pressed=true]").wait_for()
    keys.press("h")
    page.locator("#layer-map[aria-pressed=true]").wait_for()
    page.locator("#map-legend svg").first.wait_for()
    assert at_page.axe() == []
    keys.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    assert at_page.axe() == []
    keys.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")
    with page.expect_file_chooser() as chooser:
        keys.press("a")
    assert chooser.value.is_multiple()
    with page.expect_download() as saved:
        keys.press("Shift+s")
    assert saved.value.suggested_filename.endswith(".pdf")


def test_dragging_is_window_and_level_and_shift_pans(at_film):
    page = at_film.page
    frame = page.locator("#stage").bounding_box()
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    before = page.locator("#reading").inner_text()
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 40, steps=4)
    page.mouse.up()
    page.locator("#reading", has_not_text=before).wait_for()
    dragged = page.locator("#reading").inner_text()
    place = page.locator("#overlay .shapes").get_attribute("transform")
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(middle[0], middle[1], steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.locator(f'#overlay .shapes:not([transform="{place}"])').wait_for()
    assert page.locator("#reading").inner_text() == dragged


def test_a_tablet_has_room_large_buttons_and_pinching(stored, url, browser):
    tablet = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
    with reader(f"{url}/#{stored['id']}", browser, **tablet) as one:
        one.await_age()
        page = one.page
        assert page.locator("#list").is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator('[data-row="Radius"]').tap()
        page.locator("#joint-detail h3").wait_for()
        small = page.evaluate(
            """() => Array.from(document.querySelectorAll("button, select, input, a.button, summary"))
              .filter((one) => one.offsetParent && !one.closest(".shares"))
              .filter((one) => Math.min(one.offsetWidth, one.offsetHeight) < 44).map((one) => one.outerHTML)"""
        )
        assert small == []  # the columns of probabilities are narrower: the buttons + and - do the same
        assert one.axe() == []
        _pinch(page)
        page.set_viewport_size({"width": 1180, "height": 820})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert one.axe() == []


def _pinch(page: Any) -> None:
    """Spread two fingers; the film grows."""
    frame = page.locator("#stage").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    before = page.locator("#reading").inner_text()
    touch = page.context.new_cdp_session(page)
    for kind, spread in [("touchStart", 40), ("touchMove", 70), ("touchMove", 110), ("touchEnd", None)]:
        points = [] if spread is None else [{"x": x + side * spread, "y": y, "id": side + 1} for side in (-1, 1)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.locator("#reading", has_not_text=before).wait_for()
    zoom = [int(re.search(r"(\d+) %", text)[1]) for text in (before, page.locator("#reading").inner_text())]
    assert zoom[1] > 1.5 * zoom[0]


def test_an_archive_and_what_is_no_film_are_each_told(at_page, film):
    page = at_page.page
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("visit/" + film[0], film[1])
    at_page.expected.add(422)  # what is no film has no pixels
    at_page.drop(("films.zip", packed.getvalue()), ("broken.png", b"not a film"))
    page.locator("#upload-rows").get_by_text("1 films taken from the archive").wait_for()
    page.locator("#upload-rows .refused").wait_for()
    assert "refused" in page.locator("#upload-rows .refused").inner_text()
    assert at_page.axe() == []


def test_several_films_in_one_drop_are_read_told_and_can_be_cancelled(at_page, drawn):
    page = at_page.page
    page.get_by_text("About the child").click()
    page.fill("#child-form [name=child]", "C-3")
    page.uncheck("#child-form [name=maps]")
    at_page.expected.add(422)  # what is no film has no pixels
    at_page.drop(
        ("first.png", drawn), ("second.png", _negative(drawn)), ("third.png", drawn), ("notes.txt", b"no film")
    )

    rows = page.locator("#upload-rows li")
    page.locator("#items [data-id]", has_text="third.png").wait_for()
    rows.get_by_role("button", name="Cancel: third.png").click()
    rows.filter(has_text="third.png").filter(has_text="cancelled").wait_for()
    page.locator("#upload-rows .refused", has_text="notes.txt").wait_for()
    read = page.locator("#items li.done")
    read.filter(has_text="first.png").wait_for()
    read.filter(has_text="second.png").wait_for()
    page.locator("#upload-rows li:not(.refused, .cancelled)").wait_for(state="detached")
    assert sorted(rows.locator(".name").all_inner_texts()) == ["notes.txt", "third.png"]
    assert at_page.axe() == []

    at_page.await_age()  # the first one opened itself
    page.click("#tab-earlier")
    page.locator("#earlier-list").get_by_text("second.png").wait_for()
    page.keyboard.press("b")
    page.locator("#beside").get_by_text("second.png").wait_for()
    assert at_page.axe() == []


def _negative(film: bytes) -> bytes:
    """The same film with dark bone, which makes it another file."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(film)) as hand:
        ImageOps.invert(hand.convert("L")).save(stream, format="PNG")
    return stream.getvalue()


def test_a_film_that_is_deleted_while_it_waits_leaves_the_page(at_page, drawn):
    page = at_page.page
    at_page.expected.add(404)
    at_page.drop(("kept.png", drawn), ("deleted.png", drawn))
    item = page.locator("#items [data-id]", has_text="deleted.png")
    item.wait_for()
    found = item.get_attribute("data-id")
    httpx.delete(f"{at_page.url}/v1/assessments/{found}", timeout=PATIENCE_SECONDS).raise_for_status()
    page.locator("#upload-rows li", has_text="deleted.png").wait_for(state="detached")
    page.locator("#upload-rows li", has_text="kept.png").wait_for(state="detached")


def test_sex_that_contradicts_the_file_stands_beside_the_age(at_page, drawn):
    page = at_page.page
    with Image.open(io.BytesIO(drawn)) as hand:
        boy = dicom(np.asarray(hand.convert("L")), PatientSex="M", BodyPartExamined="HAND")
    page.get_by_text("About the child").click()
    page.select_option("#child-form [name=sex]", "female")
    page.uncheck("#child-form [name=maps]")
    at_page.drop(("boy.dcm", boy))
    at_page.await_age()
    assert "Sex: file and form disagree" in page.locator("#warnings").inner_text()
    assert at_page.axe() == []


def test_another_language_is_spoken_and_kept(at_film):
    page = at_film.page
    page.select_option("#language", "zh")
    assert page.locator("#tab-joints").inner_text() == "关节"
    assert re.search(r"\d+岁\d+个月", page.locator("#ages .age").first.inner_text())
    assert at_film.axe() == []
    page.reload()
    at_film.await_age()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"


def test_a_token_is_asked_for_and_again_when_the_session_ended(browser, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ward write {hashlib.sha256(b'opens-the-door').hexdigest()}\n", encoding="utf-8")
    tokens.chmod(0o600)
    with service(tmp_path / "store", "--tokens", str(tokens)) as url, reader(url, browser) as one:
        one.complaints.clear()
        one.expected.add(401)
        page, asked = one.page, one.page.get_by_role("dialog", name="A token is needed")
        asked.wait_for()
        one.complaints.clear()
        assert one.axe() == []
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.get_by_text("This token is not known.").wait_for()
        page.fill("#token", "opens-the-door")
        page.keyboard.press("Enter")
        page.get_by_text("No film yet. Drop one here to begin.").wait_for()
        page.locator("#logout").wait_for()

        _end_session(one)
        page.fill("#search", "anything")
        asked.wait_for()
        page.fill("#token", "opens-the-door")
        page.keyboard.press("Enter")
        page.get_by_text("No film fits this search.").wait_for()
        assert page.input_value("#search") == "anything"
        page.click("#logout")
        asked.wait_for()


def _end_session(one: Reader) -> None:
    """End the page's session elsewhere; its browser does not know."""
    cookies = {cookie["name"]: cookie["value"] for cookie in one.page.context.cookies()}
    with httpx.Client(base_url=one.url, cookies=cookies, timeout=PATIENCE_SECONDS) as client:
        csrf = client.get("/v1/session").json()["csrf"]
        client.delete("/v1/session", headers={"X-CSRF-Token": csrf}).raise_for_status()
