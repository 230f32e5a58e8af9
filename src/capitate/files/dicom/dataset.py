"""Parse the bytes of a DICOM file into a data set and its transfer syntax."""

from __future__ import annotations

import io
import zlib

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from capitate.errors import CorruptFileError, FilmTooLargeError, UnsupportedFormatError
from capitate.files.limits import Limits

__all__ = ["parse"]

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def parse(data: bytes, *, limits: Limits) -> tuple[Dataset, str]:
    """Parse a DICOM file.

    A deflated data set is inflated here, with a bound, because pydicom inflates whatever there is.

    Returns:
        The data set and the UID of its transfer syntax.

    Raises:
        UnsupportedFormatError: if it holds no pixels.
        CorruptFileError: if it is no DICOM data set.
        FilmTooLargeError: if it inflates beyond `limits.max_bytes`.
    """
    if data[128:132] == b"DICM":
        meta, start = _meta(data)
        syntax = str(meta.get("TransferSyntaxUID") or "")
        if syntax == DeflatedExplicitVRLittleEndian:
            dataset = dcmread(io.BytesIO(_inflate(data[start:], limits=limits)), force=True)
        else:
            dataset = dcmread(io.BytesIO(data), force=True)
    else:
        dataset = dcmread(io.BytesIO(data), force=True)
        syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "")
    _check_pixels(dataset)
    return dataset, syntax or _assumed_syntax(dataset)


def _meta(data: bytes) -> tuple[Dataset, int]:
    """Read the file meta information (DICOM PS3.10, 7.1) and return it with the offset of what follows it."""
    stream = io.BytesIO(data)
    stream.seek(132)
    meta = read_dataset(
        stream, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _length: tag.group != 2
    )
    return meta, stream.tell()


def _inflate(deflated: bytes, *, limits: Limits) -> bytes:
    """Inflate a raw deflate stream (DICOM PS3.5, A.5) up to the limit."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(deflated, limits.max_bytes)
    if inflater.unconsumed_tail:
        raise FilmTooLargeError(
            f"the deflated DICOM data set grows beyond the limit of {limits.max_bytes:,} bytes; export it uncompressed"
        )
    if not inflater.eof:
        raise CorruptFileError(f"the deflated DICOM data set ends early, after {len(deflated):,} bytes; copy it again")
    return inflated


def _check_pixels(dataset: Dataset) -> None:
    """Refuse objects without integer pixels, such as structured reports."""
    present = [keyword for keyword in _PIXELS if keyword in dataset]
    if present == ["PixelData"]:
        return
    if present:
        raise UnsupportedFormatError(f"DICOM pixels as {present[0]} are not read; export the film as CR or DX")
    if "SOPClassUID" not in dataset and "Rows" not in dataset:
        raise CorruptFileError("no DICOM attributes of an image could be found in the file; export the film again")
    kind = getattr(dataset.get("SOPClassUID"), "name", "") or "of unknown class"
    raise UnsupportedFormatError(f"the DICOM object ({kind}) holds no pixels; give the image of the study")


def _assumed_syntax(dataset: Dataset) -> str:
    """Transfer syntax of a data set that does not state it: the encoding that pydicom found it to parse in."""
    implicit, little = dataset.original_encoding
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if little is not False else ExplicitVRBigEndian)
