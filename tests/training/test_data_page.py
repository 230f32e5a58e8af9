"""docs/data.md names every fault that the check can find, with its gravity, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from capitate.training.checks.fault import Gravity
from capitate.training.checks.table_checks import CELL_FAULTS

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "src" / "capitate" / "training" / "checks"


def told() -> dict[str, Gravity]:
    """Codes in the page's table."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| (error|warning|note) \|", page, re.MULTILINE)
    return {code: Gravity(gravity) for codes, gravity in rows for code in re.findall(r"`(\w+)`", codes)}


def found() -> dict[str, Gravity]:
    """Codes of all calls of `fault`, and of the kinds of cells."""
    codes = dict.fromkeys(CELL_FAULTS, Gravity.ERROR)
    for path in CHECKS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fault"):
                continue
            code, gravity = node.args[:2]
            if isinstance(code, ast.Constant) and isinstance(gravity, ast.Attribute):
                codes[code.value] = Gravity[gravity.attr]
    return codes


def test_every_fault_is_documented_with_its_gravity():
    assert len(found()) > 25
    assert told() == found()
