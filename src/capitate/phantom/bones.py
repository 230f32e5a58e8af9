"""Attenuation of the tubular bones: shafts with cortex and medulla, epiphyses, growth plates and their fusion."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate

from capitate.phantom.canvas import Canvas, tube
from capitate.phantom.epiphysis import JOINT_SPACE, epiphysis_surfaces, plate_wave
from capitate.phantom.skeleton import LongBone

__all__ = ["PROFILES", "UNITED", "draw_long_bone", "epiphysis_labels", "own_coordinates", "profile_at"]

Field = NDArray[np.float32]

UNITED = 0.5
"""Share of the growth plate bridged by bone from which on an epiphysis has no outline of its own."""
_ROOM = 0.35
"""What a joint's surroundings show beyond its epiphysis, in widths of the metaphysis."""

# Half-width over that at the metaphysis, and cortical thickness over the metaphyseal half-width, against the distance
# from metaphysis (0) to the other end (1); forearm bones against plan units. Estimated from atlas pictures.
PROFILES: dict[str, list[tuple[float, float, float]]] = {
    "phalanx": [(0, 1, 0.05), (0.08, 0.9, 0.07), (0.25, 0.69, 0.16), (0.5, 0.58, 0.21), (0.72, 0.57, 0.17),
                (0.87, 0.69, 0.07), (0.95, 0.72, 0.05), (1, 0.68, 0.05)],
    "distal": [(0, 1, 0.05), (0.1, 0.8, 0.08), (0.3, 0.52, 0.14), (0.55, 0.40, 0.14), (0.75, 0.46, 0.09),
               (0.9, 0.56, 0.06), (1, 0.46, 0.06)],
    "metacarpal": [(0, 1, 0.05), (0.09, 0.86, 0.08), (0.25, 0.60, 0.18), (0.48, 0.52, 0.23), (0.7, 0.62, 0.18),
                   (0.9, 0.96, 0.07), (1, 0.98, 0.05)],
    "thumb_metacarpal": [(0, 1, 0.05), (0.1, 0.86, 0.08), (0.32, 0.66, 0.18), (0.55, 0.62, 0.2), (0.75, 0.70, 0.15),
                         (0.9, 0.86, 0.07), (1, 0.82, 0.05)],
    "radius": [(0, 1, 0.03), (0.12, 0.90, 0.05), (0.3, 0.68, 0.10), (0.55, 0.52, 0.16), (0.9, 0.46, 0.19),
               (4, 0.46, 0.2)],
    "ulna": [(0, 1, 0.05), (0.1, 0.86, 0.09), (0.28, 0.66, 0.18), (0.55, 0.60, 0.25), (0.9, 0.60, 0.28),
             (4, 0.68, 0.28)],
}  # fmt: skip


@cache
def _profile(name: str) -> NDArray[np.float64]:
    """Return a profile on a fine line: distance, half-width and cortex, shape (3, 513)."""
    knots = np.array(PROFILES[name], dtype=float)
    fine = np.linspace(knots[0, 0], knots[-1, 0], 513)
    between = interpolate.PchipInterpolator(knots[:, 0], knots[:, 1:], axis=0)
    return np.vstack([fine, between(fine).T])


def profile_at(name: str, at: Field) -> tuple[Field, Field]:
    """Evaluate a profile: half-width and cortex over the metaphyseal half-width, float32 of the shape of `at`."""
    fine, half, cortex = _profile(name)
    return np.interp(at, fine, half).astype(np.float32), np.interp(at, fine, cortex).astype(np.float32)


def draw_long_bone(canvas: Canvas, bone: LongBone) -> None:
    """Add a tubular bone and its epiphysis to the canvas."""
    place = own_coordinates(canvas, bone)
    if place is None:
        return
    window, along, across = place
    length = float(np.hypot(*(bone.end - bone.start)))
    canvas.attenuation[window] += _ossified(bone, length, along, across, canvas)


def epiphysis_labels(canvas: Canvas, bone: LongBone) -> tuple[tuple[slice, slice], NDArray[np.uint8]] | None:
    """Say where a bone's epiphysis is and what lies around it.

    Args:
        canvas: whose pixels are meant; it is not drawn on.
        bone: with its epiphysis.

    Returns:
        Rows and columns of the canvas, and uint8 of their shape: 2 in the epiphysis, 1 in its joint's surroundings, 0
        elsewhere. None where the epiphysis does not show, is bridged over half of its width and more, or lies off the
        canvas.
    """
    place = own_coordinates(canvas, bone) if bone.look.visible and bone.look.fusion < UNITED else None
    if place is None:
        return None
    window, along, across = place
    radius = bone.width / 2
    face, back = epiphysis_surfaces(bone, np.clip(across / radius, -1.4, 1.4))
    inside = (along > face) & (along < back) & (np.abs(across) < radius * bone.look.width)
    reach = JOINT_SPACE + bone.height
    around = (along > -_ROOM * bone.width) & (along < reach + _ROOM * bone.width)
    around &= np.abs(across) < (0.5 + _ROOM / 2) * bone.width
    return window, np.where(inside, 2, np.where(around, 1, 0)).astype(np.uint8)


