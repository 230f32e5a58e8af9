"""How colours look to readers with and without colour blindness, and how far apart: CIE 15 and Machado 2009."""

from __future__ import annotations

import numpy as np

SIMULATED = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Matrices on linear sRGB for severity 1.0: Machado, Oliveira, Fernandes, IEEE TVCG 2009;15:1291-1298."""
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _TO_XYZ.sum(axis=1)


def lab(srgb, *, eye="normal"):
    """CIE L*a*b* (D65) of sRGB colours (..., 3) of 0 to 255, as such an eye sees them."""
    values = np.asarray(srgb, dtype=np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ SIMULATED[eye].T, 0, 1) @ _TO_XYZ.T / _WHITE
    root = np.where(seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def apart(one, other, *, eye="normal"):
    """CIE 1976 colour difference of sRGB colours, to such an eye; about 2 is just noticed."""
    return np.linalg.norm(lab(one, eye=eye) - lab(other, eye=eye), axis=-1)
