"""Which fold a film belongs to: decided by its id alone, so that every table and every run agrees."""

from __future__ import annotations

import hashlib

__all__ = ["FOLDS", "fold_of"]

FOLDS = 5


def fold_of(film_id: str, *, folds: int = FOLDS) -> int:
    """Assign a film to a fold: the first eight bytes of the sha256 of its id, modulo the number of folds."""
    return int.from_bytes(hashlib.sha256(film_id.encode()).digest()[:8], "big") % folds
