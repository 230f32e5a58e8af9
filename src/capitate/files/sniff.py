"""Which format a file has, from its first bytes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from capitate.errors import CorruptFileError, UnsupportedFormatError
from capitate.types import Finding, Severity

__all__ = ["EXTENSIONS", "Format", "check_extension", "sniff"]


class Format(StrEnum):
    """The formats that are read."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    WEBP = "webp"
    DICOM = "dicom"


EXTENSIONS = {
    ".png": Format.PNG,
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
    ".webp": Format.WEBP,
    ".dcm": Format.DICOM,
    ".dicom": Format.DICOM,
}

_RASTER_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"II+\x00", Format.TIFF),
    (b"MM\x00+", Format.TIFF),
)

_FOREIGN_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 code stream"),
    (b"8BPS", "a Photoshop picture"),
    (b"<", "a text document"),
    (b"{", "a text document"),
)


def sniff(data: bytes) -> Format:
    """Tell the format of a film from its bytes.

    DICOM comes first because a file may be DICOM and TIFF at once. A DICOM file without its preamble is known by a
    first element of group 0002 or 0008 in little-endian order.

    Raises:
        CorruptFileError: if there are no bytes.
        UnsupportedFormatError: if the bytes are of no format that is read.
    """
    if not data:
        raise CorruptFileError("the file is empty (0 bytes); copy or export the film again")
    if data[128:132] == b"DICM":
        return Format.DICOM
    for magic, kind in _RASTER_MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if _bare_dicom(data):
        return Format.DICOM
    what = next((name for magic, name in _FOREIGN_MAGIC if data.startswith(magic)), None)
    seen = f"the file is {what}" if what else f"the first bytes, {data[:8].hex(' ')}, are of no known film format"
    raise UnsupportedFormatError(f"{seen}; give PNG, JPEG, TIFF, WebP or DICOM")


def _bare_dicom(data: bytes) -> bool:
    """Whether this looks like a DICOM data set without preamble: a short first element of group 0002 or 0008."""
    if len(data) < 64 or data[:2] not in (b"\x02\x00", b"\x08\x00") or data[3] != 0:
        return False
    explicit = data[4:6].isalpha() and data[4:6].isupper()
    return explicit or int.from_bytes(data[4:8], "little") < 1024


def check_extension(name: str, kind: Format) -> tuple[Finding, ...]:
    """Remark when the file name claims another format than the bytes have; the bytes count."""
    suffix = PurePath(name).suffix.lower()
    if EXTENSIONS.get(suffix, kind) is kind:
        return ()
    message = f"The file's name ends in {suffix}, but its content is {kind.value.upper()}; it was read as such."
    return (Finding(code="extension_mismatch", severity=Severity.INFO, message=message),)
