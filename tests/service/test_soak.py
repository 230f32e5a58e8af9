"""`make soak` in small: load and faults on the whole service; times are not judged, other tests run too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("fastapi", "httpx"):
    pytest.importorskip(needed, reason="the service is not installed: pip install '.[serve]'")

PROGRAM = Path(__file__).parents[1] / "soak"
SECONDS = 1500


def soak(target: Path, *parts: str, scale: float) -> dict:
    """Run parts of the soak; gives its tally, and fails where one of them complains."""
    words = ["--scale", str(scale), "--model", "bone-age-small", "--times-unjudged", "--out", target, "--parts", *parts]
    command = [sys.executable, PROGRAM, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(target.read_text(encoding="utf-8"))["parts"]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["load", "kills", "database", "disk", "children"])
def test_the_service_bears(part, tmp_path):
    """A fiftieth of the soak."""
    found = soak(tmp_path / "tally.json", part, scale=0.02)[part]
    if found["verdict"] == "skipped":
        assert part != "database" or os.environ.get("CAPITATE_REQUIRE_PEERS") != "1", found["reason"]
        pytest.skip(found["reason"])
    assert found["complaints"] == []
    assert set(found) > {"verdict", "seconds", "complaints"}, "the part measured nothing"
