"""Names of report files: safe on every system, and never another film's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from PIL import Image, UnidentifiedImageError

from capitate.assessment import Assessment
from capitate.errors import UsageError
from capitate.explain.arrays import read_npz
from capitate.report.parsed import from_json
from capitate.report.picture import FILM_KEY

__all__ = ["film_identity", "free_stem", "safe_stem"]

_STEM_BYTES = 120
_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))
_RESERVED = frozenset({"con", "prn", "aux", "nul", *_PORTS})
_HEAD_BYTES = 4096


def film_identity(assessment: Assessment) -> str:
    """Return the film's sha256, or for a film that could not be read the sha256 of its name and refusal."""
    if assessment.source.sha256 is not None:
        return assessment.source.sha256
    error = assessment.error
    told = "" if error is None else f"{error.code}\0{error.message}"
    return hashlib.sha256(f"{assessment.source.name}\0{told}".encode("utf-8", "backslashreplace")).hexdigest()


def safe_stem(name: str) -> str:
    """Return a film's name without its ending, as the stem of a file name that every system takes."""
    stem = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]', "_", Path(name).stem)
    stem = stem.encode("utf-8")[:_STEM_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{stem}" if not stem or stem.lower() in _RESERVED else stem


def free_stem(assessment: Assessment, folder: Path, *, endings: Iterable[str]) -> str:
    """Return the shortest stem of this film under which no other film's report stands in `folder`.

    Args:
        assessment: of the film.
        folder: where reports are to stand.
        endings: of their files, what follows the stem, such as `.json`.

    Raises:
        OSError: if a report that is there cannot be read.
    """
    stem, identity, wanted = safe_stem(assessment.source.name), film_identity(assessment), tuple(endings)
    for candidate in (stem, f"{stem}-{identity[:8]}"):
        if all(_owner(folder / f"{candidate}{ending}") in (None, identity) for ending in wanted):
            return candidate
    return f"{stem}-{identity}"


def _owner(path: Path) -> str | None:
    """Return the identity of the film whose report stands at `path`, None where nothing does."""
    if not path.exists():
        return None
    try:
        return _OWNERS.get(path.suffix, _json_owner)(path)
    except (UnicodeDecodeError, UsageError, UnidentifiedImageError, Image.DecompressionBombError):
        return "unknown"


def _html_owner(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES).decode("utf-8", "ignore")
    found = re.search(r'<meta name="capitate-film" content="([0-9a-f]{64})">', head)
    return found.group(1) if found else "unknown"


def _pdf_owner(path: Path) -> str:
    """Return whose PDF it is; its keywords stand as plain text, and no bracket of another text does without a slash."""
    found = re.search(rf"/Keywords \({FILM_KEY} ([0-9a-f]{{64}})\)".encode(), path.read_bytes())
    return found.group(1).decode() if found else "unknown"


def _png_owner(path: Path) -> str:
    with Image.open(path, formats=["PNG"]) as picture:
        return str(picture.info.get(FILM_KEY, "unknown"))


def _npz_owner(path: Path) -> str:
    return read_npz(path).film


def _json_owner(path: Path) -> str:
    return film_identity(from_json(path.read_text(encoding="utf-8")))


_OWNERS: Mapping[str, Callable[[Path], str]] = MappingProxyType(
    {".html": _html_owner, ".pdf": _pdf_owner, ".png": _png_owner, ".npz": _npz_owner}
)
"""How a report tells whose it is, by the ending of its name; without one of these it is JSON."""
