"""A run whose process is killed in mid-epoch goes on with the same command and ends with the same bytes."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from capitate.cli import main  # noqa: E402
from capitate.training.checkpoint import read_checkpoint  # noqa: E402

KILLED_AFTER = 6
"""Steps taken when the process dies: the checkpoint before it lies within an epoch, and what follows that is lost."""

CHILD = f"""
import os, signal, sys
import capitate.training.training_state as training_state
take = training_state.TrainingState.take
def take_or_die(state, batch, *, began):
    take(state, batch, began=began)
    if state.taken == {KILLED_AFTER}:
        os.kill(os.getpid(), signal.SIGKILL)
training_state.TrainingState.take = take_or_die
from capitate.cli import main
main(sys.argv[1:])
"""

EXPERIMENT = """
folds = 4
test_views = [[0, 0, false]]
[network]
widths = [8, 8, 16, 16]
depths = [1, 1, 1, 1]
hidden = 16
sex_width = 8
[optimiser]
stages = [[1, 40, 32], [2, 64, 48]]
batch = 6
[validation]
share = 0.2
[schedule]
name = "cosine"
[record]
every = 1
checkpoint = 4
"""


def call(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf8", newline="") as stream:
        clock = {"films_a_second", "seconds", "data_seconds"}
        return [{name: value for name, value in line.items() if name not in clock} for line in csv.DictReader(stream)]


@pytest.mark.slow
def test_a_killed_run_ends_as_an_unbroken_one(saved, tmp_path, capsys):
    config = tmp_path / "experiment.toml"
    config.write_text(EXPERIMENT, encoding="utf8")
    words = ["train", str(config), "--data", str(saved), "--fold", "1", "--threads", "1", "--quiet", "--out"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    killed = subprocess.run([sys.executable, "-c", CHILD, *words, str(broken)], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    assert not (broken / "weights.safetensors").exists()
    state = read_checkpoint(broken / "last.safetensors")
    steps = state["history"][-1]["step"]
    assert 0 < state["step"] < steps, "the checkpoint lies within an epoch"
    assert state["epoch"] * steps + state["step"] < int(lines(broken / "batches.csv")[-1]["step"]) < KILLED_AFTER

    call([*words, str(broken), "--resume"])
    call([*words, str(whole)])
    for name in ("weights.safetensors", "best.safetensors"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    for name in ("batches.csv", "history.csv"):
        assert lines(broken / name) == lines(whole / name)
    assert (broken / "metrics.json").read_text() == (whole / "metrics.json").read_text()


def test_resume_insists_on_a_run(saved, tmp_path, capsys):
    config = tmp_path / "experiment.toml"
    config.write_text(EXPERIMENT, encoding="utf8")
    words = ["train", str(config), "--data", str(saved), "--out", str(tmp_path / "none"), "--resume", "--quiet"]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "holds no checkpoint to go on from" in capsys.readouterr().err
