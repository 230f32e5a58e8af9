"""From stored samples to grey values in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import NotARadiographError
from capitate.types import Finding, Severity

__all__ = ["Decoded", "check_not_blank", "composite", "luma", "stretch", "to_unit"]

# ITU-R BT.601-7, 2.5.1: the luma of JPEG files and of Pillow's greyscale conversion.
_LUMA_WEIGHTS = (0.299, 0.587, 0.114)
# Channels of a grey film that went through JPEG or WebP in colour differ by a few of 255. A picture with more than a
# tenth of the range between channels on more than 1 % of its area is no such film.
_COLOUR_DIFFERENCE = 0.1
_COLOUR_SHARE = 0.01


@dataclass(frozen=True)
class Decoded:
    """Pixels of a film: float32, shape (height, width), in [0, 1]; significant stored bits; what was remarked."""

    pixels: NDArray[np.float32]
    bits: int
    findings: tuple[Finding, ...] = ()


def to_unit(samples: NDArray[Any], *, full: int) -> NDArray[np.float32]:
    """Divide unsigned samples by their full scale.

    Samples and scale are below 2**24 and hence exact in float32, and the division is correctly rounded, so that 8-bit
    samples and the same samples stored as 16 bit (times 257) give identical values.

    Args:
        samples: unsigned integers of any shape.
        full: the value that becomes 1, 2**bits - 1.
    """
    unit = samples.astype(np.float32)
    unit /= np.float32(full)
    return unit


def stretch(samples: NDArray[Any]) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Bring samples without a fixed scale into [0, 1]: as they are if they lie there, else from minimum to maximum.

    Raises:
        NotARadiographError: if a sample is not finite, or all are equal.
    """
    finite = np.isfinite(samples)
    if not finite.all():
        raise NotARadiographError(
            f"{finite.size - np.count_nonzero(finite):,} of {finite.size:,} samples are not finite (NaN or infinity); "
            "export the film with integer samples"
        )
    low, high = float(samples.min()), float(samples.max())
    if samples.dtype.kind == "f" and 0 <= low <= high <= 1:
        return samples.astype(np.float32), ()
    if low == high:
        raise NotARadiographError(f"every pixel has the value {low:g}; check that this file is the film")
    unit = samples.astype(np.float32)
    unit *= np.float32(0.5)  # the difference of two float32 may exceed their range, that of their halves does not
    unit -= np.float32(low / 2)
    unit /= np.float32(high / 2 - low / 2)
    message = f"The samples have no fixed scale; the range {low:g} to {high:g} was stretched to black to white."
    finding = Finding(code="range_stretched", severity=Severity.INFO, message=message)
    return np.clip(unit, 0, 1, out=unit), (finding,)


def luma(channels: Sequence[NDArray[Any]], *, full: int) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Turn red, green and blue samples into grey values in [0, 1].

    Equal channels give exactly the channel. Otherwise the luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601 is taken,
    with a warning when the picture is really coloured.

    Args:
        channels: red, green, blue: unsigned integers of shape (height, width).
        full: full scale of the samples, 2**bits - 1.
    """
    red, green, blue = channels
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return to_unit(red, full=full), ()
    grey = to_unit(red, full=full)
    grey *= np.float32(_LUMA_WEIGHTS[0])
    for channel, weight in zip((green, blue), _LUMA_WEIGHTS[1:], strict=True):
        grey += to_unit(channel, full=full) * np.float32(weight)
    np.clip(grey, 0, 1, out=grey)
    return grey, _colour_finding(channels, full=full)


def _colour_finding(channels: Sequence[NDArray[Any]], *, full: int) -> tuple[Finding, ...]:
    """Warn about a coloured picture, judged on every fourth row and column."""
    sample = np.stack([channel[::4, ::4] for channel in channels]).astype(np.int32)
    share = float(np.mean(np.ptp(sample, axis=0) > _COLOUR_DIFFERENCE * full))
    if share <= _COLOUR_SHARE:
        return ()
    message = f"The picture is coloured on {share:.0%} of its area; it was converted to grey. Check that it is a film."
    return (Finding(code="coloured", severity=Severity.WARNING, message=message),)


def composite(
    grey: NDArray[np.float32], *, alpha: NDArray[Any], full: int
) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Put a picture with transparency on black, the colour of a film where nothing was in the beam.

    Args:
        grey: values in [0, 1], changed in place.
        alpha: opacity, unsigned integers of the same shape.
        full: the opacity that is opaque.
    """
    if alpha.min() == full:
        return grey, ()
    grey *= to_unit(alpha, full=full)
    share = float(np.mean(alpha < full))
    message = f"The picture is transparent on {share:.1%} of its area; it was put on black."
    return grey, (Finding(code="alpha_composited", severity=Severity.INFO, message=message),)


def check_not_blank(pixels: NDArray[np.float32]) -> None:
    """Refuse a picture of one single value.

    Raises:
        NotARadiographError: if all pixels are equal.
    """
    first = pixels[0, 0]
    if pixels[-1, -1] == first and pixels.min() == pixels.max():
        what = {0.0: "black", 1.0: "white"}.get(float(first), f"the same grey ({float(first):.3f} of 1)")
        height, width = pixels.shape
        raise NotARadiographError(f"all {width} x {height} pixels are {what}; check that this file is the film")
