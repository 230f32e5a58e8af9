"""Released models: where they lie, what their cards say, and that not a byte of them has changed.

A bundle is a folder::

    SHA256SUMS        sha256 and name of every other file
    card.json         what runs it: task, files, view, calibration; and what is known about it: data, figures, terms
    card.md           the card for people
    *.onnx            the networks; a bundle may use those of another one (`networks_of` in its card)
    *.int8.onnx       the same networks with arithmetic in 8-bit integers, where the card has `int8`
    training-ids.txt  the films that it was trained on, one id a line

Bundles inside the package are found by name; a path to a folder works as a name too. `@int8` behind either chooses the
networks in 8-bit integers, wherever a model is named.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from capitate.assessment import ModelReference
from capitate.errors import BundleDamagedError, BundleNotFoundError, UsageError

__all__ = ["FOLDS_FILE", "Bundle", "Precision", "bundle_names", "is_bundle", "load_bundle", "write_sums"]

RELEASED = Path(__file__).parent / "bundles"
_SUMS = "SHA256SUMS"
FOLDS_FILE = "training-folds.txt"
"""A line a film, `FOLD ID`."""


class Precision(StrEnum):
    """Arithmetic of a bundle's networks."""

    FP32 = "fp32"
    INT8 = "int8"


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        folder: where its files lie.
        card: the content of `card.json`.
        sha256: digest of SHA256SUMS, which stands for the whole bundle.
        precision: which of its networks run.
    """

    folder: Path
    card: dict[str, Any]
    sha256: str
    precision: Precision = Precision.FP32

    @property
    def name(self) -> str:
        """Name by which `--model` chooses it."""
        return str(self.card["name"])

    @cached_property
    def networks(self) -> tuple[Path, ...]:
        """ONNX files of the precision, in the order of the card.

        A card with `networks_of` uses the files of another released bundle, which is verified in its turn, and states
        their digests.

        Raises:
            BundleDamagedError: if that bundle is missing, damaged, or holds other networks than this one was made for.
            UsageError: if 8-bit integers are asked for and there are no such networks.
        """
        wanted = self.card.get("networks_of")
        if wanted is None:
            return tuple(self.folder / name for name in self._files())
        beside = self.folder.parent
        other = load_bundle(str(wanted["name"]), root=beside if (beside / wanted["name"]).exists() else RELEASED)
        digests = [_digest(path) for path in other.networks]
        if digests != wanted["sha256"]:
            raise BundleDamagedError(
                f"the networks of {other.folder} are not those that {self.name} was made for; install both again"
            )
        return replace(other, precision=self.precision).networks

    def _files(self) -> list[str]:
        """Names of the files of the precision."""
        if self.precision is Precision.FP32:
            return list(self.card["networks"])
        if "int8" not in self.card:
            raise UsageError(
                f"the bundle {self.name!r} has no networks in int8; make a copy that has them with "
                f"`capitate export {self.name} --int8 --data STORE --out FOLDER`, or leave @int8 out"
            )
        return list(self.card["int8"]["networks"])

    @property
    def held_out(self) -> tuple[int | None, ...]:
        """Fold that each network never saw, None for one that learnt from every film.

        Network k held out fold k where the card does not say.
        """
        stated = self.card.get("held_out")
        return tuple(range(len(self.networks))) if stated is None else tuple(stated)

    @property
    def version(self) -> str:
        """Version of the weights, with `+int8` where the networks run in 8-bit integers."""
        return f"{self.card['version']}{'' if self.precision is Precision.FP32 else f'+{self.precision}'}"

    @property
    def reference(self) -> ModelReference:
        """Name, version, digest and licence for an assessment."""
        return ModelReference(self.name, self.version, self.sha256, str(self.card["licence"]))

    @property
    def size_bytes(self) -> int:
        """Size of all files of the bundle."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    @cached_property
    def training_ids(self) -> frozenset[str]:
        """Ids of the films that the weights were trained on; empty if the bundle lists none."""
        path = self.folder / "training-ids.txt"
        return frozenset(path.read_text(encoding="utf8").splitlines()) if path.exists() else frozenset()

    @cached_property
    def training_folds(self) -> dict[str, int]:
        """Fold of each training film, where a table or its patient gave it one; empty where its id alone decides."""
        path = self.folder / FOLDS_FILE
        lines = path.read_text(encoding="utf8").splitlines() if path.exists() else []
        return {film: int(fold) for fold, _, film in (line.partition(" ") for line in lines)}


