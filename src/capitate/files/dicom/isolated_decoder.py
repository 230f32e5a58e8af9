"""Program that decodes one compressed frame with GDCM; started by `isolation` in a process of its own.

It imports nothing but GDCM, so that it starts in a tenth of a second. Standard input holds one line of JSON with the
frame's description and then the compressed stream; standard output receives the decoded samples.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import gdcm

__all__ = ["decode"]

_MEMORY_BYTES = 1 << 30


def decode(stream: bytes, *, frame: Mapping[str, Any]) -> bytes:
    """Decode one frame.

    Args:
        stream: the code stream.
        frame: `columns, rows, samples, allocated, stored, signed, planar, photometric, syntax`.

    Raises:
        ValueError: if GDCM returns another number of bytes than the description announces.
    """
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((frame["columns"], frame["rows"], 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(frame["photometric"])
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if frame["samples"] > 1:
        image.SetPlanarConfiguration(frame["planar"])
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(frame["syntax"])))
    stored = frame["stored"]
    image.SetPixelFormat(
        gdcm.PixelFormat(frame["samples"], frame["allocated"], stored, stored - 1, int(frame["signed"]))
    )
    decoded = bytes(image.GetBuffer().encode("utf-8", "surrogateescape"))  # GDCM hands out char* as str
    expected = frame["columns"] * frame["rows"] * frame["samples"] * frame["allocated"] // 8
    if len(decoded) != expected:
        raise ValueError(f"{len(decoded)} bytes decoded, {expected} expected")
    return decoded


def _bound_memory() -> None:
    """Bound the memory of this process, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Decode what standard input holds; the exit code is not 0 if that fails."""
    _bound_memory()
    frame = json.loads(sys.stdin.buffer.readline())
    sys.stdout.buffer.write(decode(sys.stdin.buffer.read(), frame=frame))


if __name__ == "__main__":
    main()
