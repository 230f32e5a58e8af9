"""Maps as NPZ files: the numbers, and what they are of."""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.types import Box

__all__ = ["StoredMap", "map_of_npz", "npz_bytes", "read_npz"]

_BEGINNING_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_KEYS = ("values", "base", "answer", "unit", "quantity", "model", "version", "film")


@dataclass(frozen=True, eq=False)
class StoredMap:
    """A map with where it comes from.

    Attributes:
        activation: the map.
        version: of the bundle that answered.
        film: sha256 of the film's file.
    """

    activation: ActivationMap
    version: str
    film: str


def npz_bytes(stored: StoredMap) -> bytes:
    """Write a map as an NPZ file of plain arrays; the same map gives the same bytes.

    Its arrays are `values` (rows, columns), the numbers `base` and `answer`, the texts `unit`, `quantity`, `model`,
    `version` and `film`, and for a map of a part of the film `box` (x, y, width, height) in film pixels.
    """
    one = stored.activation
    arrays: dict[str, Any] = {
        "values": one.values,
        "base": np.float64(one.base),
        "answer": np.float64(one.answer),
        **{key: np.str_(getattr(one, key)) for key in ("unit", "quantity", "model")},
        "version": np.str_(stored.version),
        "film": np.str_(stored.film),
    }
    if one.box is not None:
        arrays["box"] = np.array([one.box.x, one.box.y, one.box.width, one.box.height])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asanyarray(value), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy", _BEGINNING_OF_ZIP)
            archive.writestr(entry, part.getvalue(), compress_type=zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read_npz(path: str | os.PathLike[str]) -> StoredMap:
    """Read a map that `npz_bytes` wrote.

    Args:
        path: of the file.

    Raises:
        UsageError: if the file is not there or is no map.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(os.fspath(path), error) from error
    return map_of_npz(content, shown=os.fspath(path))


def map_of_npz(content: bytes, *, shown: str) -> StoredMap:
    """Read a map from the bytes that `npz_bytes` gave.

    Args:
        content: of the file.
        shown: name of the file in errors.

    Raises:
        UsageError: if it is no map.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise _unreadable(shown, error) from error
    lacking = [key for key in _KEYS if key not in arrays]
    if lacking:
        raise UsageError(
            f"{shown!r} is no map, it lacks {', '.join(lacking)} and has {', '.join(arrays) or 'nothing'}; "
            "give a .npz of assess --maps"
        )
    return _stored(arrays, shown=shown)


def _unreadable(shown: str, error: Exception) -> UsageError:
    return UsageError(f"{shown!r} cannot be read as a map: {error}; give a .npz of assess --maps")


def _stored(arrays: dict[str, Any], *, shown: str) -> StoredMap:
    """Put what a file holds."""
    try:
        box = Box(*arrays["box"].tolist()) if "box" in arrays else None
        texts = {key: str(arrays[key]) for key in ("model", "quantity", "unit")}
        base, answer = float(arrays["base"]), float(arrays["answer"])
        activation = ActivationMap(**texts, values=arrays["values"], base=base, answer=answer, box=box)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{shown!r} is no map: {error}; give a .npz of assess --maps") from error
    return StoredMap(activation, version=str(arrays["version"]), film=str(arrays["film"]))
