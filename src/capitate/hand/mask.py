"""Where the hand is, pixel by pixel: classical segmentation around a hand box that is already known.

The film is shrunk, its contrast stretched inside the box, and split into surroundings, soft tissue and bone by Otsu's
method with three classes (Liao, Chen and Chung, J Inf Sci Eng 2001;17:713-727). What is brighter than the surroundings
and connected inside the box is hand; beyond the box only what is as broad as a forearm stays, which leaves out
markers, letters and collimation edges.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.types import Box

__all__ = ["DILATION", "hand_mask"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

DILATION = 0.04
_LONG_SIDE = 320
_BOX_MARGIN = 0.02
# Of the box's shorter side: half the breadth of lines to leave out, of forearms to keep, and the least wrist.
_LINE_RADIUS = 0.03
_FOREARM_RADIUS = 0.06
_LEAST_CROSSING = 0.12
_FOREARM_WIDTH = 0.75
_HOLE = 0.01
_STEEP = 0.05
_NEARLY_BEST = 0.97
_SHARE = (0.25, 0.72)


def hand_mask(pixels: Floats, *, box: Box, dilation: float = DILATION) -> Mask:
    """Return where the hand and its forearm are, dilated.

    Args:
        pixels: film, shape (height, width), bone bright.
        box: the hand's box in film pixels, fingertips to wrist.
        dilation: width of the rim that is added, as a fraction of the film's long side.

    Returns:
        Boolean, the shape of the film. Empty if the box holds no contrast.
    """
    height, width = pixels.shape
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), dtype=np.float32)
    inside = _window(small.shape, box, scale=scale, margin=_BOX_MARGIN)
    hand = _hand(ndimage.gaussian_filter(small, 1.0), inside=inside, breadth=min(box.width, box.height) * scale)
    rim = dilation * max(small.shape)
    grown = _grow(hand, rim)
    return np.asarray(Image.fromarray(grown).resize((width, height), Image.Resampling.NEAREST), dtype=bool)


def _hand(film: Floats, *, inside: Mask, breadth: float) -> Mask:
    """Return the hand on a small film: the tissue in the box and the forearm that continues it."""
    values = film[inside]
    if values.size == 0 or float(np.ptp(values)) < 1e-4:
        return np.zeros(film.shape, dtype=bool)
    low, high = np.percentile(values, [0.5, 99.5])
    stretched = np.clip((film - low) / max(float(high - low), 1e-6), 0, 1) ** 0.5
    threshold = _edge_threshold(stretched, inside=inside, breadth=breadth)
    tissue = stretched > threshold
    hand = _body(tissue & inside, breadth=breadth)
    return hand | _forearm(tissue & ~inside, hand=hand, breadth=breadth)


def _forearm(tissue: Mask, *, hand: Mask, breadth: float) -> Mask:
    """Return the tissue beyond the box that goes on from the broadest place where the hand meets the box's edge."""
    nothing = np.zeros_like(tissue)
    meeting = _largest(_grow(tissue, 1.5) & hand)
    if meeting.sum() < _LEAST_CROSSING * breadth:
        return nothing
    start, middle = (np.argwhere(mask).mean(axis=0) for mask in (meeting, hand))
    along = (start - middle) / max(float(np.linalg.norm(start - middle)), 1e-6)
    across = np.array([-along[1], along[0]])
    width = float(np.ptp(np.argwhere(meeting) @ across)) + 1
    rows, columns = np.indices(tissue.shape)
    aside = np.abs((rows - start[0]) * across[0] + (columns - start[1]) * across[1])
    ahead = (rows - start[0]) * along[0] + (columns - start[1]) * along[1]
    broad = _open(tissue & (aside <= _FOREARM_WIDTH * width) & (ahead >= -width), _FOREARM_RADIUS * breadth)
    labels, _ = ndimage.label(broad)
    touching = np.unique(labels[_grow(meeting, 4.0) & broad])
    forearm: Mask = np.isin(labels, touching[touching > 0])
    return forearm


def _edge_threshold(film: Floats, *, inside: Mask, breadth: float) -> float:
    """Return the threshold whose outline of the hand runs along the steepest edges.

    Only outlines that leave a hand's share of the box are looked at, and what runs along the box is not steep. Of
    nearly equal outlines the widest wins: skin rather than bone.
    """
    steepness = np.minimum(ndimage.gaussian_gradient_magnitude(film, 1.0), _STEEP)
    steepness[~ndimage.binary_erosion(inside, iterations=3)] = 0
    thresholds, scores = [float(np.median(film[inside]))], [0.0]
    for threshold in np.unique(np.percentile(film[inside], np.arange(10, 80, 2))):
        body = _body((film > threshold) & inside, breadth=breadth)
        share = float(body.sum() / inside.sum())
        if not _SHARE[0] <= share <= _SHARE[1]:
            continue
        thresholds.append(float(threshold))
        scores.append(float(np.mean(steepness[body & ~ndimage.binary_erosion(body)])))
    good = [t for t, score in zip(thresholds, scores, strict=True) if score >= _NEARLY_BEST * max(scores)]
    return min(good)


def _body(tissue: Mask, *, breadth: float) -> Mask:
    """Return the largest piece of tissue without thin lines, its small holes filled."""
    body = _largest(_open(tissue, _LINE_RADIUS * breadth))
    labels, _ = ndimage.label(~body)
    sizes = np.bincount(labels.ravel())
    small = sizes < _HOLE * body.sum()
    small[0] = False
    filled: Mask = body | small[labels]
    return filled


def _window(shape: tuple[int, ...], box: Box, *, scale: float, margin: float) -> Mask:
    """Return the box, widened by a fraction of its longer side, as a mask on the small film."""
    extra = margin * max(box.width, box.height)
    top, left = math.floor((box.y - extra) * scale), math.floor((box.x - extra) * scale)
    bottom, right = math.ceil((box.y + box.height + extra) * scale), math.ceil((box.x + box.width + extra) * scale)
    window = np.zeros(shape, dtype=bool)
    window[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return window


def _largest(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    largest: Mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return largest


def _grow(mask: Mask, radius: float) -> Mask:
    """Dilate by a disc of `radius` pixels."""
    if not mask.any():
        return mask
    grown: Mask = ndimage.distance_transform_edt(~mask) <= radius
    return grown


def _open(mask: Mask, radius: float) -> Mask:
    """Leave out what a disc of `radius` pixels does not fit into; beyond the film's edge the mask goes on."""
    pad = math.ceil(radius) + 1
    wide = np.pad(mask, pad, mode="edge")
    core = ndimage.distance_transform_edt(wide) > radius
    opened: Mask = _grow(core, radius)[pad:-pad, pad:-pad] & mask
    return opened
