"""Attenuation of bones at the scale of one joint: the whole hand's bones with their fine structure.

Axis, width, profile and the surfaces of epiphysis and growth plate are those of `capitate.phantom.bones`. What is added
are end plates and the dense zone of calcification beside the growth plate, and each bone's own form. Everything that
depends on one coordinate alone is computed on a fine line and looked up, which is what makes a joint take milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.bones import UNITED, own_coordinates, profile_at
from capitate.phantom.canvas import CORTEX, SPONGY, Canvas
from capitate.phantom.epiphysis import JOINT_SPACE, epiphysis_surfaces, plate_wave
from capitate.phantom.joint_variation import BoneShape
from capitate.phantom.skeleton import LongBone

__all__ = ["BoneParts", "draw_bone", "formed"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FINE = 256
_REACH = 1.5
"""Half-widths on each side of the axis for which surfaces are computed, at `_FINE` places."""
_SHARES = np.linspace(-_REACH, _REACH, _FINE, dtype=np.float32)
_BLUNT = {"distal": 0.55, "metacarpal": 0.22}


@dataclass(frozen=True, eq=False)
class BoneParts:
    """Which pixels of a window of the canvas belong to a bone.

    Attributes:
        window: rows and columns of the canvas.
        epiphysis: where its epiphysis is, bool of the window's shape; none where it does not show or is half united.
        shaft: where the rest of the bone is.
    """

    window: tuple[slice, slice]
    epiphysis: Mask
    shaft: Mask


@dataclass(frozen=True, eq=False)
class _End:
    """A bone's end over `_SHARES`: surfaces as distances along the bone, and how far fusion has bridged the plate."""

    face: Field
    back: Field
    start: Field
    bridged: Field
    plate: float


@dataclass(frozen=True, eq=False)
class _Body:
    """A bone at the pixels of a window: where they lie, and its half-width, marrow cavity and densities there."""

    along: Field
    across: Field
    half: Field
    cavity: Field
    compact: Field
    spongy: Field


def draw_bone(canvas: Canvas, bone: LongBone, *, shape: BoneShape, parts: bool = False) -> BoneParts | None:
    """Add a bone with its epiphysis to the canvas.

    Args:
        canvas: drawn on in place.
        bone: of a hand's plan, in its own form; see `formed`.
        shape: its own form.
        parts: whether to say which pixels are which.

    Returns:
        The parts, or None if they were not asked for or the bone lies off the canvas.
    """
    place = own_coordinates(canvas, bone)
    if place is None:
        return None
    window, along, across = place
    end = _end(bone, shape)
    body = _body(bone, shape, along, across, plate=end.plate)
    at = ((across * (2 / bone.width) + _REACH) * ((_FINE - 1) / (2 * _REACH)) + 0.5).astype(np.int32)
    start = np.take(end.start, at, mode="clip")
    far = _far_side(bone, body)
    behind_start, before_far = along - start, far - along
    shaft = _hollow(body, behind_start, before_far, reach=0.2 * bone.width / 2, plate=0.07 * bone.width / 2)
    shaft *= 1 + 0.3 * shape.density * np.exp(np.maximum(behind_start, 0) * (-14 / bone.width))
    inside = before_plate = np.zeros((), dtype=np.float32)
    if bone.look.visible:
        inside = along - np.take(end.face, at, mode="clip")
        before_plate = np.take(end.back, at, mode="clip") - along
        shaft = _with_epiphysis(bone, shape, end, body, at, shaft, behind_start, inside, before_plate, before_far)
    canvas.attenuation[window] += shaft
    if not parts:
        return None
    apart = bone.look.visible and bone.look.fusion < UNITED
    whole = behind_start if apart or not bone.look.visible else np.maximum(inside, behind_start)
    solid = (whole > 0) & (before_far > 0) & (np.abs(across) < body.half)
    epiphysis = (inside > 0) & (before_plate > 0) if apart else np.zeros_like(solid)
    return BoneParts(window, epiphysis, solid & ~epiphysis)


def formed(bone: LongBone, shape: BoneShape) -> LongBone:
    """Return a bone with its own width, height, width ratio and gap."""
    look = replace(bone.look, width=bone.look.width * shape.ratio, gap=bone.look.gap * shape.gap)
    return replace(bone, width=bone.width * shape.width, height=bone.height * shape.height, look=look)


def _end(bone: LongBone, shape: BoneShape) -> _End:
    """Compute the surfaces of the end with the epiphysis."""
    look, radius = bone.look, bone.width / 2
    full_gap = 0.13 * bone.width * (1 - look.fusion)
    plate = JOINT_SPACE + bone.height + min(full_gap, look.gap * bone.width)
    slope = math.tan(math.radians(shape.oblique_degrees)) * radius * _SHARES
    slope = slope + shape.wave * radius * np.cos(5 * _SHARES + shape.wave_phase)
    start = (plate + plate_wave(bone, _SHARES) + slope).astype(np.float32)
    if not look.visible:
        return _End(start, start, start, np.zeros_like(start), plate)
    face, back = epiphysis_surfaces(bone, _SHARES - np.float32(shape.asymmetry))
    bridged = np.clip((look.fusion * 1.5 - np.abs(_SHARES - shape.bridge * (1 - look.fusion))) / 0.4, 0, 1)
    return _End(
        (face + slope).astype(np.float32), (back + slope).astype(np.float32), start, bridged.astype(np.float32), plate
    )


