"""The commands name the extra where torch is not installed; calibration works without it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HIDE = (
    "import sys\n"
    "class Hide:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.partition('.')[0] == 'torch':\n"
    "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
    "sys.meta_path.insert(0, Hide())\n"
    "from capitate.cli import main\n"
    "main(sys.argv[1:])\n"
)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "x.toml", "--data", "a"],
        ["sweep", "x.toml", "--data", "a"],
        ["export", "run"],
        ["bench", "--training"],
        ["bench", "--inference"],
    ],
    ids=lambda words: " ".join(word for word in words[:2] if word != "x.toml"),
)
def test_the_extra_is_named(words, tmp_path):
    call = [sys.executable, "-c", HIDE, *words, "--out", str(tmp_path / "out")]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'capitate[train]'" in done.stderr


def test_calibration_needs_no_torch(tmp_path):
    call = [sys.executable, "-c", HIDE, "calibrate", str(tmp_path / "none.npz")]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "none.npz" in done.stderr
