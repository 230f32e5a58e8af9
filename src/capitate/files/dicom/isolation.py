"""Run GDCM in a process of its own, as a plug-in of pydicom's decoders.

GDCM's JPEG decoders write beyond their buffers, and end the process, when a stream is damaged in certain ways. A film
must not be able to do that to the films after it, or to a service.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pydicom.pixels.decoders.base import Decoder, DecodeRunner
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
)

from capitate.errors import CorruptFileError

__all__ = ["DECODER_DEPENDENCIES", "PLUGIN", "decode_frame", "is_available", "isolated_gdcm"]

PLUGIN = "isolated gdcm"
_SYNTAXES = (JPEGLossless, JPEGLosslessSV1, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes)
DECODER_DEPENDENCIES = dict.fromkeys(_SYNTAXES, ("python-gdcm",))
_PROGRAM = Path(__file__).with_name("isolated_decoder.py")
_SECONDS = 10


def is_available(uid: str) -> bool:
    """Whether GDCM is installed and decodes this transfer syntax; the name is part of pydicom's plug-in protocol."""
    return uid in DECODER_DEPENDENCIES and find_spec("gdcm") is not None


def isolated_gdcm(uid: UID) -> Decoder:
    """Return a pydicom decoder for one transfer syntax that knows this plug-in only; pydicom's own stay as they are."""
    decoder = Decoder(uid)
    decoder.add_plugin(PLUGIN, (__name__, "decode_frame"))
    return decoder


def decode_frame(stream: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame in another process.

    Args:
        stream: the code stream.
        runner: pydicom's description of the frame; its bits allocated become those of the decoded samples.

    Raises:
        CorruptFileError: if the decoder fails, crashes, or takes more than 10 s or 1 GB.
    """
    syntax = runner.transfer_syntax
    stored = runner.bits_stored
    if syntax in JPEGLSTransferSyntaxes:
        stored = runner.get_option("jls_precision", stored)
        runner.set_option("planar_configuration", 0)
    if syntax in JPEG2000TransferSyntaxes:
        stored = runner.get_option("j2k_precision", stored)
    if syntax in JPEGLSTransferSyntaxes or syntax in JPEG2000TransferSyntaxes:
        runner.set_option("bits_allocated", 8 if stored <= 8 else 16)
    frame = {
        "columns": runner.columns,
        "rows": runner.rows,
        "samples": runner.samples_per_pixel,
        "allocated": runner.bits_allocated,
        "stored": stored,
        "signed": runner.pixel_representation,
        "planar": runner.planar_configuration if runner.samples_per_pixel > 1 else 0,
        "photometric": str(runner.photometric_interpretation),
        "syntax": str.__str__(syntax),
    }
    decoded = _run(json.dumps(frame).encode() + b"\n" + stream, syntax=syntax)
    if syntax in JPEG2000TransferSyntaxes and frame["photometric"] in ("YBR_ICT", "YBR_RCT"):
        runner.set_option("photometric_interpretation", "RGB")  # the code stream says how; GDCM has undone it
    return decoded


def _run(request: bytes, *, syntax: UID) -> bytes:
    """Start the decoder and return what it wrote."""
    try:
        finished = subprocess.run(
            [sys.executable, "-P", str(_PROGRAM)],
            input=request,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CorruptFileError(f"decoding {syntax.name} took more than {_SECONDS} s; export the film again") from error
    if finished.returncode != 0:
        raise CorruptFileError(
            f"the {syntax.name} stream cannot be decoded (decoder ended with {finished.returncode}); it is damaged: "
            "copy or export the film again"
        )
    return finished.stdout
