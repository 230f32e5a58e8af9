"""The Python example of `docs/evaluation.md` runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from noisy_truth import NoisyTruth

from capitate.training.layouts import read_any

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{k}.png,{'FM'[k % 2]},{60 + k}\n" for k in range(40))
    (tmp_path / "films.csv").write_text("path,sex,bone_age_months\n" + rows)
    monkeypatch.chdir(tmp_path)
    example = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(example) == 1
    exec(example[0], {"predictor": NoisyTruth(read_any("films.csv"))})
    assert "Estimate(value=" in capsys.readouterr().out
    assert (tmp_path / "out" / "report.html").is_file()
