"""Help: there for every command, with examples, and quick because nothing heavy is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from capitate import __version__, report
from capitate.cli.app import app
from capitate.cli.options import Lang


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Words of every command."""
    for name, command in group.commands.items():
        yield from commands(command, (*words, name)) if hasattr(command, "commands") else [(*words, name)]


COMMANDS = tuple(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_examples(run, words):
    result = run(*words, "--help")
    assert result.code == 0
    assert f"capitate {' '.join(words)}" in result.out.partition("Examples")[2]


def helps(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Help text of every parameter, by its command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from helps(command, (*words, name))
        else:
            yield from ((" ".join((*words, name)), one.help or "") for one in command.params if hasattr(one, "help"))


def test_no_help_text_is_taken_for_markup():
    """Rich leaves out what stands in square brackets, unless they are escaped."""
    taken = [(words, text) for words, text in helps(typer.main.get_command(app)) if re.search(r"(?<!\\)\[[a-z]", text)]
    assert taken == []


def test_version(run):
    assert run("--version").out == f"capitate {__version__}\n"


def test_languages_are_those_of_the_reports():
    assert {lang.value for lang in Lang} == {lang.value for lang in report.Language}


@pytest.mark.parametrize("words", [["--help"], ["assess", "--help"], ["--version"]])
def test_help_imports_no_models_and_no_numbers(words):
    code = (
        "import sys\nfrom capitate.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    heavy = {'numpy', 'onnxruntime', 'pydicom', 'PIL', 'scipy', 'torch'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "capitate", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("capitate ")


def test_no_command_prints_the_help(run):
    result = run()
    assert result.code == 2
    assert "assess" in result.out + result.err
