"""What is not known of a film, filled with the grey of the nearest pixel that is."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["nearest_grey"]

Picture = TypeVar("Picture", bound=NDArray[Any])


def nearest_grey(film: Picture, known: NDArray[np.bool_]) -> Picture:
    """Give every unknown pixel the grey of the nearest known one; unchanged where nothing is known.

    Args:
        film: (rows, columns), of any kind of number.
        known: bool (rows, columns).
    """
    if not known.any():
        return film
    rows, columns = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    nearest: Picture = film[rows, columns]
    return nearest