def _body(bone: LongBone, shape: BoneShape, along: Field, across: Field, *, plate: float) -> _Body:
    """Look up width and densities along the bone."""
    radius, forearm = bone.width / 2, bone.profile in ("radius", "ulna")
    low, high = float(along.min()), float(along.max()) + 1e-6
    line = np.linspace(low, high, _FINE, dtype=np.float32)
    length = float(np.hypot(*(bone.end - bone.start))) - JOINT_SPACE
    place = line - plate if forearm else (line - plate) / (length - plate)
    half, cortex = profile_at(bone.profile, place)
    half = np.where(place < 0, bone.look.width if bone.look.visible else 1.0, half**shape.taper) * radius
    cortex = cortex * radius * shape.cortex * (1.05 - 0.25 * bone.youth)
    flat = 3.2 / (1 + half / 0.12)
    dense = 1 - 0.55 * np.clip(cortex / (half + 1e-6) / 0.2, 0, 1)
    at = ((along - np.float32(low)) * np.float32((_FINE - 1) / (high - low)) + 0.5).astype(np.int32)
    tables = (half, np.maximum(half - cortex, 0), flat * CORTEX, flat * (CORTEX - SPONGY * dense))
    return _Body(along, across, *(np.take(table.astype(np.float32), at, mode="clip") for table in tables))


def _far_side(bone: LongBone, body: _Body) -> Field:
    """Return the surface of the other end, distances along the bone."""
    length = float(np.hypot(*(bone.end - bone.start)))
    far = length - JOINT_SPACE - 0.012 * bone.youth * (bone.profile not in ("radius", "ulna"))
    if float(body.along.max()) < far - 0.6 * bone.width:
        return np.full((), far, dtype=np.float32)
    share = np.clip(np.abs(body.across) / (body.half + 1e-6), 0, 1.2)
    drop = _BLUNT.get(bone.profile, 0.42) * share * share * np.sqrt(share)
    if bone.profile == "phalanx":
        drop += 0.16 * np.exp(share * share * (-1 / 0.35**2))
    return np.float32(far) - body.half * drop


def _dome(distance: Field, reach: float) -> Field:
    """Round off towards an end: 0 at and beyond it, 1 from `reach` inwards."""
    inward = np.clip(distance * np.float32(1 / reach), 0, 1)
    return np.sqrt(inward * (2 - inward))


def _hollow(body: _Body, ahead: Field, behind: Field, *, reach: float, plate: float) -> Field:
    """Return the attenuation of a hollow body of revolution between two surfaces; see `capitate.phantom.canvas.tube`.

    Args:
        body: width and densities.
        ahead: distance behind the surface at one end.
        behind: the same at the other end.
        reach: over what distance the ends round off.
        plate: thickness of the end plates.
    """
    square = body.across * body.across
    ends = np.minimum(ahead, behind)
    outer = np.sqrt(np.maximum(body.half * body.half - square, 0)) * _dome(ends, reach)
    cavity = np.sqrt(np.maximum(body.cavity * body.cavity - square, 0)) * _dome(ends - np.float32(plate), reach)
    return body.compact * outer - body.spongy * np.minimum(cavity, outer)


def _with_epiphysis(
    bone: LongBone, shape: BoneShape, end: _End, body: _Body, at: NDArray[np.int32], shaft: Field,
    behind_start: Field, inside: Field, before_plate: Field, before_far: Field,
) -> Field:  # fmt: skip
    """Return the attenuation of shaft and epiphysis, apart or as far united as they are."""
    look, radius = bone.look, bone.width / 2
    thick, wide = bone.height * look.height, radius * look.width
    if look.fusion < 1:
        rim = min(0.07 * radius, 0.3 * wide)
        flat = np.float32(3.2 / (1 + wide / 0.12))
        centre = replace(
            body,
            across=body.across - np.float32(shape.asymmetry * radius),
            half=np.float32(wide),
            cavity=np.float32(wide - rim),
            compact=flat * np.float32(CORTEX),
            spongy=flat * np.float32(CORTEX - SPONGY),
        )
        piece = _hollow(centre, inside, before_plate, reach=0.3 * thick, plate=min(0.16 * thick, 0.06 * bone.width))
        near = np.maximum(np.minimum(inside, before_plate), 0)
        piece *= 1 + 0.35 * shape.density * np.exp(near * np.float32(-1 / (0.12 * thick + 0.002)))
        shaft = shaft + piece
    if look.fusion <= 0:
        return shaft
    united = _hollow(body, inside, before_far, reach=0.2 * radius, plate=0.07 * radius)
    band = behind_start * np.float32(1 / (0.055 * radius + 0.002))
    united += np.float32(look.scar * shape.density * 1.6 * radius) * np.exp(-band * band) * (united > 0)
    if look.fusion >= 1:
        return united
    bridged = np.take(end.bridged, at, mode="clip")
    return shaft + (united - shaft) * bridged
