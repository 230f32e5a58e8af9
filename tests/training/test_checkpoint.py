"""Checkpoints: everything comes back to the bit, and nothing that goes wrong costs the previous one."""

from __future__ import annotations

import json
import resource
import struct
from contextlib import contextmanager

import pytest

torch = pytest.importorskip("torch")

from capitate.errors import ReportWriteError, UsageError  # noqa: E402
from capitate.training.checkpoint import read_checkpoint, restore_optimiser, write_checkpoint  # noqa: E402


def test_nested_values_come_back(tmp_path):
    state = {
        "weights": {"a.b": torch.arange(6.0).reshape(2, 3).t(), "c": torch.tensor(3, dtype=torch.int64)},
        "state": {0: {"step": torch.tensor(2.0)}, 7: {"betas": (0.9, 0.999), "maximize": None}},
        "history": [{"loss": 0.1 + 0.2, "r2": float("inf")}],
        "flag": True,
    }
    write_checkpoint(state, tmp_path / "last.safetensors")
    found = read_checkpoint(tmp_path / "last.safetensors")
    assert torch.equal(found["weights"].pop("a.b"), state["weights"].pop("a.b"))
    assert found == state
    assert (found["state"][7]["betas"], found["weights"]["c"].dtype) == ((0.9, 0.999), torch.int64)


def test_the_file_is_plain_safetensors(tmp_path):
    """Eight bytes of length, JSON, numbers: no pickle in it."""
    write_checkpoint({"a": torch.ones(2), "b": [1, 2]}, tmp_path / "last.safetensors")
    data = (tmp_path / "last.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header["/a"]["dtype"] == "F32"
    assert len(data) == 8 + length + 8


@pytest.mark.parametrize("spoil", [lambda data: data[:-3], lambda _: b"", lambda data: data[:20] + b"x" + data[21:]])
def test_a_damaged_checkpoint_is_named(tmp_path, spoil):
    path = tmp_path / "last.safetensors"
    write_checkpoint({"a": torch.ones(2)}, path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UsageError, match=r"last\.safetensors cannot be read .*remove it"):
        read_checkpoint(path)


def test_weights_alone_are_no_checkpoint(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, str(tmp_path / "last.safetensors"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_checkpoint(tmp_path / "last.safetensors")


@contextmanager
def full_disk(most: int):
    """Let the system refuse every file beyond `most` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "last.safetensors"
    write_checkpoint({"a": torch.zeros(10_000)}, path)
    before = path.read_bytes()
    with full_disk(20_000), pytest.raises(ReportWriteError, match=r"cannot write .*last\.safetensors: .*free space"):
        write_checkpoint({"a": torch.ones(10_000)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_optimiser_state_takes_the_layout_of_its_parameters(tmp_path):
    weight = torch.nn.Parameter(torch.randn(4, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    weight.grad = torch.ones_like(weight)
    first, second = (torch.optim.AdamW([weight]) for _ in range(2))
    first.step()
    write_checkpoint(first.state_dict(), tmp_path / "last.safetensors")
    restore_optimiser(second, read_checkpoint(tmp_path / "last.safetensors"))
    kept, found = first.state[weight]["exp_avg"], second.state[weight]["exp_avg"]
    assert torch.equal(kept, found)
    assert kept.stride() == found.stride()
