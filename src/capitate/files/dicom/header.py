"""What a DICOM header announces about its pixels, checked before they are decoded."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from capitate.errors import CorruptFileError, UnsupportedFormatError
from capitate.files.dicom.values import Remarks, integer, text

__all__ = ["ImageHeader", "read_header"]

_SAMPLES = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}


@dataclass(frozen=True)
class ImageHeader:
    """The Image Pixel module (DICOM PS3.3, C.7.6.3).

    Attributes:
        rows: height.
        columns: width.
        samples: samples a pixel, 1 or 3.
        allocated: bits that a stored sample takes, 8 or 16.
        bits_stored: bits of these that count.
        signed: whether stored values are two's complement.
        photometric: photometric interpretation.
        planar: 0 for colour by pixel, 1 for colour by plane.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: int

    @property
    def pixel_bytes(self) -> int:
        """Length of the uncompressed pixels in bytes."""
        full = self.rows * self.columns * self.samples * self.allocated // 8
        return full * 2 // 3 if self.photometric == "YBR_FULL_422" else full


def read_header(dataset: Dataset) -> ImageHeader:
    """Read and check the Image Pixel module.

    Raises:
        UnsupportedFormatError: if there are several frames, or a pixel encoding that is not read.
        CorruptFileError: if an attribute is missing, malformed, or contradicts another.
    """
    frames = integer(dataset, "NumberOfFrames", default=1)
    if frames > 1:
        raise UnsupportedFormatError(f"the DICOM object has {frames} frames; give the one frame that is the film")
    photometric = text(dataset, "PhotometricInterpretation", remarks=Remarks())
    samples = integer(dataset, "SamplesPerPixel", default=_SAMPLES.get(photometric, 1))
    if photometric not in _SAMPLES:
        raise UnsupportedFormatError(
            f"the DICOM photometric interpretation {photometric[:16]!r} is not read; export the film as MONOCHROME2"
        )
    if samples != _SAMPLES[photometric]:
        raise CorruptFileError(
            f"the DICOM header announces {samples} samples a pixel for {photometric}; export it again"
        )
    allocated, stored = _depth(dataset)
    return ImageHeader(
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        samples=samples,
        allocated=allocated,
        bits_stored=stored,
        signed=integer(dataset, "PixelRepresentation", default=0) == 1,
        photometric=photometric,
        planar=1 if integer(dataset, "PlanarConfiguration", default=0) == 1 else 0,
    )


def _depth(dataset: Dataset) -> tuple[int, int]:
    """Bits allocated and stored."""
    allocated = integer(dataset, "BitsAllocated")
    stored = integer(dataset, "BitsStored", default=allocated)
    high = integer(dataset, "HighBit", default=stored - 1)
    if allocated not in (8, 16):
        raise UnsupportedFormatError(f"DICOM pixels of {allocated} allocated bits are not read; export with 8 or 16")
    if not 1 <= stored <= allocated or high != stored - 1:
        raise CorruptFileError(
            f"the DICOM header announces {stored} bits with high bit {high} in {allocated}; export the film again"
        )
    return allocated, stored
