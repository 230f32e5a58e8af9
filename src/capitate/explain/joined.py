"""Maps of several joints as one map of the film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.placing import PlacedCells, spread

__all__ = ["joined"]


def joined(maps: Sequence[ActivationMap], film: tuple[int, int]) -> ActivationMap:
    """Bring maps of boxes together on the film.

    Args:
        maps: of one model and quantity, each with its box.
        film: rows and columns, pixels.

    Returns:
        A map of the film. Its answer is the sum of their answers (of grades: the joints' maturity together), its base
        the sum of their bases.

    Raises:
        UsageError: if there is no map, or one has no box or another model or quantity.
    """
    kinds = {(one.model, one.quantity, one.unit) for one in maps}
    if len(kinds) != 1 or any(one.box is None for one in maps):
        raise UsageError(
            f"maps that are joined are of boxes, of one model and one quantity, got {len(maps)} maps of "
            f"{sorted(kinds) or 'nothing'}, {sum(one.box is None for one in maps)} without a box"
        )
    placed = []
    for one in maps:
        if one.box is None:
            continue
        rows, columns = one.values.shape
        across, down = one.box.width / columns, one.box.height / rows
        to_film = np.array([[across, 0.0, one.box.x], [0.0, down, one.box.y]])
        placed.append(PlacedCells(one.values.astype(np.float64), (rows, columns), to_film))
    ((model, quantity, unit),) = kinds
    base, answer = sum(one.base for one in maps), sum(one.answer for one in maps)
    return ActivationMap(model, quantity, unit, spread(placed, film), base, answer)
