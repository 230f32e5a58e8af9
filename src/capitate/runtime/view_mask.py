"""Where the hand is in a view, roughly: what assessment blackens around it and what augmentation may repaint.

This serves views, which are upright, small and filled by one hand. `capitate.hand.mask` serves whole films around a
known box; it is slower and more exact, and evaluation measures with it, so that a network is never judged by the
outline that it works with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["otsu_threshold", "view_mask", "without_surroundings"]

_BLUR = 1.2
_BELOW_OTSU = 0.8
_PLAUSIBLE = (0.25, 0.9)
_RIM = 32


def otsu_threshold(picture: NDArray[np.number[Any]]) -> int:
    """Return Otsu's threshold of a picture of grey levels 0 to 255 (Otsu 1979, IEEE Trans Syst Man Cybern 9:62-66)."""
    counts, _ = np.histogram(picture, 256, (0, 256))
    share = counts / counts.sum()
    below = np.cumsum(share)
    mean = np.cumsum(share * np.arange(256))
    between = (mean[-1] * below - mean) ** 2 / (below * (1 - below) + 1e-9)
    return int(between[:-1].argmax())


def view_mask(view: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the dilated hand of a view.

    The piece of tissue with most pixels in the view's middle half is the hand; holes are filled and a rim of a
    thirty-second of the height is added. Where that leaves an implausible share of the view, everything is hand, so
    that nothing of it can be repainted.

    Args:
        view: uint8 (height, width), from `ViewRule.view`.

    Returns:
        Boolean (height, width).
    """
    height, width = view.shape
    smooth = ndimage.gaussian_filter(view.astype(np.float32), _BLUR)
    labels, count = ndimage.label(smooth > otsu_threshold(smooth) * _BELOW_OTSU)
    everything = np.ones(view.shape, dtype=bool)
    if count == 0:
        return everything
    middle = labels[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    sizes = np.bincount(middle.ravel(), minlength=count + 1)
    sizes[0] = 0
    hand = ndimage.binary_fill_holes(labels == sizes.argmax())
    hand = ndimage.binary_dilation(hand, iterations=max(2, height // _RIM))
    return hand if _PLAUSIBLE[0] < hand.mean() < _PLAUSIBLE[1] else everything


def without_surroundings(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the view with everything outside the dilated hand black: letters, edges of collimation, neighbours."""
    return np.where(view_mask(view), view, np.uint8(0))
