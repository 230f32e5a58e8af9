"""The page's files as they are: words in both languages, nothing inline, nothing from a network, small modules."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from capitate.service.api.app import PAGE

MODULES = sorted(PAGE.glob("*.js"))
MARKUP = (PAGE / "index.html").read_text(encoding="utf-8")
MOST_LINES = 300


def _words(language: str) -> dict[str, str]:
    """Words by key, as the module has them."""
    text = (PAGE / f"words-{language}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'(\w+):\s*"([^"]*)"', text))


def _script() -> str:
    """Everything but the words."""
    return "\n".join(one.read_text(encoding="utf-8") for one in MODULES if not one.name.startswith("words-"))


def test_both_languages_say_the_same_things():
    english, chinese = _words("en"), _words("zh")
    assert len(english) > 200
    assert english.keys() == chinese.keys()
    holes = {key for key in english if _holes(english[key]) != _holes(chinese[key])}
    assert not holes


def _holes(text: str) -> Counter[str]:
    return Counter(re.findall(r"\{\w+\}", text))


def test_chinese_is_chinese():
    plain = {key for key, text in _words("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert plain == {"history_line", "model_line", "rotate_angle", "rus_chn", "tw3", "zoom_reading"}


def test_every_word_that_the_page_asks_for_is_there():
    asked = set(re.findall(r'data-(?:word|label|placeholder)="(\w+)"', MARKUP))
    asked |= set(re.findall(r'\bwords\("(\w+)"', _script()))
    assert asked <= _words("en").keys()


def test_every_element_that_the_modules_look_for_is_there():
    looked_for = set(re.findall(r'byId\("([\w-]+)"\)', _script()))
    ids = re.findall(r'\bid="([\w-]+)"', MARKUP)
    assert len(looked_for) > 50
    assert looked_for <= set(ids)
    assert len(ids) == len(set(ids))


def test_nothing_is_inline():
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", MARKUP)
    assert re.findall(r"<script[^>]*>[^<]*</script>", MARKUP) == ['<script type="module" src="main.js"></script>']
    assert not re.search(r'setAttribute\("style"|innerHTML|insertAdjacentHTML|\beval\(|new Function', _script())


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_nothing_comes_from_a_network(path):
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8")))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, never fetched


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_are_small_and_what_they_import_is_there(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for names, module in re.findall(r'import \{([^}]*)\} from "\./([\w-]+\.js)"', text):
        exported = set(
            re.findall(
                r"export (?:async )?(?:function\*?|const|class) (\w+)", (PAGE / module).read_text(encoding="utf-8")
            )
        )
        assert {name.split(" as ")[0].strip() for name in names.split(",") if name.strip()} <= exported, module


def test_every_file_is_used():
    used = set(re.findall(r'(?:href|src)="([\w.-]+)"', MARKUP)) | set(re.findall(r'from "\./([\w.-]+)"', _script()))
    assert {path.name for path in PAGE.iterdir()} - used == {"index.html"}
