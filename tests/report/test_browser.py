"""The page in a real browser."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.report import to_html

from .examples import EXAMPLES, WRITTEN
from .joint_examples import assessed, corrected, drawn, without
from .map_examples import age_map, screen_map

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CAPITATE_REQUIRE_PEERS") != "1",
        reason="Chromium is not installed; run: apt-get install chromium",
    ),
]


def _chromium(folder, page, *flags):
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={folder / 'net.json'}", *flags, path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8")


def _requested(folder):
    """Return the network addresses that a page asked for; what the browser asks for itself has no origin."""
    log = json.loads((folder / "net.json").read_text(encoding="utf-8"))
    asked = [event["params"] for event in log["events"] if "initiator" in event.get("params", {})]
    addresses = {str(one.get("url", "")) for one in asked if one["initiator"] != "not an origin"}
    return {address for address in addresses if re.match(r"(https?|wss?|ftp):", address)}


@pytest.mark.parametrize("name", ["normal", "refused"])
def test_page_renders_and_asks_nothing_of_a_network(name, tmp_path, radiograph):
    page = to_html(EXAMPLES[name], radiograph=radiograph, written=WRITTEN)
    dom = _chromium(tmp_path, page, "--dump-dom")
    assert "</html>" in dom
    assert ("126.5 months" if name == "normal" else "This film was not assessed") in dom
    assert _requested(tmp_path) == set()


def test_the_net_log_would_show_a_request(tmp_path):
    page = '<!DOCTYPE html><img src="http://film.invalid/a.png">'
    _chromium(tmp_path, page, "--dump-dom")
    assert _requested(tmp_path) == {"http://film.invalid/a.png"}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["unknown_sex", "warned"])
def test_page_prints_on_one_sheet(name, lang, tmp_path, radiograph):
    _chromium(tmp_path, to_html(EXAMPLES[name], radiograph=radiograph, lang=lang, written=WRITTEN),
              f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")  # fmt: skip
    assert _sheets(tmp_path / "page.pdf") == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_with_joints_prints_on_three_sheets(lang, tmp_path):
    phantom = drawn()
    read = corrected(without(assessed(phantom), "MCPThird"), "Radius", 9)
    page = to_html(read, radiograph=phantom.radiograph, lang=lang, written=WRITTEN)
    _chromium(tmp_path, page, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")
    assert _sheets(tmp_path / "page.pdf") == 3
    assert _requested(tmp_path) == set()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_two_maps_print_on_a_sheet_of_their_own_and_ask_nothing_of_a_network(lang, tmp_path):
    phantom = drawn()
    read = assessed(phantom)
    maps = {"bone_age": age_map(read, phantom.radiograph), "abnormality": screen_map()}
    page = to_html(read, radiograph=phantom.radiograph, maps=maps, lang=lang, written=WRITTEN)
    _chromium(tmp_path, page, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")
    assert _sheets(tmp_path / "page.pdf") == 4
    assert _requested(tmp_path) == set()


def test_the_slider_s_stops_change_the_map_over_the_film(tmp_path):
    phantom = drawn()
    read = assessed(phantom)
    page = to_html(read, radiograph=phantom.radiograph, maps={"bone_age": age_map(read, phantom.radiograph)})
    coloured = {}
    for stop in (0, 50, 100):
        moved = page.replace(" checked>", ">").replace(
            f'value="{stop}" aria-label="{stop} %"', f'value="{stop}" checked'
        )
        moved = moved.replace("</style>", "main > :not(.maps), .maps > p, .sources, .bar { display: none } </style>")
        shot = tmp_path / f"{stop}.png"
        _chromium(tmp_path, moved, f"--screenshot={shot}", "--window-size=1000,1000", "--hide-scrollbars")
        with Image.open(shot) as picture:
            pixels = np.asarray(picture.convert("RGB"))[250:750, 60:450].astype(int)
        coloured[stop] = int((pixels[..., 0] - pixels[..., 2] > 25).sum())
    assert coloured[0] == 0, "the film alone"
    assert 0 < coloured[50] < coloured[100]


def _sheets(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))
