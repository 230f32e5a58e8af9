"""Several processes learn what one learns; devices that are not there are named."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from capitate.cli import main  # noqa: E402
from capitate.errors import UsageError  # noqa: E402
from capitate.training.checkpoint import read_checkpoint  # noqa: E402
from capitate.training.devices import deterministic, make_fabric  # noqa: E402
from capitate.training.settings.devices import Accelerator, DevicesConfig  # noqa: E402

EXPERIMENT = """
folds = 4
test_views = [[0, 0, false]]
[network]
backbone = "test_convnext"
hidden = 16
sex_width = 8
dropout = 0.0
[optimiser]
stages = [[2, 64, 48]]
batch = 9
accumulate = 2
[validation]
share = 0.2
[devices]
precision = "fp32"
draws = "film"
[record]
every = 1
checkpoint = 2
"""


def history(path: Path) -> list[dict[str, float]]:
    with path.open(encoding="utf8", newline="") as stream:
        clock = {"films_a_second", "seconds", "data_seconds"}
        return [
            {name: float(value) for name, value in line.items() if name not in clock} for line in csv.DictReader(stream)
        ]


@pytest.mark.slow
def test_two_processes_give_the_loss_curve_of_one(saved, tmp_path, capsys):
    """One global batch, no batch statistics, augmentation by film id: the sums differ in rounding alone."""
    config = tmp_path / "experiment.toml"
    config.write_text(EXPERIMENT, encoding="utf8")
    words = ["train", str(config), "--data", str(saved), "--fold", "1", "--quiet", "--out"]
    with pytest.raises(SystemExit) as end:
        main([*words, str(tmp_path / "one")])
    assert end.value.code == 0
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    start += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "-m", "capitate"]
    done = subprocess.run(
        [*start, *words, str(tmp_path / "two"), "--devices", "2"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"mae"') == 1, "one process reports"
    for name in ("batches.csv", "history.csv"):
        one, two = (history(tmp_path / run / name) for run in ("one", "two"))
        assert len(one) == len(two) > 1
        for first, second in zip(one, two, strict=True):
            assert second == pytest.approx(first, rel=1e-4)
    kept = read_checkpoint(tmp_path / "two" / "last.safetensors")["random"]
    assert len(kept["torch"]) == len(kept["draws"]) == 2, "each process goes on from its own random numbers"
    losses = [line["loss"] for line in one]
    assert len(set(losses)) == len(losses)


def test_a_gpu_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(
        UsageError, match=r"devices\.accelerator is cuda for 1 processes.*finds 0 GPUs.*accelerator=cpu"
    ):
        make_fabric(DevicesConfig(accelerator=Accelerator.CUDA))


def test_another_number_of_processes_is_named():
    with pytest.raises(UsageError, match=r"devices\.count is 2 and 1 processes.*torchrun --nproc-per-node 2"):
        make_fabric(DevicesConfig(count=2))


def test_the_command_names_a_device_it_does_not_know(saved, tmp_path, capsys):
    config = tmp_path / "experiment.toml"
    config.write_text(EXPERIMENT, encoding="utf8")
    words = [
        "train",
        str(config),
        "--data",
        str(saved),
        "--out",
        str(tmp_path / "run"),
        "--accelerator",
        "tpu",
        "--quiet",
    ]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "devices.accelerator must be one of cpu, cuda, got 'tpu'" in capsys.readouterr().err


def test_determinism_is_held_within_the_run_alone():
    with deterministic(wanted=True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
