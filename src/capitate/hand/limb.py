"""Where a limb is on a film of any region, without a model: what is left when collimation and air are taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.hand.mask import DILATION, hand_mask
from capitate.types import Box

__all__ = ["limb_mask"]

_LONG_SIDE = 160
_BLACK = 0.04
"""Share of the contrast up to which a pixel is as black as collimated margins are."""
_LIT = 0.04
"""Share of a row or column that has to be brighter for it to belong to the exposed field."""
_LEAST_FIELD = 0.2
_SHARE = (0.12, 0.97)
"""Of the field: less is a piece of bone or metal, more is no outline."""


def limb_mask(pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where the limb is, with a rim; everything where none stands out.

    The exposed field is cut out of black margins, and `hand_mask` takes it for the box of a hand: the outline whose
    edges are steepest wins, whatever the limb. Constants were chosen on contact sheets of films of the upper extremity.

    Args:
        pixels: film, float32 (rows, columns), bone bright.

    Returns:
        Boolean, the shape of the film.
    """
    rows, columns = pixels.shape
    scale = min(1.0, _LONG_SIDE / max(rows, columns))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), dtype=np.float32)
    field = _field(small)
    part = np.ascontiguousarray(small[field])
    limb = hand_mask(part, box=Box(0.0, 0.0, float(part.shape[1]), float(part.shape[0])), dilation=DILATION)
    if not _SHARE[0] <= limb.mean() <= _SHARE[1]:
        return np.ones(pixels.shape, dtype=bool)
    whole = np.zeros(small.shape, dtype=bool)
    whole[field] = limb
    return np.asarray(Image.fromarray(whole).resize((columns, rows), Image.Resampling.NEAREST), dtype=bool)


def _field(film: NDArray[np.float32]) -> tuple[slice, slice]:
    """Return rows and columns between which the film was exposed; all of them where little is left."""
    low, high = np.percentile(film, [0.5, 99.5])
    lit = (film - low) / max(float(high - low), 1e-4) > _BLACK
    spans = [np.flatnonzero(lit.mean(axis=axis) > _LIT) for axis in (1, 0)]
    if any(span.size < _LEAST_FIELD * length for span, length in zip(spans, film.shape, strict=True)):
        return slice(None), slice(None)
    down, across = (slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    return down, across
