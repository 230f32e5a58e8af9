"""Real films and foreign programs: found, skipped with a reason, or required."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_sessionstart() -> None:
    """Require the extra for training where CAPITATE_REQUIRE_TRAIN is 1; its tests skip themselves without it."""
    absent = [name for name in ("torch", "timm", "onnx") if importlib.util.find_spec(name) is None]
    if absent and os.environ.get("CAPITATE_REQUIRE_TRAIN") == "1":
        pytest.exit(f"CAPITATE_REQUIRE_TRAIN=1 requires {', '.join(absent)}: pip install '.[train]'", returncode=1)


def missing(reason: str, *, required_by: str) -> None:
    """Skip the test, or fail it where the variable is set to 1."""
    if os.environ.get(required_by) == "1":
        pytest.fail(f"{reason} ({required_by}=1 requires it)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def films_root() -> Path:
    """Folder of the real films: CAPITATE_DATA, or shared/data beside the checkout."""
    root = Path(os.environ.get("CAPITATE_DATA") or CHECKOUT.parent / "shared" / "data")
    if not root.is_dir():
        missing(f"no real films: {root.name!r} is no folder; set CAPITATE_DATA", required_by="CAPITATE_REQUIRE_FILMS")
    return root


@pytest.fixture(scope="session")
def peer() -> Callable[[str], str]:
    """Path of a foreign program by its name."""

    def find(program: str) -> str:
        found = shutil.which(program) or shutil.which(program, path="/usr/bin")
        if found is None:
            missing(f"{program} is not installed", required_by="CAPITATE_REQUIRE_PEERS")
        return str(found)

    return find
