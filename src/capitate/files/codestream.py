"""Frame headers of JPEG, JPEG-LS and JPEG 2000 code streams.

The decoders for these write into buffers whose size comes from elsewhere (a DICOM header), so what the stream itself
announces is compared with that first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from capitate.errors import CorruptFileError

__all__ = ["Frame", "jpeg2000_frame", "jpeg_frame"]

# ITU-T T.81, table B.1 (SOF0 to SOF15 without DHT, JPG and DAC) and T.87, annex C (SOF55 of JPEG-LS).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class Frame:
    """What a code stream announces.

    Attributes:
        width: columns.
        height: rows.
        components: samples a pixel.
        bits: bits a sample.
        process: the JPEG frame marker's second byte (0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS), 0 for JPEG 2000.
        end: offset of the first byte behind the header.
    """

    width: int
    height: int
    components: int
    bits: int
    process: int
    end: int


def jpeg_frame(data: bytes) -> Frame:
    """Find the frame header of a JPEG or JPEG-LS stream (ITU-T T.81, B.2.2).

    Raises:
        CorruptFileError: if there is none before the first scan.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAME_MARKERS and length >= 8 and at + 10 <= len(data):
            bits, height, width, components = struct.unpack_from(">BHHB", data, at + 4)
            return Frame(width, height, components, bits, marker, at + 2 + length)
        if marker in (0xD9, 0xDA) or length < 2:
            break
        at += 2 + length
    raise CorruptFileError(f"the JPEG stream has no frame header within {len(data):,} bytes; export the film again")


def jpeg2000_frame(data: bytes) -> Frame:
    """Read the SIZ segment of a JPEG 2000 code stream (ITU-T T.800, A.5.1), behind JP2 boxes if there are any.

    Raises:
        CorruptFileError: if there is none, or its tiles or components are not those of a film.
    """
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 45 > len(data):
        raise CorruptFileError(f"the JPEG 2000 stream has no size header within {len(data):,} bytes; export it again")
    x1, y1, x0, y0, tile_width, tile_height, tile_x, tile_y, components = struct.unpack_from(">8IH", data, at + 8)
    specs = data[at + 42 : at + 42 + 3 * components]
    if len(specs) < 3 * components or not components:
        raise CorruptFileError(f"the JPEG 2000 stream announces {components} components; export the film again")
    if any(spec != 1 for offset in (1, 2) for spec in specs[offset::3]) or len(set(specs[0::3])) != 1:
        raise CorruptFileError("the components of the JPEG 2000 stream differ in size or depth; export the film again")
    if not (0 <= x0 < x1 and 0 <= y0 < y1 and tile_x <= x0 and tile_y <= y0) or min(tile_width, tile_height) < 16:
        raise CorruptFileError(f"the JPEG 2000 stream announces tiles of {tile_width} x {tile_height}; export it again")
    return Frame(x1 - x0, y1 - y0, components, (specs[0] & 0x7F) + 1, 0, at + 42 + 3 * components)
