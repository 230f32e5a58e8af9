"""Run folders: what one training leaves behind, written and read in one place.

::

    config.json            the resolved configuration and its task
    environment.json       versions of what it ran with
    view.json              how the views were cut, from the store
    split.json             fold, number of folds, sha256 of the labels; runs that it started from or was taught by
    training-ids.txt       films that it learnt from, itself or through those runs, one id a line
    last.pt                checkpoint to resume from
    history.csv            loss and speed by epoch
    weights.safetensors    the averaged weights
    out-of-fold.npz        predictions for the held-out fold, means over the test views of the configuration
    metrics.json           errors on the held-out fold, months
"""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError

__all__ = ["OUT_OF_FOLD", "Run", "claim", "label_digest", "write_history", "write_ids", "write_json"]

OUT_OF_FOLD = "out-of-fold.npz"
_PARTS = ("capitate", "torch", "timm", "numpy")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: where it lies.
        config: content of `config.json`.
    """

    folder: Path
    config: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Open a run that has finished.

        Raises:
            UsageError: if the folder holds no run, or one without final weights.
        """
        config = _read_json(folder / "config.json")
        if not (folder / "weights.safetensors").exists():
            raise UsageError(f"the run {folder} has no final weights; finish it with the same train command")
        return cls(folder, config)

    @property
    def task(self) -> str:
        """`bone-age` or `hand-locator`."""
        return str(self.config["task"])

    @property
    def weights(self) -> Path:
        """File of the final weights."""
        return self.folder / "weights.safetensors"

    @cached_property
    def split(self) -> Mapping[str, Any]:
        """Content of `split.json`."""
        return _read_json(self.folder / "split.json")

    @property
    def fold(self) -> int | None:
        """Fold that was held out, or None."""
        fold = self.split["fold"]
        return None if fold is None else int(fold)

    @property
    def reference(self) -> dict[str, str]:
        """Name of the folder and sha256 of the weights, for runs that rest on this one."""
        return {"run": self.folder.name, "weights_sha256": hashlib.sha256(self.weights.read_bytes()).hexdigest()}

    @cached_property
    def training_ids(self) -> frozenset[str]:
        """Films that it learnt from."""
        return frozenset((self.folder / "training-ids.txt").read_text(encoding="utf8").splitlines())

    @property
    def out_of_fold(self) -> Path | None:
        """File of predictions for the held-out fold, or None if every film was learnt from."""
        path = self.folder / OUT_OF_FOLD
        return path if path.exists() else None


def claim(folder: Path, config: Mapping[str, Any], *, split: Mapping[str, Any]) -> None:
    """Make a run folder for an experiment, or go on with the run that lies there.

    Raises:
        UsageError: if another experiment lies there, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the run folder {folder}: {error.strerror}; choose another --out") from error
    for name, value in (("config.json", config), ("split.json", split)):
        path = folder / name
        plain = json.loads(json.dumps(value))
        if path.exists() and _read_json(path) != plain:
            changed = _difference(_read_json(path), plain)
            raise UsageError(f"{folder} holds a run with another {changed}; choose another --out or remove the folder")
        write_json(path, plain)
    write_json(folder / "environment.json", _environment())


def write_json(path: Path, value: object) -> None:
    """Write plain values."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf8")


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """Write film ids, one a line."""
    path.write_text("".join(f"{one}\n" for one in ids), encoding="utf8")


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write one line an epoch."""
    with path.open("w", encoding="utf8", newline="") as stream:
        writer = csv.DictWriter(stream, list(history[0]) if history else ["epoch"])
        writer.writeheader()
        writer.writerows(history)


def label_digest(ids: NDArray[np.str_], months: NDArray[np.float32], sexes: NDArray[np.int64]) -> str:
    """Compute the sha256 of ids, ages and sexes in their order, for telling data sets apart."""
    rows = zip(ids.tolist(), months.tolist(), sexes.tolist(), strict=True)
    lines = "".join(f"{name},{age:g},{sex}\n" for name, age, sex in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def _environment() -> dict[str, str]:
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PARTS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Name the first key whose value differs."""
    for key in {**old, **new}:
        before, now = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(now, dict) and before != now:
            return f"{key}.{_difference(before, now)}"
        if before != now:
            return f"{key}: {before!r} there, {now!r} here"
    return "content"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}); is {path.parent} a run folder?") from error
    return values
