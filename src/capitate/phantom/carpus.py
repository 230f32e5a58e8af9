"""Attenuation of the carpal bones and the thumb's sesamoid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.canvas import CORTEX, SPONGY, Canvas, dome
from capitate.phantom.skeleton import Carpal

__all__ = ["carpal_labels", "draw_carpal"]

Field = NDArray[np.floating[Any]]


_ROOM = 1.7
"""How far the surroundings of a carpal bone reach, in its own radii."""


def draw_carpal(canvas: Canvas, carpal: Carpal) -> None:
    """Add a carpal bone or sesamoid to the canvas: an ellipse with lobes that come out as it grows."""
    place = _own_coordinates(canvas, carpal)
    if place is None:
        return
    window, u, v, spread = place
    wide, tall = (a * carpal.size for a in carpal.axes)
    rim = min(0.35, 0.009 / (carpal.size * min(carpal.axes)))
    outer = dome(1 - spread, 1 / 3)
    core = dome(1 - rim - spread, 1 / 3)
    # Flatter than a ball when grown: the carpal bones lie in an arch.
    depth = min(wide, tall) ** 0.75
    spongy = canvas.spongiosa(v.astype(np.float32), u.astype(np.float32))
    canvas.attenuation[window] += (depth * (CORTEX * (outer - core) + SPONGY * core * spongy)).astype(np.float32)


def carpal_labels(canvas: Canvas, carpal: Carpal) -> tuple[tuple[slice, slice], NDArray[np.uint8]] | None:
    """Say where a carpal bone is and what lies around it; see `capitate.phantom.bones.epiphysis_labels`."""
    place = _own_coordinates(canvas, carpal, room=_ROOM)
    if place is None:
        return None
    window, _, _, spread = place
    return window, np.where(spread < 1, 2, np.where(spread < _ROOM, 1, 0)).astype(np.uint8)


def _own_coordinates(
    canvas: Canvas, carpal: Carpal, *, room: float = 1.0
) -> tuple[tuple[slice, slice], Field, Field, Field] | None:
    """Give the window of a bone, there the distances along its axes, and that from its centre: 1 at its rim."""
    window = canvas.window(carpal.centre[None], 1.3 * room * max(carpal.axes)) if carpal.size > 0 else None
    if window is None:
        return None
    x, y = canvas.plan_grid(window)
    angle = np.deg2rad(carpal.turn_degrees)
    dx, dy = x - carpal.centre[0], y - carpal.centre[1]
    u = dx * np.cos(angle) + dy * np.sin(angle)
    v = dy * np.cos(angle) - dx * np.sin(angle)
    wide, tall = (a * carpal.size for a in carpal.axes)
    polar = np.arctan2(v / tall, u / wide)
    edge = np.ones_like(polar)
    for order, amplitude, phase in carpal.lobes:
        edge += amplitude * carpal.size * np.cos(order * polar - np.deg2rad(phase))
    return window, u, v, np.hypot(u / wide, v / tall) / edge
