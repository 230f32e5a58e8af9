"""Attenuation of the carpal bones and the thumb's sesamoid."""

from __future__ import annotations

import numpy as np

from capitate.phantom.canvas import CORTEX, SPONGY, Canvas, dome
from capitate.phantom.skeleton import Carpal

__all__ = ["draw_carpal"]


def draw_carpal(canvas: Canvas, carpal: Carpal) -> None:
    """Add a carpal bone or sesamoid to the canvas: an ellipse with lobes that come out as it grows."""
    if carpal.size <= 0:
        return
    window = canvas.window(carpal.centre[None], 1.3 * max(carpal.axes))
    if window is None:
        return
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
    spread = np.hypot(u / wide, v / tall) / edge
    rim = min(0.35, 0.009 / (carpal.size * min(carpal.axes)))
    outer = dome(1 - spread, 1 / 3)
    core = dome(1 - rim - spread, 1 / 3)
    # Flatter than a ball when grown: the carpal bones lie in an arch.
    depth = min(wide, tall) ** 0.75
    spongy = canvas.spongiosa(v.astype(np.float32), u.astype(np.float32))
    canvas.attenuation[window] += (depth * (CORTEX * (outer - core) + SPONGY * core * spongy)).astype(np.float32)
