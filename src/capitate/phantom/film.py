"""From attenuation to film: tone, blur, noise, scatter, lead marker, collimation. Each can be switched off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from capitate.types import Side

__all__ = ["FilmLook", "expose"]

Field = NDArray[np.float32]


@dataclass(frozen=True)
class FilmLook:
    """What the film adds to the hand.

    Attributes:
        contrast: how fast bright bone saturates; about 1.5 for a usual film.
        brightness: grey of full exposure without an object, 0 to 1; most films are near black there.
        gain: how much of the grey scale bone reaches, 0 to 1.
        blur: standard deviation of the unsharpness, fractions of the film's height.
        quantum_noise: standard deviation of the photon noise, grey levels of 1; stronger behind bone.
        grain: standard deviation of the film grain, which is coarser than a pixel.
        scatter: strength of the scattered background around the hand.
        gradient: strength of the uneven illumination across the film.
        marker: whether a lead letter L or R on its plate lies beside the hand.
        collimation: whether shutters leave dark edges.
        texture: strength of the trabecular pattern, 0 to 1.
    """

    contrast: float = 1.5
    brightness: float = 0.03
    gain: float = 0.95
    blur: float = 0.0007
    quantum_noise: float = 0.008
    grain: float = 0.006
    scatter: float = 0.05
    gradient: float = 0.02
    marker: bool = True
    collimation: bool = True
    texture: float = 0.35

    @classmethod
    def clean(cls) -> FilmLook:
        """Return a film without any artefact: bones and soft tissue only."""
        return cls(blur=0, quantum_noise=0, grain=0, scatter=0, gradient=0, marker=False, collimation=False, texture=0)

    def varied(self, rng: np.random.Generator) -> FilmLook:
        """Return another film of the same switches: exposure, noise and blur drawn around these values."""
        stretch = np.exp(0.25 * rng.standard_normal(6))
        bright = rng.uniform(0.0, 0.35) if rng.random() < 0.35 else self.brightness
        return replace(
            self,
            contrast=float(self.contrast * stretch[0]),
            brightness=float(bright),
            gain=float(np.clip(self.gain * rng.uniform(0.75, 1.03), 0, 1)),
            blur=float(self.blur * stretch[1]),
            quantum_noise=float(self.quantum_noise * stretch[2]),
            grain=float(self.grain * stretch[3]),
            scatter=float(self.scatter * stretch[4]),
            gradient=float(self.gradient * stretch[5]),
        )


def expose(
    attenuation: Field, *, mask: NDArray[np.bool_], side: Side, look: FilmLook, rng: np.random.Generator
) -> Field:
    """Turn attenuation into film pixels.

    Args:
        attenuation: shape (height, width), 0 in air.
        mask: true where the hand is; the marker keeps clear of it.
        side: letter of the marker.
        look: what the film adds.
        rng: source of noise and of the marker's place.

    Returns:
        float32 in [0, 1], bone bright, same shape.
    """
    height, width = attenuation.shape
    placing, noise = rng.spawn(2)
    lead = _marker(mask, side, placing) if look.marker else np.zeros_like(attenuation)
    beam = _scattered(attenuation, look.scatter) + lead
    value = look.brightness + (look.gain - look.brightness) * (1 - np.exp(-look.contrast * beam))
    value += look.gradient * _slope(height, width, placing)
    if look.blur:
        value = ndimage.gaussian_filter(value, look.blur * height)
    if look.collimation:
        value *= _shutters(height, width, mask, placing)
    value = _noisy(value.astype(np.float32), look, noise)
    clipped: Field = np.clip(value, 0, 1).astype(np.float32)
    return clipped


def _scattered(attenuation: Field, strength: float) -> Field:
    """Add a wide blur of the object, computed on every eighth pixel."""
    if not strength:
        return attenuation
    step = max(1, min(attenuation.shape) // 64)
    small = ndimage.uniform_filter(attenuation, step)[::step, ::step]
    wide = ndimage.gaussian_filter(small, 6.0)
    zoom = np.array(attenuation.shape) / np.array(small.shape)
    full = ndimage.zoom(wide, zoom, order=1, grid_mode=True, mode="nearest")[
        : attenuation.shape[0], : attenuation.shape[1]
    ]
    lit: Field = attenuation + np.float32(strength) * full.astype(np.float32)
    return lit


def _slope(height: int, width: int, rng: np.random.Generator) -> Field:
    """Return a plane with values between about -1 and 1: the heel of the beam."""
    angle = rng.uniform(0, 2 * np.pi)
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None]
    plane: Field = np.float32(np.sin(angle)) * rows + np.float32(np.cos(angle)) * columns
    return plane


def _shutters(height: int, width: int, mask: NDArray[np.bool_], rng: np.random.Generator) -> Field:
    """Return the transmission of the collimator: 1 inside, dark beyond soft edges that spare the hand."""
    found = []
    for size, rows in ((height, mask.any(axis=1)), (width, mask.any(axis=0))):
        inside = np.flatnonzero(rows)
        room = (inside[0], size - 1 - inside[-1]) if len(inside) else (size // 8, size // 8)
        low, high = (rng.uniform(0.0, 0.04) * size if r > 0.02 * size else -size for r in room)
        low, high = min(low, room[0] * 0.8), min(high, room[1] * 0.8)
        at = np.arange(size, dtype=np.float32)
        soft = 0.002 * size + 0.5
        edge = 1 / (1 + np.exp(-np.clip((at - low) / soft, -30, 30)))
        found.append(edge / (1 + np.exp(-np.clip((size - 1 - high - at) / soft, -30, 30))))
    window: Field = (0.15 + 0.85 * np.outer(*found)).astype(np.float32)
    return window


def _noisy(value: Field, look: FilmLook, rng: np.random.Generator) -> Field:
    """Add photon noise, which grows with attenuation, and film grain, which is coarser than a pixel."""
    if look.quantum_noise:
        strength = np.float32(look.quantum_noise) * (np.float32(0.4) + value)
        value = value + strength * rng.standard_normal(value.shape, dtype=np.float32)
    if look.grain:
        # Grain keeps its size on the film: coarser in pixels on a finer scan.
        sigma = max(0.5, 0.0006 * value.shape[0])
        grain = ndimage.gaussian_filter(rng.standard_normal(value.shape, dtype=np.float32), sigma)
        value = value + np.float32(look.grain) * grain / np.float32(grain.std() + 1e-9)
    return value


def _marker(mask: NDArray[np.bool_], side: Side, rng: np.random.Generator) -> Field:
    """Return the attenuation of a lead letter on a plastic plate, where it covers the hand least."""
    height, width = mask.shape
    tall = max(12, int(0.085 * height))
    plate = _letter(tall, "R" if side is Side.RIGHT else "L", rng.uniform(-12, 12))
    rows, columns = plate.shape
    if rows >= height or columns >= width:
        return np.zeros(mask.shape, dtype=np.float32)
    tops = rng.integers(int(0.04 * (height - rows)), max(1, int(0.96 * (height - rows))) + 1, 24)
    lefts = np.where(rng.random(24) < 0.5, 0.04, 0.96) * (width - columns)
    covered = [mask[t : t + rows, int(x) : int(x) + columns].mean() for t, x in zip(tops, lefts, strict=True)]
    best = int(np.argmin(covered))
    lead = np.zeros(mask.shape, dtype=np.float32)
    top, left = int(tops[best]), int(lefts[best])
    if covered[best] < 0.35:
        lead[top : top + rows, left : left + columns] = plate
    return lead


def _letter(tall: int, letter: str, degrees: float) -> Field:
    """Draw the letter in strokes on its plate; returns attenuation, shape about (tall, 0.7 tall)."""
    size = (4 * int(0.72 * tall), 4 * tall)
    picture = Image.new("F", size, 0.0)
    pen = ImageDraw.Draw(picture)
    w, h = size
    pen.rounded_rectangle((0.06 * w, 0.04 * h, 0.94 * w, 0.96 * h), radius=0.06 * w, fill=0.05)
    thick = int(0.13 * w)
    strokes = [((0.30, 0.22), (0.30, 0.80)), ((0.30, 0.80), (0.72, 0.80))]
    if letter == "R":
        strokes = [((0.30, 0.20), (0.30, 0.84)), ((0.42, 0.52), (0.72, 0.84))]
        pen.arc((0.10 * w, 0.195 * h, 0.74 * w, 0.57 * h), -90, 90, fill=3.0, width=thick)
    for a, b in strokes:
        ends = [(a[0] * w, a[1] * h), (b[0] * w, b[1] * h)]
        pen.line(ends, fill=3.0, width=thick)
        for x, y in ends:
            pen.rectangle((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=3.0)
    turned = picture.rotate(degrees, resample=Image.Resampling.BILINEAR, expand=True)
    small = turned.resize((turned.width // 4, turned.height // 4), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)
