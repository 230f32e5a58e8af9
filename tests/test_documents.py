"""Documents and program agree: commands and options exist, are documented, and what is marked as run does run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from capitate.cli import main
from capitate.cli.app import app
from capitate.phantom import draw
from capitate.types import Sex

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(?:\.venv/bin/)?(capitate [^`]+)`")


def commands() -> dict[str, set[str]]:
    """Every command by its words, with its options."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("-")}
        if not hasattr(command, "commands"):
            yield " ".join(words), options
            return
        for name, child in command.commands.items():
            yield from walk(child, (*words, name))

    return dict(walk(typer.main.get_command(app), ()))


COMMANDS = commands()
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}
GLOBAL = {"--version", "--debug", "--help", "-h"}


def blocks(page: Path) -> list[tuple[str, str]]:
    """Code blocks of a page: what stands behind the fence, and the text."""
    return [(found["info"], found["body"]) for found in _FENCE.finditer(page.read_text(encoding="utf-8"))]


def calls(page: Path) -> Iterator[str]:
    """Every call of capitate in a page, in blocks and in running text."""
    for info, body in blocks(page):
        if not info.startswith("python"):
            lines = (line.strip().removeprefix("$ ").partition(" > ")[0] for line in body.splitlines())
            yield from (line for line in lines if line.startswith("capitate "))
    plain = _FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from (found.replace("\n", " ") for found in _INLINE.findall(plain))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_commands_and_options_in_documents_exist(page):
    for call in calls(page):
        words = shlex.split(call.replace("[", "").replace("]", ""), comments=True)[1:]
        options = {word.split("=")[0] for word in words if word.startswith("-")}
        if words[0].startswith("-"):
            assert options <= GLOBAL, call
            continue
        name = next((name for name in COMMANDS if words[: len(name.split())] == name.split()), None)
        assert name or (len(words) == 1 and words[0] in GROUPS), f"no such command: {call}"
        assert options <= COMMANDS.get(name or "", set()) | GLOBAL, call


def section(name: str) -> str:
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    assert f"## `capitate {name}`\n" in text, f"docs/commands.md has no section on {name}"
    return text.split(f"## `capitate {name}`\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    told = section(name)
    long = {option for option in COMMANDS[name] if option.startswith("--")} - {"--help"}
    assert {option for option in long if not re.search(rf"{option}(?![\w-])", told)} == set()


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples name: film.png, films/, studies.csv, films.txt, manifest.csv and hands.csv."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "films").mkdir()
    for name, months in (("film.png", 126), ("films/film2.png", 60), ("films/film10.png", 150)):
        pixels = draw(age_months=months, sex=Sex.FEMALE, height=400, seed=months).radiograph.pixels
        Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(folder / name)
    (folder / "studies.csv").write_text(
        "path,sex,age_years\nfilms/film2.png,F,5\nfilms/film10.png,M,12\n", encoding="utf-8"
    )
    (folder / "films.txt").write_text("films/film10.png\nfilm.png\n", encoding="utf-8")
    (folder / "manifest.csv").write_text(
        "path,sex,bone_age_months,kind\nfilm.png,F,126,a\nfilms/film2.png,F,60,b\nfilms/film10.png,M,150,b\n",
        encoding="utf-8",
    )
    (folder / "hands.csv").write_text("id,sex,Radius,Ulna,MCPFirst\n1,F,9,8,8\n2,,7,-,6\n3,M,9,8,7\n", encoding="utf-8")
    return folder


def runnable() -> list[Any]:
    found = [(page, info, body) for page in DOCUMENTS for info, body in blocks(page) if info.endswith(" run")]
    return [pytest.param(info, body, id=f"{page.stem}-{n}") for n, (page, info, body) in enumerate(found)]


@pytest.mark.parametrize(("info", "body"), runnable())
def test_what_is_marked_as_run_does_run(info, body, drawn, tmp_path, monkeypatch):
    place = tmp_path / "examples"
    shutil.copytree(drawn, place)
    monkeypatch.chdir(place)
    if info.startswith("python"):
        exec(compile(body, "document", "exec"), {})
        return
    for line in body.splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "capitate"
        with pytest.raises(SystemExit) as end:
            main(words[1:])
        assert end.value.code == 0, line
