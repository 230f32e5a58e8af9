"""Decode the stored values of a DICOM film, for every transfer syntax that is read."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)

from capitate.errors import CorruptFileError, MissingExtraError, UnsupportedFormatError
from capitate.files.codestream import jpeg2000_frame, jpeg_frame
from capitate.files.dicom.header import ImageHeader
from capitate.files.dicom.isolation import DECODER_DEPENDENCIES, PLUGIN, is_available, isolated_gdcm
from capitate.files.dicom.values import Remarks

__all__ = ["decode"]

_NATIVE = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
)
_LOSSY_JPEG = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
# PS3.5, annex G: a byte run of RLE costs at most one byte in 128; the header takes 64.
_RLE_OVERHEAD = 1.02


def decode(dataset: Dataset, *, header: ImageHeader, syntax: str, remarks: Remarks) -> tuple[NDArray[Any], str]:
    """Decode the pixels.

    Returns:
        Integers of shape (rows, columns) or (rows, columns, 3), and their photometric interpretation: YCbCr and palette
        colours have become `RGB`.

    Raises:
        UnsupportedFormatError: if the transfer syntax is not read, or python-gdcm is needed and missing.
        CorruptFileError: if there are fewer bytes than announced, or the compressed stream announces something else.
    """
    uid = UID(syntax)
    element = dataset["PixelData"]
    content = bytes(element.value or b"")
    if uid in _NATIVE:
        decoder, plugin = get_decoder(uid), ""
        _check_length(len(content), header=header, remarks=remarks)
    else:
        decoder, plugin = _decoder(uid)
        _check_stream(content, uid=uid, header=header)
    try:
        stored, stated = decoder.as_array(
            content, index=0, decoding_plugin=plugin, **_options(header, vr=str(element.VR))
        )
    except RuntimeError as error:  # pydicom wraps what a plug-in raises
        if isinstance(error.__cause__, CorruptFileError):
            raise error.__cause__ from error
        raise
    if header.photometric == "PALETTE COLOR":
        return _palette(stored, dataset=dataset, header=header), "RGB"
    native: NDArray[Any] = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    return native, str(stated["photometric_interpretation"])


def _options(header: ImageHeader, *, vr: str) -> dict[str, Any]:
    """The header in the words of pydicom's decoders."""
    return {
        "rows": header.rows,
        "columns": header.columns,
        "number_of_frames": 1,
        "samples_per_pixel": header.samples,
        "photometric_interpretation": header.photometric,
        "pixel_representation": int(header.signed),
        "bits_allocated": header.allocated,
        "bits_stored": header.bits_stored,
        "planar_configuration": header.planar,
        "pixel_keyword": "PixelData",
        "pixel_vr": vr,
        # Padding may use bits beyond those stored; `tone` masks them after it has looked for padding.
        "correct_unused_bits": not header.photometric.startswith("MONOCHROME"),
    }


def _decoder(uid: UID) -> tuple[Decoder, str]:
    """The decoder for a compressed transfer syntax: always the same one, so that results do not vary by machine."""
    if uid == RLELossless:
        return get_decoder(uid), "pydicom"
    if uid in _LOSSY_JPEG:
        return get_decoder(uid), "pillow"
    if uid not in DECODER_DEPENDENCIES:
        name = uid.name if uid.name != str(uid) else "unknown"
        raise UnsupportedFormatError(
            f"the DICOM transfer syntax {str(uid)[:64]!r} ({name}) is not read; export the film uncompressed"
        )
    if not is_available(uid):
        # One compressed film must not stop the others, so this is an error of the film, in the words of the extra's.
        raise UnsupportedFormatError(str(MissingExtraError(what=f"a DICOM film in {uid.name}", extra="dicom")))
    return isolated_gdcm(uid), PLUGIN


def _check_length(count: int, *, header: ImageHeader, remarks: Remarks) -> None:
    """Compare the length of uncompressed pixels with the header's."""
    expected = header.pixel_bytes
    row = expected // header.rows
    if count < expected or count - expected > max(row, 1):
        raise CorruptFileError(
            f"the DICOM film holds {count:,} bytes of pixels, and its header ({header.columns} x {header.rows}, "
            f"{header.allocated} bits, {header.samples} a pixel) announces {expected:,}; copy or export it again"
        )
    if count - expected > 1:
        remarks.warn("pixel_data_excess", f"The DICOM film holds {count - expected} bytes behind its last pixel.")


def _check_stream(content: bytes, *, uid: UID, header: ImageHeader) -> None:
    """Compare what a compressed stream announces with the header, since decoders trust the header."""
    stream = get_frame(content, 0, number_of_frames=1)
    if uid == RLELossless:
        if len(stream) > 64 + 2 * 8 + _RLE_OVERHEAD * header.pixel_bytes:
            raise CorruptFileError(
                f"the RLE stream has {len(stream):,} bytes for {header.pixel_bytes:,} of pixels; export the film again"
            )
        return
    frame = jpeg2000_frame(stream) if uid in JPEG2000TransferSyntaxes else jpeg_frame(stream)
    same = (frame.width, frame.height, frame.components) == (header.columns, header.rows, header.samples)
    if not same or frame.bits > header.allocated:
        raise CorruptFileError(
            f"the compressed stream holds {frame.width} x {frame.height} pixels of {frame.components} x {frame.bits} "
            f"bits, and the DICOM header announces {header.columns} x {header.rows} of {header.samples} x "
            f"{header.allocated}; export the film again"
        )
    if uid == JPEGExtended12Bit and frame.bits > 8:
        raise UnsupportedFormatError(
            f"JPEG Extended of {frame.bits} bits is not read; export the film losslessly compressed"
        )


def _palette(stored: NDArray[Any], *, dataset: Dataset, header: ImageHeader) -> NDArray[Any]:
    """Look palette colours up, scaled to the stored depth so that one full scale holds."""
    colours = apply_color_lut(stored, dataset)[..., :3]
    full = 2 ** (8 * colours.dtype.itemsize) - 1
    scaled: NDArray[Any] = (colours.astype("float64") * ((2**header.bits_stored - 1) / full)).round().astype("uint16")
    return scaled
