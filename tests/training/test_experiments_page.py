"""docs/experiments.md lists every key of an experiment with its default and the meaning that its docstring states.

`PYTHONPATH=src python tests/training/test_experiments_page.py` writes the tables of the page again.
"""

from __future__ import annotations

import inspect
import json
import re
import tomllib
import types
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from capitate.training.config import BoneAgeConfig, experiment_of
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.fractures import FracturesConfig
from capitate.training.settings.joint_grades import JointGradesConfig
from capitate.training.settings.joints import JointDetectorConfig
from capitate.training.settings.locator import LocatorConfig
from capitate.training.settings.outlines import OutlinesConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "experiments.md"
TASKS = {
    "bone-age": BoneAgeConfig(),
    "hand-locator": LocatorConfig(),
    "joint-detector": JointDetectorConfig(),
    "outlines": OutlinesConfig(),
    "joint-grades": JointGradesConfig(),
    "abnormality": AbnormalityConfig(),
    "fractures": FracturesConfig(),
}
_HEAD = "| key | default | meaning |\n|---|---|---|\n"


def shown(value: Any) -> str:
    """A default as TOML has it."""
    if is_dataclass(value):
        return "[" + ", ".join(shown(getattr(value, f.name)) for f in fields(value) if f.default is MISSING) + "]"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(shown, value)) + "]"
    return "none" if value is None else json.dumps(value.value if isinstance(value, Enum) else value)


def meanings(kind: type) -> dict[str, str]:
    """What the `Attributes:` of a class and of those that it extends say, by name."""
    texts = [(inspect.cleandoc(vars(one).get("__doc__") or "")).partition("Attributes:")[2] for one in kind.__mro__]
    found = re.findall(r"^    (\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", "\n".join(texts[::-1]), re.MULTILINE)
    return {name: " ".join(said.split()).replace("|", "\\|") for names, said in found for name in names.split(", ")}


def choices(hint: Any, said: str) -> str:
    """The names that a closed set allows, unless the meaning has them."""
    if isinstance(hint, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if isinstance(hint, type) and issubclass(hint, Enum) and not all(f"`{one.value}`" in said for one in hint):
        return " One of " + ", ".join(f"`{one.value}`" for one in hint) + "."
    return ""


def tables(task: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Heading and rows of every table of a task."""

    def walk(kind: type, default: Any, where: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
        hints, said = get_type_hints(kind), meanings(kind)
        rows, below = [], []
        for one in fields(kind):
            name, hint = one.name, hints[one.name]
            value = getattr(default, name) if default is not None else one.default
            path = f"{where}.{name}" if where else name
            if is_dataclass(hint):
                below.append((hint, value, path))
                continue
            if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
                below.append((get_args(hint)[0], None, f"{path}[]"))
            told = "must be given" if value is MISSING else f"`{shown(value)}`"
            rows.append((f"`{name}`", told, said[name] + choices(hint, said[name]) if name in said else ""))
        yield f"`{where}`" if where else f"Task `{task}`", rows
        for each in below:
            yield from walk(*each)

    yield from walk(type(TASKS[task]), TASKS[task], "")


def written(task: str) -> dict[str, list[tuple[str, ...]]]:
    """Rows of the page's tables by heading."""
    part = re.split(r"^## ", PAGE.read_text(encoding="utf8"), flags=re.MULTILINE)
    mine = next(text for text in part if text.startswith(f"Task `{task}`"))
    found: dict[str, list[tuple[str, ...]]] = {}
    heading = f"Task `{task}`"
    for line in mine.splitlines()[1:]:
        if line.startswith("### "):
            heading = line[4:]
        elif line.startswith("| `"):
            found.setdefault(heading, []).append(tuple(cell.strip() for cell in line[2:-2].split(" | ")))
    return found


@pytest.mark.parametrize("task", TASKS)
def test_every_key_stands_on_the_page(task):
    found = written(task)
    expected = {heading: rows for heading, rows in tables(task) if rows}
    assert set(found) == set(expected)
    for heading, rows in expected.items():
        assert [row[:2] for row in found[heading]] == [row[:2] for row in rows], heading
        for (key, _, told), (_, _, said) in zip(found[heading], rows, strict=True):
            assert told, f"{heading} {key} has no meaning on the page"
            assert told == (said or told), f"{heading} {key}"


def test_examples_on_the_page_are_experiments():
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL)
    stages = experiment_of(tomllib.loads(blocks[0])).optimiser.stages
    assert [(stage.dropout, stage.augment) for stage in stages] == [(0.1, 0.6), (0.3, 1.0)]


def rewrite() -> None:
    """Write the tables again, keeping what the page says about keys that no docstring explains."""
    text = PAGE.read_text(encoding="utf8")
    for task in TASKS:
        old = {(heading, row[0]): row[2] for heading, rows in written(task).items() for row in rows if len(row) > 2}
        made = ""
        for heading, rows in tables(task):
            title = "" if heading.startswith("Task") else f"### {heading}\n\n"
            lines = [f"| {key} | {value} | {said or old.get((heading, key), '')} |" for key, value, said in rows]
            made += f"{title}{_HEAD}" + "\n".join(lines) + "\n\n" if rows else ""
        start = text.index(f"## Task `{task}`")
        begin = text.index(_HEAD, start)
        following = text.find("\n## ", start)
        end = len(text) if following < 0 else following + 1
        text = text[:begin] + made.rstrip("\n") + "\n" + ("\n" if following >= 0 else "") + text[end:]
    PAGE.write_text(text, encoding="utf8")


if __name__ == "__main__":
    rewrite()
