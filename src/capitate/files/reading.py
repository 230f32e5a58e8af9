"""Read one film, whatever it is stored as."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from capitate.errors import CorruptFileError, FilmError, FilmTooLargeError
from capitate.files.dicom import read_dicom
from capitate.files.grey import check_not_blank
from capitate.files.limits import DEFAULT_LIMITS, Limits
from capitate.files.quiet import quiet
from capitate.files.raster import decode_raster
from capitate.files.sniff import Format, check_extension, sniff
from capitate.files.source import load
from capitate.radiograph import Radiograph

__all__ = ["read"]


def read(
    source: str | os.PathLike[str] | bytes, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Radiograph:
    """Read a film from a path or from bytes.

    The format is told from the bytes. The result is float32 in [0, 1], bone bright as far as the file says so; a raster
    picture that was stored negated stays negated here.

    Args:
        source: path of a film, or the content of one.
        name: name to show; the path's base name by default, `film` for bytes.
        limits: the most that a film may announce.

    Raises:
        UnreadablePathError: if the path is missing, a folder, or may not be read.
        UnsupportedFormatError: if it is of no format, or of a variant of one, that is not read.
        CorruptFileError: if it is damaged, truncated or contradicts itself.
        FilmTooLargeError: if its bytes or its header exceed the limits.
        NotARadiographError: if it is blank, tiny, or not finite.
    """
    if isinstance(source, bytes):
        data, shown = source, name or "film"
        limits.check_bytes(len(data))
    else:
        data, shown = load(source, limits=limits), name or os.path.basename(os.fspath(source))
    kind = sniff(data)
    with _decoding(kind):
        film = _decode(data, kind=kind, name=shown, limits=limits)
    return film


def _decode(data: bytes, *, kind: Format, name: str, limits: Limits) -> Radiograph:
    """Decode bytes of a known format and check the picture."""
    digest = hashlib.sha256(data).hexdigest()
    findings = check_extension(name, kind)
    if kind is Format.DICOM:
        decoded, facts = read_dicom(data, limits=limits)
        stated = facts.as_fields()
    else:
        decoded, stated = decode_raster(data, kind=kind, limits=limits), {}
    check_not_blank(decoded.pixels)
    return Radiograph(
        pixels=np.ascontiguousarray(decoded.pixels),
        name=name,
        sha256=digest,
        format=kind.value,
        bits=decoded.bits,
        findings=(*findings, *decoded.findings),
        **stated,
    )


@contextmanager
def _decoding(kind: Format) -> Iterator[None]:
    """Turn whatever a decoder raises into our own tree.

    The decoders' own sentences are left out, because they may quote what the file says about the patient.
    """
    try:
        with quiet():
            yield
    except FilmError:
        raise
    except MemoryError as error:
        raise FilmTooLargeError(
            f"there is not enough memory to decode this {kind.value.upper()} film; free memory or resample the film"
        ) from error
    except Exception as error:
        raise CorruptFileError(
            f"this {kind.value.upper()} film cannot be decoded ({type(error).__name__}); it is damaged or truncated: "
            "copy or export it again"
        ) from error
