"""Run folders: what one training leaves behind, written and read in one place.

::

    config.json            the resolved configuration and its task
    environment.json       versions of what it ran with
    view.json              how the views were cut, from the store
    split.json             fold, number of folds, sha256 of labels and views; runs that it started from or was taught by
    training-ids.txt       films that it has seen, itself or through those runs, one id a line
    validation-ids.txt     those of them that chose the best weights and were not learnt from
    last.safetensors       checkpoint to resume from: weights, averages, optimiser, schedule, sums, random numbers
    best.safetensors       weights with the smallest error on the validation films; absent without such films
    batches.csv            losses, errors, learning rate and speed, one line every few steps
    history.csv            the same by epoch, with the validation films' errors
    tensorboard/           both curves for TensorBoard
    weights.safetensors    the final weights: the best, the running average or the equal mean
    out-of-fold.npz        predictions for the held-out fold, means over the test views of the configuration
    metrics.json           errors on the held-out fold and the smallest validation error, months
    card.json, card.md     the run in a page
"""

from __future__ import annotations

import csv
import hashlib
import io
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
from capitate.training.writing import writing

__all__ = [
    "OUT_OF_FOLD",
    "Run",
    "claim",
    "label_digest",
    "read_json",
    "write_ids",
    "write_json",
    "write_table",
    "write_text",
]

OUT_OF_FOLD = "out-of-fold.npz"
_PARTS = ("capitate", "torch", "timm", "kornia", "lightning-fabric", "safetensors", "numpy")


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
        config = read_json(folder / "config.json")
        if not (folder / "weights.safetensors").exists():
            raise UsageError(f"the run {folder} has no final weights; finish it with the same train command")
        return cls(folder, config)

    @property
    def task(self) -> str:
        """Its kind of experiment, such as `bone-age`; see `capitate.training.config.TASKS`."""
        return str(self.config["task"])

    @property
    def weights(self) -> Path:
        """File of the final weights."""
        return self.folder / "weights.safetensors"

    @cached_property
    def split(self) -> Mapping[str, Any]:
        """Content of `split.json`."""
        return read_json(self.folder / "split.json")

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
        """Films that it has seen: learnt from, or chosen its weights by."""
        return frozenset((self.folder / "training-ids.txt").read_text(encoding="utf8").splitlines())

    @cached_property
    def validation_ids(self) -> frozenset[str]:
        """Films among them that chose its weights and that it did not learn from; none in runs before they existed."""
        path = self.folder / "validation-ids.txt"
        return frozenset(path.read_text(encoding="utf8").splitlines()) if path.exists() else frozenset()

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
        if path.exists() and read_json(path) != plain:
            changed = _difference(read_json(path), plain)
            raise UsageError(f"{folder} holds a run with another {changed}; choose another --out or remove the folder")
        write_json(path, plain)
    write_json(folder / "environment.json", _environment())


def write_text(path: Path, text: str) -> None:
    """Write a text file in full, then put it in place of an earlier one.

    Raises:
        ReportWriteError: if the system refuses; the earlier file stays.
    """
    fresh = path.with_name(f"{path.name}.new")
    with writing(path):
        try:
            fresh.write_text(text, encoding="utf8", newline="")
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write plain values."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """Write film ids, one a line."""
    write_text(path, "".join(f"{one}\n" for one in ids))


def write_table(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    """Write dictionaries as CSV, the columns in the order of their first appearance; nothing for no lines."""
    columns = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    if columns:
        writer.writeheader()
    writer.writerows(lines)
    write_text(path, text.getvalue())


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


def read_json(path: Path) -> dict[str, Any]:
    """Read plain values.

    Raises:
        UsageError: if the file is missing or damaged.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}); is {path.parent} a run folder?") from error
    return values
