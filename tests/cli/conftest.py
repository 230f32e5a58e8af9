"""Drawn films, and the command line called in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.cli import main
from capitate.phantom import draw
from capitate.types import Sex


@dataclass(frozen=True)
class Result:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call `capitate` with words; every word is turned into text."""

    def call(*words: object) -> Result:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Result(int(end.value.code or 0), captured.out, captured.err)

    return call


def write_film(path: Path, *, months: float, sex: Sex = Sex.FEMALE, seed: int = 1) -> Path:
    """Draw a small film and write it as PNG."""
    pixels = draw(age_months=months, sex=sex, height=420, seed=seed).radiograph.pixels
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with three films: film2.png (5 years), film10.png (10 years) and film11.png (15 years)."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, months in (("film2", 60), ("film10", 120), ("film11", 180)):
        write_film(folder / f"{name}.png", months=months)
    return folder


@pytest.fixture(scope="session")
def film(drawn: Path) -> Path:
    """One film."""
    return drawn / "film10.png"
