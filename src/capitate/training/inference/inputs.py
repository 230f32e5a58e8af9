"""What a network is measured on: drawn films as it would see them, or noise where its task is not known here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from capitate.errors import UsageError
from capitate.runtime.view_mask import without_surroundings
from capitate.runtime.views import ViewRule, locator_input
from capitate.training.inference.drawn_films import DrawnFilms

__all__ = ["bone_age_inputs", "inputs_of_file", "locator_inputs"]


def bone_age_inputs(films: DrawnFilms, *, rule: ViewRule, surroundings_removed: bool) -> dict[str, NDArray[Any]]:
    """Cut views (n, 1, height, width), uint8, as assessment would, and give them with the sexes."""
    views = [rule.view(rule.picture(square), frame) for square, frame in zip(films.squares, films.frames, strict=True)]
    if surroundings_removed:
        views = [without_surroundings(view) for view in views]
    return {"view": np.stack(views)[:, None], "sex": films.sexes}


def locator_inputs(films: DrawnFilms) -> dict[str, NDArray[Any]]:
    """Give the locator's first look, float32 (n, 1, 112, 112)."""
    return {"film": np.concatenate([locator_input(square) for square in films.squares])}


def inputs_of_file(path: Path, *, films: int) -> dict[str, NDArray[Any]]:
    """Draw noise of the shapes and types that a file states for its inputs.

    Args:
        path: ONNX file whose first dimension counts films.
        films: rows.

    Raises:
        UsageError: if a side other than the first is left open.
    """
    random = np.random.default_rng(0)
    return {one.name: _noise(one, films, random) for one in onnx.load(str(path)).graph.input}


def _noise(one: onnx.ValueInfoProto, films: int, random: np.random.Generator) -> NDArray[Any]:
    """Draw bytes for 8-bit inputs, zeros for other whole numbers, numbers from 0 to 1 for floats."""
    described = one.type.tensor_type
    sides = [side.dim_value for side in described.shape.dim][1:]
    if not all(sides):
        raise UsageError(f"input {one.name!r} has sides of any length, {sides} with 0 for these; nothing to measure on")
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(described.elem_type))
    if kind == np.uint8:
        return random.integers(0, 256, (films, *sides), dtype=np.uint8)
    if np.issubdtype(kind, np.integer):
        return np.zeros((films, *sides), dtype=kind)
    return random.random((films, *sides)).astype(kind)
