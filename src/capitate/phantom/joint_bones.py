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

from capitate.phantom.bones import UNITED, profile_at
from capitate.phantom.canvas import CORTEX, SPONGY, Canvas
from capitate.phantom.epiphysis import JOINT_SPACE, epiphysis_surfaces, plate_wave
from capitate.phantom.joint_variation import BoneShape
from capitate.phantom.skeleton import LongBone

__all__ = ["BoneParts", "draw_bone", "formed"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

_FINE = 128
_REACH = 1.5
"""Half-widths on each side of the axis for which surfaces are computed, at `_FINE` places."""
_SHARES = np.linspace(-_REACH, _REACH, _FINE, dtype=np.float32)
_MARGIN = 0.65
"""How far a bone reaches around its axis, in its metaphyseal widths: an epiphysis may be wider and displaced."""
_BLUNT = {"distal": 0.55, "metacarpal": 0.22}
"""Roundness of the ends without epiphysis, as `capitate.phantom.bones` draws them; 0.42 for the others."""
_CALCIFIED = 0.35
"""How much denser the zone of calcification is than the metaphysis below it. By eye against real crops."""
_END_PLATE = 0.4
"""The same of an epiphysis' end plates."""


@dataclass(frozen=True, eq=False)
class BoneParts:
    """Which pixels of a window of the canvas belong to a bone.

    Attributes:
        window: rows and columns of the canvas.
        epiphysis: where its epiphysis is, bool of the window's shape; none where it does not show or is half united.
        shaft: where the rest of the bone is.
        gap: thickness of the growth plate in its middle over the metaphyseal width, 0 when closed; None where no
            epiphysis shows.
    """

    window: tuple[slice, slice]
    epiphysis: Mask
    shaft: Mask
    gap: float | None


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
    """A bone at the pixels of a window: distance from the axis, half-width, marrow cavity and densities there."""

    across: Field
    half: Field
    cavity: Field
    compact: Field
    spongy: Field


@dataclass(frozen=True, eq=False)
class _Depths:
    """How deep pixels lie behind the four surfaces across a bone, positive inside.

    Attributes:
        start: below the metaphysis' surface.
        far: above the surface at the other end.
        face: below the joint's surface of the epiphysis.
        back: above its plate's surface.
    """

    start: Field
    far: Field
    face: Field
    back: Field


def draw_bone(canvas: Canvas, bone: LongBone, *, shape: BoneShape, parts: bool = False) -> BoneParts | None:
    """Add a bone with its epiphysis to the canvas.

    Args:
        canvas: drawn on in place.
        bone: of a hand's plan, in its own form; see `formed`.
        shape: the rest of its own form.
        parts: whether to say which pixels are which.

    Returns:
        The parts, or None if they were not asked for or the bone lies off the canvas.
    """
    window = canvas.window(np.stack([bone.start, bone.end]), _MARGIN * bone.width)
    if window is None:
        return None
    along, across = _coordinates(canvas, bone, window)
    end = _end(bone, shape)
    body = _body(bone, shape, along, across, plate=end.plate)
    at = ((across * (2 / bone.width) + _REACH) * ((_FINE - 1) / (2 * _REACH)) + 0.5).astype(np.intp)
    depths = _depths(bone, end, at, along, _far_side(bone, body, longest=float(along.max())))
    canvas.attenuation[window] += _ossified(bone, shape, body, depths, np.take(end.bridged, at, mode="clip"))
    gap = float(end.start[_FINE // 2] - end.back[_FINE // 2]) / bone.width if bone.look.fusion < 1 else 0.0
    return _parts(bone, body, depths, window, gap=max(0.0, gap)) if parts else None


def _coordinates(canvas: Canvas, bone: LongBone, window: tuple[slice, slice]) -> tuple[Field, Field]:
    """Give the distance along the bone's axis from its joint, and across it: both linear in row and column."""
    axis = (bone.end - bone.start) / float(np.hypot(*(bone.end - bone.start)))
    turned = np.array([axis, [bone.radial * axis[1], -bone.radial * axis[0]]]) @ np.linalg.inv(canvas.placement.matrix)
    offset = turned @ (0.5 - canvas.placement.to_film(bone.start))
    rows = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
    columns = np.arange(window[1].start, window[1].stop, dtype=np.float32)
    along, across = (
        np.float32(turned[k, 0]) * columns + (np.float32(turned[k, 1]) * rows + np.float32(offset[k])) for k in (0, 1)
    )
    return along, across


def formed(bone: LongBone, shape: BoneShape) -> LongBone:
    """Return a bone with its own width, height, width ratio and gap."""
    look = replace(bone.look, width=bone.look.width * shape.ratio, gap=bone.look.gap * shape.gap)
    return replace(bone, width=bone.width * shape.width, height=bone.height * shape.height, look=look)


def _parts(bone: LongBone, body: _Body, depths: _Depths, window: tuple[slice, slice], *, gap: float) -> BoneParts:
    """Say which pixels of the window are epiphysis and which the rest of the bone."""
    apart = bone.look.visible and bone.look.fusion < UNITED
    united = bone.look.visible and not apart
    whole = np.maximum(depths.face, depths.start) if united else depths.start
    solid = (whole > 0) & (depths.far > 0) & (np.abs(body.across) < body.half)
    epiphysis = (depths.face > 0) & (depths.back > 0) if apart else np.zeros_like(solid)
    return BoneParts(window, epiphysis, solid & ~epiphysis, gap if bone.look.visible else None)


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
    face, back, bridged = (surface.astype(np.float32) for surface in (face + slope, back + slope, bridged))
    return _End(face, back, start, bridged, plate)


def _depths(bone: LongBone, end: _End, at: Indices, along: Field, far: Field) -> _Depths:
    """Look up how deep the pixels lie behind the surfaces."""
    start = along - np.take(end.start, at, mode="clip")
    if not bone.look.visible:
        return _Depths(start, far - along, start, start)
    face = along - np.take(end.face, at, mode="clip")
    return _Depths(start, far - along, face, np.take(end.back, at, mode="clip") - along)


def _body(bone: LongBone, shape: BoneShape, along: Field, across: Field, *, plate: float) -> _Body:
    """Look up width and densities along the bone."""
    radius, forearm = bone.width / 2, bone.profile in ("radius", "ulna")
    low, high = float(along.min()), float(along.max()) + 1e-6
    line = np.linspace(low, high, _FINE, dtype=np.float32)
    length = float(np.hypot(*(bone.end - bone.start))) - JOINT_SPACE
    place = line - plate if forearm else (line - plate) / (length - plate)
    profile, thickness = profile_at(bone.profile, place)
    half = np.where(place < 0, bone.look.width if bone.look.visible else 1.0, profile**shape.taper) * radius
    cortex = thickness * radius * shape.cortex * (1.05 - 0.25 * bone.youth)
    flat = 3.2 / (1 + half / 0.12)
    dense = 1 - 0.55 * np.clip(cortex / (half + 1e-6) / 0.2, 0, 1)
    at = ((along - np.float32(low)) * np.float32((_FINE - 1) / (high - low)) + 0.5).astype(np.intp)
    tables = (half, np.maximum(half - cortex, 0), flat * CORTEX, flat * (CORTEX - SPONGY * dense))
    return _Body(across, *(np.take(table.astype(np.float32), at, mode="clip") for table in tables))


def _far_side(bone: LongBone, body: _Body, *, longest: float) -> Field:
    """Return the surface of the other end, distances along the bone; a plain one where it cannot be seen."""
    length = float(np.hypot(*(bone.end - bone.start)))
    far = np.full((), length - JOINT_SPACE, dtype=np.float32)
    if bone.profile not in ("radius", "ulna"):
        far -= np.float32(0.012 * bone.youth)
    if longest < far - 0.6 * bone.width:
        return far
    share = np.clip(np.abs(body.across) / (body.half + 1e-6), 0, 1.2)
    drop = _BLUNT.get(bone.profile, 0.42) * share * share * np.sqrt(share)
    if bone.profile == "phalanx":
        drop += 0.16 * np.exp(share * share * (-1 / 0.35**2))
    surface: Field = far - body.half * drop
    return surface


def _dome(inward: Field) -> Field:
    """Round off towards an end: 0 at and beyond 0, 1 from 1 inwards, circular between."""
    inward = np.clip(inward, 0, 1)
    rounded: Field = np.sqrt(inward * (2 - inward))
    return rounded


def _hollow(body: _Body, ends: Field, *, plate: float) -> Field:
    """Return the attenuation of a hollow body of revolution between two ends; see `capitate.phantom.canvas.tube`.

    Args:
        body: width and densities.
        ends: distance from the nearer end, 1 where its rounding is over.
        plate: thickness of the end plates, in the same measure.
    """
    square = body.across * body.across
    outer = np.sqrt(np.maximum(body.half * body.half - square, 0)) * _dome(ends)
    cavity = np.sqrt(np.maximum(body.cavity * body.cavity - square, 0)) * _dome(ends - np.float32(plate))
    hollow: Field = body.compact * outer - body.spongy * np.minimum(cavity, outer)
    return hollow


def _ossified(bone: LongBone, shape: BoneShape, body: _Body, depths: _Depths, bridged: Field) -> Field:
    """Return the attenuation of shaft and epiphysis, apart or as far united as they are."""
    look, radius = bone.look, bone.width / 2
    far = depths.far * np.float32(1 / (0.2 * radius))
    shaft = _hollow(body, np.minimum(depths.start * np.float32(1 / (0.09 * radius)), far), plate=0.6)
    shaft *= _dense(depths.start, reach=0.16 * radius, strength=_CALCIFIED * shape.density)
    if not look.visible:
        return shaft
    if look.fusion < 1:
        shaft += _epiphysis(bone, shape, body, depths)
    if look.fusion <= 0:
        return shaft
    united = _hollow(body, np.minimum(depths.face * np.float32(1 / (0.2 * radius)), far), plate=0.4)
    band = depths.start * np.float32(1 / (0.055 * radius + 0.002))
    united += np.float32(look.scar * shape.density * 1.6 * radius) * np.exp(-band * band) * (united > 0)
    return united if look.fusion >= 1 else shaft + (united - shaft) * bridged


def _epiphysis(bone: LongBone, shape: BoneShape, body: _Body, depths: _Depths) -> Field:
    """Return the attenuation of an epiphysis that stands apart."""
    thick, wide = bone.height * bone.look.height, bone.width / 2 * bone.look.width
    flat = 3.2 / (1 + wide / 0.12)
    values = (wide, wide - min(0.035 * bone.width, 0.3 * wide), flat * CORTEX, flat * (CORTEX - SPONGY))
    across = body.across - np.float32(shape.asymmetry * bone.width / 2)
    piece = _Body(across, *(np.full((), value, dtype=np.float32) for value in values))
    ends = np.minimum(depths.face * np.float32(1 / (0.25 * thick)), depths.back * np.float32(1 / (0.12 * thick)))
    bone_alone = _hollow(piece, ends, plate=0.5)
    nearest = np.minimum(depths.face, depths.back)
    bone_alone *= _dense(nearest, reach=0.1 * thick + 0.002, strength=_END_PLATE * shape.density)
    return bone_alone


def _dense(depth: Field, *, reach: float, strength: float) -> Field:
    """Return the factor by which bone near a surface is denser, falling off with depth."""
    fallen = np.exp(np.maximum(depth, 0) * np.float32(-1 / reach))
    factor: Field = 1 + np.float32(strength) * fallen
    return factor
