"""From stored values to grey values: modality, values of interest, polarity and padding (DICOM PS3.3 C.11, PS3.4 N.2).

A stored value has at most 16 bits, so the whole chain is worked out once for each of the 256 or 65,536 bit patterns,
and the film is looked up in that table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from capitate.errors import NotARadiographError
from capitate.files.dicom.header import ImageHeader
from capitate.files.dicom.lut import read_lut
from capitate.files.dicom.values import Remarks, numbers, text
from capitate.files.dicom.window import of_interest

__all__ = ["grey_values"]

_ROWS_AT_ONCE = 256  # looking up needs eight bytes a pixel for a while


def grey_values(
    stored: NDArray[Any], *, dataset: Dataset, header: ImageHeader, remarks: Remarks
) -> NDArray[np.float32]:
    """Turn stored values into grey values in [0, 1], bone bright as far as the file says so, padding black.

    The chain is: modality LUT or rescale; then VOI LUT, else the first window, else the range of the values present
    outside the padding; then one inversion if the film is MONOCHROME1 or its presentation is INVERSE.

    Args:
        stored: integers of shape (rows, columns), unused bits included.
        dataset: where the transformations stand.
        header: checked pixel description.
        remarks: takes what was remarked.

    Raises:
        NotARadiographError: if there is nothing but padding, or the values outside it are all equal.
    """
    patterns = stored.view(f"u{stored.dtype.itemsize}")
    count = 2 ** (8 * stored.dtype.itemsize)
    padding = _padding(_numbers(count, header.allocated, signed=header.signed), dataset=dataset, remarks=remarks)
    shown = _present(patterns, count=count) & ~padding
    if not shown.any():
        raise NotARadiographError("every pixel of the DICOM film is padding; check that this file is the film")
    values = _modality(_numbers(count, header.bits_stored, signed=header.signed), dataset=dataset, remarks=remarks)
    if np.ptp(values[shown]) == 0:
        raise NotARadiographError(f"every pixel has the value {values[shown][0]:g}; check that this file is the film")
    grey = of_interest(values, shown=shown, dataset=dataset, remarks=remarks)
    if _inverted(dataset, header=header, remarks=remarks):
        grey = 1 - grey
    grey[padding] = 0
    return _look_up(grey.astype(np.float32), patterns)


def _numbers(count: int, bits: int, *, signed: bool) -> NDArray[np.int64]:
    """The number that each bit pattern stands for when its lowest `bits` count."""
    values: NDArray[np.int64] = np.arange(count, dtype=np.int64) & (2**bits - 1)
    if signed:
        values[values >= 2 ** (bits - 1)] -= 2**bits
    return values


def _blocks(patterns: NDArray[Any]) -> Iterator[slice]:
    """Rows in portions."""
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, patterns.shape[0], _ROWS_AT_ONCE))


def _present(patterns: NDArray[Any], *, count: int) -> NDArray[np.bool_]:
    """Which bit patterns occur in the film."""
    present = np.zeros(count, dtype=np.bool_)
    for rows in _blocks(patterns):
        present[patterns[rows]] = True
    return present


def _look_up(table: NDArray[np.float32], patterns: NDArray[Any]) -> NDArray[np.float32]:
    """Replace each bit pattern by its entry."""
    pixels = np.empty(patterns.shape, dtype=np.float32)
    for rows in _blocks(patterns):
        np.take(table, patterns[rows], out=pixels[rows], mode="clip")
    return pixels


def _padding(values: NDArray[np.int64], *, dataset: Dataset, remarks: Remarks) -> NDArray[np.bool_]:
    """Which stored values are padding (PS3.3 C.7.5.1.1.2); the value's own sign may be stored wrongly."""
    first = numbers(dataset, "PixelPaddingValue", remarks=remarks)
    if not first:
        return np.zeros(values.shape, dtype=np.bool_)
    last = numbers(dataset, "PixelPaddingRangeLimit", remarks=remarks) or first
    low, high = sorted(_as_stored(bound, values) for bound in (first[0], last[0]))
    return (values >= low) & (values <= high)


def _as_stored(bound: float, values: NDArray[np.int64]) -> float:
    """Shift a number that was read with the wrong sign into the range of the stored values."""
    if bound > values.max():
        return bound - values.size
    return bound + values.size if bound < values.min() else bound


def _modality(values: NDArray[np.int64], *, dataset: Dataset, remarks: Remarks) -> NDArray[np.float64]:
    """Apply the modality LUT or the rescale slope and intercept (PS3.3 C.11.1)."""
    lut = read_lut(dataset, "ModalityLUTSequence", signed=bool(values.min() < 0), remarks=remarks)
    if lut is not None:
        return lut.apply(values)
    slope = numbers(dataset, "RescaleSlope", remarks=remarks) or [1.0]
    intercept = numbers(dataset, "RescaleIntercept", remarks=remarks) or [0.0]
    if slope[0] == 0 or max(abs(slope[0]), abs(intercept[0])) > 1e9:
        remarks.malformed("RescaleSlope", wanted="usable scale")
        return values.astype(np.float64)
    return values.astype(np.float64) * slope[0] + intercept[0]


def _inverted(dataset: Dataset, *, header: ImageHeader, remarks: Remarks) -> bool:
    """Whether low values are to be bright.

    The Presentation LUT Shape INVERSE accompanies MONOCHROME1 and states the same thing once more (PS3.3 C.8.11.3); it
    does not invert a second time.
    """
    if header.photometric == "MONOCHROME1":
        return True
    inverse = text(dataset, "PresentationLUTShape", remarks=remarks) == "INVERSE"
    if inverse:
        remarks.warn("presentation_inverse", "The DICOM film is MONOCHROME2 with an INVERSE presentation; inverted.")
    return inverse
