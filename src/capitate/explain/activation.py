"""What a model's answer rests on: one number a cell of the film, and their sum is the answer minus a base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.errors import UsageError
from capitate.types import Box

__all__ = ["MOST_CELLS", "UNITS", "ActivationMap"]

MOST_CELLS = 256
"""Most cells of a map's longer side."""

UNITS = {"bone_age": "months", "abnormality": "logit", "grade": "grades"}
"""Unit of each quantity that maps are made of."""


@dataclass(frozen=True, eq=False)
class ActivationMap:
    """Signed contributions of the parts of a film, or of a box on it, to an answer.

    Attributes:
        model: name of the bundle.
        quantity: `bone_age`, `abnormality` or `grade`.
        unit: `months`, `logit` or `grades`, of every number here.
        values: float32 (rows, columns), contributions of cells that cover the film, or the box, evenly; their sum is
            `answer - base`.
        base: what the model would answer to the reference that the contributions are counted from; the bundle's card
            and docs/maps.md say which.
        answer: what the model answered.
        box: part of the film that is covered, film pixels; None for the whole film.
    """

    model: str
    quantity: str
    unit: str
    values: NDArray[np.float32]
    base: float
    answer: float
    box: Box | None = None

    def __post_init__(self) -> None:
        """Refuse what is no map.

        Raises:
            UsageError: if quantity and unit do not belong together, or the values are no grid of finite numbers.
        """
        if UNITS.get(self.quantity) != self.unit:
            known = ", ".join(f"{quantity} in {unit}" for quantity, unit in UNITS.items())
            raise UsageError(f"a map is of {known}, got {self.quantity!r} in {self.unit!r}; give one of these pairs")
        shape = self.values.shape
        if len(shape) != 2 or not 0 < min(shape) <= max(shape) <= MOST_CELLS or self.values.dtype != np.float32:
            raise UsageError(
                f"a map has 1 to {MOST_CELLS} rows and columns of float32, got {self.values.dtype} {shape}; "
                "resample it to fewer cells"
            )
        if not (np.isfinite(self.values).all() and np.isfinite([self.base, self.answer]).all()):
            raise UsageError(
                f"a map of {self.quantity} holds numbers that are not finite (base {self.base}, answer {self.answer}); "
                "the network's file is damaged or its answer overflowed, verify the bundle"
            )

    @property
    def gap(self) -> float:
        """What the parts lack to `answer - base`, in `unit`; the quadrature's error."""
        return self.answer - self.base - float(self.values.sum(dtype=np.float64))

    def at(self, height: int, width: int) -> NDArray[np.float32]:
        """Resample to pixels, bilinearly so that no value or sign appears that no cell has.

        Args:
            height: rows of the film, or of the box.
            width: columns.

        Returns:
            float32 (height, width), a density: relative values, in `unit` a cell; the sum is not kept.

        Raises:
            UsageError: if there would be no pixel.
        """
        if height < 1 or width < 1:
            raise UsageError(f"a map is resampled to at least one row and column, got {height} x {width} pixels")
        image = Image.fromarray(np.ascontiguousarray(self.values))
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)

    def peak(self) -> tuple[float, float]:
        """Say where the answer is raised most: centre (x, y) of that cell, in fractions of the film or box."""
        rows, columns = self.values.shape
        row, column = divmod(int(self.values.argmax()), columns)
        return (column + 0.5) / columns, (row + 0.5) / rows
