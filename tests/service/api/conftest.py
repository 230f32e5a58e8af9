"""Services for tests: workers that give a known assessment, so that requests are what is tested."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the service is not installed: pip install '.[serve]'")

from capitate.explain.arrays import StoredMap, npz_bytes
from capitate.report import to_json
from capitate.service import jobs

from .served import Served, serving, settings_for

sys.path.append(str(Path(__file__).parents[2]))  # tests have no package above their folders
from report.joint_examples import assessed, drawn
from report.map_examples import age_map


class Heard(logging.Handler):
    """Keeps every line of the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {self.format(record)}")


@pytest.fixture(scope="session")
def log() -> Iterator[Heard]:
    heard, root = Heard(), logging.getLogger()
    before = root.level
    root.addHandler(heard)
    root.setLevel(logging.INFO)
    yield heard
    root.removeHandler(heard)
    root.setLevel(before)


@pytest.fixture(scope="session")
def film() -> bytes:
    """The drawn hand that the known assessment is of."""
    stream = io.BytesIO()
    Image.fromarray(np.round(drawn().radiograph.pixels * 255).astype(np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let workers run `stand_in_work`."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])
    import stand_in_work

    known = tmp_path_factory.mktemp("known")
    assessment, radiograph = assessed(drawn()), drawn().radiograph
    (known / "assessment.json").write_text(json.dumps(to_json(assessment)), encoding="utf-8")
    one = StoredMap(age_map(assessment, radiograph), version="1", film=radiograph.sha256)
    (known / "bone_age.npz").write_bytes(npz_bytes(one))
    patch.setenv(stand_in_work.KNOWN, str(known))
    patch.setattr(jobs, "assess_film", stand_in_work.assess_film)
    patch.setattr(jobs, "load_models", stand_in_work.load_models)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def served(stand_ins: None, log: Heard, film: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service on loopback without tokens."""
    with serving(settings_for(tmp_path_factory.mktemp("service")), film) as one:
        yield one
