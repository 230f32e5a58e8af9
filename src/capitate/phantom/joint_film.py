"""From a joint's attenuation to its crop as it comes from a film: tone, resolution, noise, compression."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.phantom.joint_variation import JointExposure

__all__ = ["develop"]

Field = NDArray[np.float32]


def develop(attenuation: Field, *, exposure: JointExposure, rng: np.random.Generator | None) -> Field:
    """Turn attenuation into the pixels of a crop.

    Args:
        attenuation: float32 (size, size), 0 in air.
        exposure: what film and scanner do.
        rng: source of noise; without one there is none.

    Returns:
        float32 (size, size) in [0, 1], bone bright.
    """
    size = attenuation.shape[0]
    value = 1 - np.exp(attenuation * np.float32(-exposure.contrast))
    if exposure.gamma != 1:
        value = value ** np.float32(exposure.gamma)
    value = np.float32(exposure.air) + np.float32(1 - exposure.air) * value
    if any(exposure.slope):
        value += _slope(size, exposure.slope)
    if exposure.blur * size > 0.2:
        value = ndimage.gaussian_filter(value, exposure.blur * size, truncate=2.5)
    if exposure.shutter:
        value = _shuttered(value, exposure)
    small = max(24, round(size * exposure.resolution))
    if small < size:
        value = _resized(value, small)
    if exposure.noise and rng is not None:
        value = value + _noise(value, exposure, rng)
    if exposure.range < 1 or exposure.compression:
        value = _stored(value, exposure)
    if small < size:
        value = _resized(value, size)
    clipped: Field = np.clip(value, 0, 1, dtype=np.float32)
    return clipped


def _slope(size: int, slope: tuple[float, float]) -> Field:
    """Return a plane with the given differences from the middle to the borders, x and y."""
    line = np.linspace(-1, 1, size, dtype=np.float32)
    return np.float32(slope[0]) * line + np.float32(slope[1]) * line[:, None]


def _shuttered(value: Field, exposure: JointExposure) -> Field:
    """Cover a border with the collimator's shadow."""
    size = value.shape[0]
    line = np.arange(size, dtype=np.float32)
    line = line if exposure.shutter_border == 0 else size - 1 - line
    lit = 1 / (1 + np.exp(-np.clip((line - exposure.shutter * size) / (0.012 * size), -20, 20)))
    lit = lit[:, None] if exposure.shutter_border == 2 else lit[None]
    covered: Field = value * lit + np.float32(exposure.shutter_grey) * (1 - lit)
    return covered.astype(np.float32)


def _resized(value: Field, size: int) -> Field:
    picture = Image.fromarray(value).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.float32)


def _noise(value: Field, exposure: JointExposure, rng: np.random.Generator) -> Field:
    """Return noise that is stronger behind bone, in grains of the film."""
    grain = rng.standard_normal(value.shape, dtype=np.float32)
    if exposure.grain > 0.5:
        grain = ndimage.gaussian_filter(grain, exposure.grain, truncate=2.0)
        grain *= np.float32(2 * np.sqrt(np.pi) * exposure.grain)
    return np.float32(exposure.noise) * (np.float32(0.5) + value) * grain


def _stored(value: Field, exposure: JointExposure) -> Field:
    """Store the crop as 8 bits of a film that uses part of the grey scale, compressed or not, and stretch it again."""
    low = np.float32((1 - exposure.range) / 2)
    levels = np.clip((low + np.float32(exposure.range) * value) * 255 + 0.5, 0, 255).astype(np.uint8)
    if exposure.compression:
        stream = io.BytesIO()
        Image.fromarray(levels).save(stream, format="JPEG", quality=exposure.compression)
        levels = np.asarray(Image.open(stream))
    stretched: Field = (levels.astype(np.float32) / 255 - low) / np.float32(exposure.range)
    return stretched
