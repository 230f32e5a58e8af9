"""Soft tissue around a joint, and the trabecular pattern of its bones."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.phantom.canvas import Canvas
from capitate.phantom.flesh import soft_attenuation
from capitate.phantom.joint_scene import Flesh
from capitate.phantom.pose import Placement
from capitate.phantom.skeleton import LongBone

__all__ = ["soft_tissue", "trabeculae"]

Field = NDArray[np.float32]

_PALM = 0.18
"""Thickness that the palm adds, plan units: half as much again as on whole films. By eye on real crops."""
_TEXTURE = 512
_TEXTURE_PER_UNIT = 900.0
"""Samples of the trabecular pattern a plan unit: about one pixel of a film of 2000 rows."""


def soft_tissue(flesh: Flesh, placement: Placement, *, size: int, thickness: float) -> Field:
    """Return the attenuation of the soft tissue; its depth is smooth, so every second pixel is looked up.

    Args:
        flesh: what surrounds the joint.
        placement: plan to pixels of the picture.
        size: rows and columns of the picture.
        thickness: over the usual.

    Returns:
        float32 (size, size), as bones add to it.
    """
    half = -(-size // 2)
    back = flesh.placement.matrix @ np.linalg.inv(placement.matrix) * (size / half)
    origin = flesh.placement.to_film(np.linalg.inv(placement.matrix) @ -placement.origin)
    data = (*back[0], origin[0], *back[1], origin[1])
    picture = Image.fromarray(flesh.depth).transform(
        (half, half), Image.Transform.AFFINE, data, resample=Image.Resampling.BILINEAR
    )
    depth = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32)
    deeper = depth + np.float32(0.03 * (thickness - 1))
    return soft_attenuation(deeper, palm=_PALM) * np.float32(thickness)


@cache
def _pattern() -> Field:
    """Return the periodic pattern of the spongy bone, mean 0, drawn out along the rows."""
    noise = np.random.default_rng(12).standard_normal((3, _TEXTURE, _TEXTURE)).astype(np.float32)
    fine = ndimage.gaussian_filter(noise[0], (4.0, 1.3), mode="wrap")
    net = ndimage.gaussian_filter(noise[1], 2.2, mode="wrap")
    cloud = ndimage.gaussian_filter(noise[2], 16, mode="wrap")
    layers = [(fine, 0.06), (net, 0.035), (cloud, 0.03)]
    summed: Field = np.sum([share * layer / layer.std() for layer, share in layers], axis=0, dtype=np.float32)
    return summed


def trabeculae(canvas: Canvas, bone: LongBone, *, rng: np.random.Generator | None) -> Field:
    """Return the trabecular pattern at every pixel, mean 0, drawn out along the graded bone.

    Args:
        canvas: whose pixels are meant.
        bone: along which it runs.
        rng: source of its place; always the same place without.
    """
    axis = (bone.end - bone.start) / float(np.hypot(*(bone.end - bone.start)))
    turned = np.array([axis, [axis[1], -axis[0]]]) @ np.linalg.inv(canvas.placement.matrix) * _TEXTURE_PER_UNIT
    first, second = (40.0, 90.0) if rng is None else rng.uniform(0, _TEXTURE, 2).tolist()
    line = np.arange(canvas.attenuation.shape[0], dtype=np.float32)
    along = (np.float32(turned[0, 0]) * line + (np.float32(turned[0, 1]) * line[:, None] + np.float32(first))).astype(
        np.int32
    )
    across = (np.float32(turned[1, 0]) * line + (np.float32(turned[1, 1]) * line[:, None] + np.float32(second))).astype(
        np.int32
    )
    at = (along & (_TEXTURE - 1)) * _TEXTURE + (across & (_TEXTURE - 1))
    pattern: Field = np.take(_pattern().ravel(), at)
    return pattern
