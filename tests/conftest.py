"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def films_root() -> Path:
    """Folder of the real films, or skip with the reason."""
    root = Path(os.environ.get("CAPITATE_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not root.is_dir():
        pytest.skip(f"the real films are not here (looked in {root}); set CAPITATE_DATA to their folder")
    return root
