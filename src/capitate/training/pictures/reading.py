"""One film or crop from disk to its picture; no torch, so that worker processes start quickly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError
from capitate.hand.limb import limb_mask
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.training.prepare import Refused

__all__ = ["Item", "labels_digest", "read_picture"]


@dataclass(frozen=True)
class Item:
    """A film or crop: its id, and where it lies."""

    id: str
    path: Path


def read_picture(
    item: Item, *, rule: CropRule | FilmRule, aspect: float = 0.0, limbs: bool = False
) -> NDArray[np.uint8] | Refused:
    """Read a film or crop and make its picture; one that cannot be read is named.

    Args:
        item: what to read.
        rule: by which pictures are made.
        aspect: see `FilmRule.fitted`.
        limbs: whether the limb is told from its surroundings, on whole films.

    Returns:
        uint8 (1, height, width), or (2, height, width) with a second plane that is 255 on the limb and 0 elsewhere.
    """
    try:
        pixels = files.read(item.path).pixels
        if isinstance(rule, CropRule):
            return rule.of_file(pixels)[None]
        picture = rule.fitted(pixels, aspect=aspect).pixels
        if not limbs:
            return picture[None]
        limb = rule.placed(limb_mask(pixels).astype(np.float32), aspect=aspect)
        return np.stack([picture, np.where(limb > 0.5, 255, 0).astype(np.uint8)])
    except FilmError as error:
        return Refused(item.id, error.code, str(error))


def labels_digest(lines: Sequence[Sequence[object]]) -> str:
    """Compute the sha256 of examples and their labels in their order, for telling data sets apart."""
    text = "".join(",".join(map(str, line)) + "\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()
