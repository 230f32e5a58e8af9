"""Dependencies point one way, torch stays in training, and only the command line prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "capitate"
LAYERS = (
    {"types", "errors"},
    {"assessed_joints"},
    {"radiograph", "assessment"},
    {"files", "hand", "quality", "methods", "explain", "phantom"},
    {"runtime"},
    {"assessor"},
    {"report"},
    {"service", "pacs", "cohort"},
    {"cli", "__main__"},
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
BESIDE = {"training", "evaluation"}
"""They may import anything up to the assessor and each other, and only the command line imports them."""
MODULES = sorted(PACKAGE.rglob("*.py"))
TORCH = {"torch", "torchvision", "timm", "kornia", "lightning", "accelerate"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever in it."""
    package = ("capitate", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *(node.module or "").split("."))).strip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def allowed(importer: str, imported: str) -> bool:
    if importer == imported or importer == "cli":
        return True
    if importer == "__main__":
        return imported == "cli"
    if importer == "__init__":
        return RANK.get(imported, 99) <= RANK["assessor"]
    if importer in BESIDE:
        return imported in BESIDE or RANK[imported] <= RANK["assessor"]
    if imported in BESIDE:
        return False
    return RANK[imported] < RANK[importer] or RANK[imported] == 0 == RANK[importer]


def test_every_part_has_its_place():
    assert {part_of(path) for path in MODULES} <= RANK.keys() | BESIDE | {"__init__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_follow_the_direction(path):
    importer = part_of(path)
    wrong = []
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "capitate" and len(parts) > 1 and parts[1] in RANK.keys() | BESIDE:
            wrong += [] if allowed(importer, parts[1]) else [f"line {line}: {importer} imports {name}"]
        elif parts[0] in TORCH and importer not in {"training", "explain"}:
            wrong.append(f"line {line}: {name} outside training")
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_command_line_prints(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert part_of(path) == "cli" or not prints


def test_a_wrong_direction_would_be_found():
    assert not allowed("files", "runtime")
    assert not allowed("files", "hand")
    assert not allowed("report", "training")
    assert not allowed("evaluation", "report")
    assert allowed("assessor", "runtime")
    assert allowed("types", "errors")