def bundle_names(root: Path = RELEASED) -> list[str]:
    """Names of the bundles that ship with the package, sorted."""
    return sorted(path.parent.name for path in root.glob(f"*/{_SUMS}"))


def is_bundle(name: str, *, root: Path = RELEASED) -> bool:
    """Say whether `load_bundle` would find something of this name; arguments as there."""
    return _chosen(name, root)[0] is not None


def load_bundle(name: str, *, root: Path = RELEASED) -> Bundle:
    """Find a bundle and check every byte of it.

    Args:
        name: of a released bundle, or the path of a folder that holds one; with `@int8` behind it, its networks in
            8-bit integers.
        root: where released bundles lie.

    Raises:
        BundleNotFoundError: nothing of that name; the message lists the names there are.
        BundleDamagedError: a file is missing, was changed, or is not listed; the message names it.
    """
    folder, precision = _chosen(name, root)
    if folder is None:
        known = ", ".join(bundle_names(root)) or "none"
        raise BundleNotFoundError(f"no model bundle {name!r}; released bundles: {known}; a folder's path works too")
    _verify(folder)
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf8"))
    except ValueError as error:
        raise BundleDamagedError(f"{folder / 'card.json'} is not JSON: {error}; install the bundle again") from error
    return Bundle(folder, card, _digest(folder / _SUMS), precision)


def _chosen(name: str, root: Path) -> tuple[Path | None, Precision]:
    """Find a bundle's folder, and tell the precision that stands behind its name."""
    folder = _folder(name, root)
    plain, at, precision = name.rpartition("@")
    if folder is not None or not at or precision not in list(Precision):
        return folder, Precision.FP32
    return _folder(plain, root), Precision(precision)


def _folder(name: str, root: Path) -> Path | None:
    """Find a released bundle by its name, otherwise one by its path; None if there is neither."""
    folder = root / name if name in bundle_names(root) else Path(name)
    return folder if (folder / _SUMS).exists() else None


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every other file of a folder."""
    names = sorted(path.name for path in folder.iterdir() if path.name != _SUMS)
    lines = [f"{_digest(folder / name)}  {name}\n" for name in names]
    (folder / _SUMS).write_text("".join(lines), encoding="ascii")


def _digest(path: Path) -> str:
    """Compute the sha256 of a file, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _verify(folder: Path) -> None:
    """Compare every file of a bundle with SHA256SUMS, both ways."""
    listed: dict[str, str] = {}
    text = (folder / _SUMS).read_bytes().decode("latin-1")
    for line in text.removesuffix("\n").split("\n"):
        digest, separator, name = line.partition("  ")
        if not separator or len(digest) != 64 or "/" in name or "\\" in name:
            raise BundleDamagedError(
                f"{folder / _SUMS} has a line that is not a sum: {line!r}; install the bundle again"
            )
        listed[name] = digest
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            raise BundleDamagedError(f"{path} is missing though {_SUMS} lists it; install the bundle again")
        found = _digest(path)
        if found != digest:
            raise BundleDamagedError(
                f"{path} was changed: its sha256 is {found}, {_SUMS} says {digest}; install the bundle again"
            )
    extra = {path.name for path in folder.iterdir()} - set(listed) - {_SUMS}
    if extra:
        raise BundleDamagedError(f"{folder / min(extra)} is not listed in {_SUMS}; install the bundle again")