def own_coordinates(canvas: Canvas, bone: LongBone) -> tuple[tuple[slice, slice], Field, Field] | None:
    """Give the window of a bone, and there the distance along its axis from its joint, and across it."""
    axis = bone.end - bone.start
    axis = axis / float(np.hypot(*axis))
    window = canvas.window(np.stack([bone.start, bone.end]), bone.width)
    if window is None:
        return None
    x, y = canvas.plan_grid(window)
    along = (x - bone.start[0]) * axis[0] + (y - bone.start[1]) * axis[1]
    across = (x - bone.start[0]) * axis[1] - (y - bone.start[1]) * axis[0]
    across = across * np.float32(bone.radial)
    return window, along.astype(np.float32), across.astype(np.float32)


def _ossified(bone: LongBone, length: float, along: Field, across: Field, canvas: Canvas) -> Field:
    """Return the attenuation of shaft, epiphysis, bridge and scar in the bone's own coordinates."""
    look = bone.look
    radius = bone.width / 2
    share = np.clip(across / radius, -1.4, 1.4)
    full_gap = 0.13 * bone.width * (1 - look.fusion)
    plate = JOINT_SPACE + bone.height + min(full_gap, look.gap * bone.width)
    plate_line = plate + plate_wave(bone, share)
    spongy = canvas.spongiosa(along, across)
    shaft = _shaft(bone, length, along, across, start=plate_line, at=plate, spongy=spongy)
    if not look.visible:
        return shaft
    face, back = epiphysis_surfaces(bone, share)
    separate = shaft + _epiphysis(bone, along, across, face=face, back=back, spongy=spongy)
    if look.fusion <= 0:
        return separate
    united = _shaft(bone, length, along, across, start=face, at=plate, spongy=spongy)
    bridged = np.clip((look.fusion * 1.5 - np.abs(share)) / 0.4, 0, 1).astype(np.float32)
    scar = look.scar * 0.32 * radius / 0.07 * np.exp(-(((along - plate_line) / (0.055 * radius + 0.002)) ** 2))
    scar = scar * (np.abs(share) < 1) * 0.35
    blended: Field = separate * (1 - bridged) + (united + scar) * bridged
    return blended


def _shaft(
    bone: LongBone, length: float, along: Field, across: Field, *, start: Field, at: float, spongy: Field
) -> Field:
    """Return the shaft's attenuation from the surface `start` to the bone's far end."""
    radius = bone.width / 2
    young_gap = 0.012 * bone.youth * (bone.profile not in ("radius", "ulna"))
    far = length - JOINT_SPACE - young_gap
    place = along - at if bone.profile in ("radius", "ulna") else (along - at) / (far - at)
    half, cortex = profile_at(bone.profile, place.astype(np.float32))
    # Over an epiphysis that has united, the end flares as the epiphysis did.
    half = np.where(place < 0, half * bone.look.width, half)
    share = np.clip(across / (half * radius + 1e-6), -1.2, 1.2)
    blunt = {"distal": 0.55, "metacarpal": 0.22}.get(bone.profile, 0.42)
    notch = 0.16 * np.exp(-((share / 0.35) ** 2)) if bone.profile == "phalanx" else 0.0
    end = far - radius * half * (blunt * np.abs(share) ** 2.5 + notch)
    return tube(
        across,
        (along - start).astype(np.float32),
        (end - along).astype(np.float32),
        half=half * radius,
        cortex=cortex * radius * (1.05 - 0.25 * bone.youth),
        reach=0.28 * radius,
        plate=0.075 * radius,
        spongy=spongy,
    )


def _epiphysis(bone: LongBone, along: Field, across: Field, *, face: Field, back: Field, spongy: Field) -> Field:
    """Return the attenuation of a separate epiphysis between its two surfaces."""
    radius = bone.width / 2 * bone.look.width
    thick = bone.height * bone.look.height
    return tube(
        across,
        along - face,
        back - along,
        half=np.full_like(along, radius),
        cortex=np.full_like(along, min(0.07 * bone.width / 2, 0.3 * radius)),
        reach=max(0.3 * thick, 1e-3),
        plate=min(0.16 * thick, 0.06 * bone.width),
        spongy=spongy,
    )
