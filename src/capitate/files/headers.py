"""Headers of PNG, JPEG and WebP files, read before the decoder sees them.

Pillow opens most files lazily, but its WebP decoder allocates the canvas at once, and no decoder says how many frames
there are without starting on them. Nothing here decodes a pixel.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from capitate.errors import CorruptFileError, UnsupportedFormatError
from capitate.files.codestream import jpeg_frame
from capitate.files.sniff import Format

__all__ = ["INSPECTORS", "Header"]

# A progressive JPEG may announce any number of scans over the whole picture; real encoders write about ten.
_MAX_SCANS = 200


@dataclass(frozen=True)
class Header:
    """What a raster header says: pixels a row and a column, bits a sample, frames."""

    width: int
    height: int
    bits: int = 8
    frames: int = 1


def inspect_png(data: bytes) -> Header:
    """Walk the chunks of a PNG file (PNG 1.2, section 3.2) and check each length and checksum.

    Raises:
        CorruptFileError: if a chunk is damaged or the end chunk is missing.
    """
    header, frames = None, 1
    for kind, start, end in _png_chunks(data):
        if kind == b"IHDR" and end - start == 13:
            width, height = (int.from_bytes(data[at : at + 4], "big") for at in (start, start + 4))
            header = (width, height, data[start + 8])
        elif kind == b"acTL":
            frames = int.from_bytes(data[start : start + 4], "big")
    if header is None:
        raise CorruptFileError("the PNG file has no header chunk; copy or export it again")
    return Header(width=header[0], height=header[1], bits=header[2], frames=frames)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk's content, up to and including IEND."""
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        kind = data[at + 4 : at + 8]
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise CorruptFileError(
                f"the checksum of chunk {kind!r} at byte {at:,} of the PNG file is wrong; copy it again"
            )
        yield kind, at + 8, end
        if kind == b"IEND":
            return
        at = end + 4
    raise CorruptFileError(f"the PNG file ends early, after {len(data):,} bytes; copy or export it again")


def inspect_jpeg(data: bytes) -> Header:
    """Find the frame header of a JPEG file.

    Raises:
        CorruptFileError: if there is none, or no end mark.
        UnsupportedFormatError: if it is lossless, arithmetic or of more than 8 bits.
    """
    frame = jpeg_frame(data)
    if frame.process not in (0xC0, 0xC1, 0xC2) or frame.bits != 8:
        raise UnsupportedFormatError(
            f"a JPEG file of {frame.bits} bits and process 0x{frame.process:02X} is not read; "
            "export as PNG, 8-bit baseline JPEG, or DICOM"
        )
    if data.rfind(b"\xff\xd9") < frame.end:
        raise CorruptFileError(f"the JPEG file ends early, after {len(data):,} bytes; copy or export it again")
    if data.count(b"\xff\xda", frame.end) > _MAX_SCANS:
        raise CorruptFileError(f"the JPEG file has more than {_MAX_SCANS} scans; export it again")
    return Header(width=frame.width, height=frame.height)


def inspect_webp(data: bytes) -> Header:
    """Read canvas and frames from the chunks of a WebP file (RFC 9649, section 2).

    Raises:
        CorruptFileError: if the file is shorter than it announces, or holds no picture.
    """
    size, frames = None, 0
    for kind, content in _riff_chunks(data):
        if kind == b"ANMF":
            frames += 1
        parse = _WEBP_SIZES.get(kind)
        if parse and size is None:
            size = parse(content)
    if size is None:
        raise CorruptFileError("the WebP file holds no picture; copy or export it again")
    return Header(width=size[0], height=size[1], frames=max(frames, 1))


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and the first bytes of each RIFF chunk."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise CorruptFileError(f"the WebP file has {len(data):,} bytes of the {end:,} that it announces; copy it again")
    at = 12
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 18]
        at += 8 + length + length % 2


def _extended_size(content: bytes) -> tuple[int, int]:
    """Canvas of a `VP8X` chunk: two 24-bit numbers less one."""
    return int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1


def _lossy_size(content: bytes) -> tuple[int, int]:
    """Size in a `VP8 ` key frame: 14 bits each behind the start code (RFC 6386, section 9.1)."""
    return int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:10], "little") & 0x3FFF


def _lossless_size(content: bytes) -> tuple[int, int]:
    """Size in a `VP8L` chunk: 14 bits each, less one, behind the signature byte."""
    bits = int.from_bytes(content[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_WEBP_SIZES: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8X": _extended_size,
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
}

INSPECTORS: dict[Format, Callable[[bytes], Header]] = {
    Format.PNG: inspect_png,
    Format.JPEG: inspect_jpeg,
    Format.WEBP: inspect_webp,
}
