"""Films as a detector learns from them: fitted pictures, and boxes in their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.drawn_marks import FilledFilmRule
from capitate.runtime.film_rule import FilmRule, Fitted
from capitate.runtime.hand_view import HandView, HandViewRule
from capitate.training.manifest import Study
from capitate.training.prepare import Refused

__all__ = ["BoxedFilm", "BoxedFilms", "PictureRule", "PlacedBoxes", "placed_boxes"]

_UNKNOWN = 0.1
"""Side of a box, as a share of the picture, of a class whose sizes nobody labelled; it sets a mark's width alone."""

PictureRule = FilledFilmRule | FilmRule | HandViewRule
"""How films become pictures."""


class BoxedFilm(Protocol):
    """The labels of one film."""

    @property
    def classes(self) -> NDArray[np.int64]:
        """Index into the experiment's classes, (k,)."""

    @property
    def boxes(self) -> NDArray[np.float64]:
        """Centre x, y, width and height as fractions of the film, (k, 4); sizes NaN where a point alone is known."""


class PlacedBoxes(NamedTuple):
    """Labels of films in pixels of their pictures.

    Attributes:
        classes: int64 (n, most), -1 behind a film's last box.
        boxes: float32 (n, most, 4), centre x, y, width, height; sizes NaN where unknown.
        usual: float32 (classes, 2), median width and height as shares of the picture.
    """

    classes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    usual: NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxedFilms:
    """Films in one order with their boxes.

    Attributes:
        studies: what is known of each.
        pictures: uint8 (n, height, width), by the rule.
        fitted: how each picture was made of its film.
        sizes: int64 (n, 2), columns and rows of each film.
        classes: see `PlacedBoxes`.
        boxes: see there.
        usual: see there.
        rule: by which pictures were fitted.
        refused: films that could not be read, by id.
    """

    studies: Sequence[Study]
    pictures: NDArray[np.uint8]
    fitted: Sequence[Fitted | HandView]
    sizes: NDArray[np.int64]
    classes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    usual: NDArray[np.float32]
    rule: PictureRule
    refused: Mapping[str, Refused]

    def __len__(self) -> int:
        return len(self.studies)

    @cached_property
    def inside(self) -> NDArray[np.float32]:
        """Left, top, right and bottom of each film in its picture, pixels, (n, 4); of views the box of the film."""
        return np.array([_corners(*one) for one in zip(self.fitted, self.sizes, strict=True)], dtype=np.float32)

    @property
    def ids(self) -> NDArray[np.str_]:
        """Id of every film, (n,)."""
        return np.array([study.id for study in self.studies])

    def refusals(self) -> dict[str, Any]:
        """Say which films could not be read, and why, as plain values."""
        return {name: {"code": one.code, "message": one.message} for name, one in self.refused.items()}

    def digest(self) -> str:
        """Compute the sha256 of ids and boxes in their order."""
        total = hashlib.sha256()
        for study, classes, boxes in zip(self.studies, self.classes, self.boxes, strict=True):
            total.update(f"{study.id}\n".encode() + classes.tobytes() + np.nan_to_num(boxes, nan=-1).tobytes())
        return total.hexdigest()


def placed_boxes(
    films: Sequence[BoxedFilm],
    fitted: Sequence[Fitted | HandView],
    sizes: NDArray[np.int64],
    *,
    count: int,
    rule: PictureRule,
) -> PlacedBoxes:
    """Bring boxes to pixels of their pictures, as many a film as the one with most has.

    Args:
        films: labels.
        fitted: how each film became its picture.
        sizes: int64 (n, 2), columns and rows of each film.
        count: of classes.
        rule: by which pictures were fitted.
    """
    most = max(len(film.classes) for film in films)
    classes = np.full((len(films), most), -1, dtype=np.int64)
    boxes = np.full((len(films), most, 4), np.nan, dtype=np.float32)
    for row, (film, made) in enumerate(zip(films, fitted, strict=True)):
        own = len(film.classes)
        classes[row, :own] = film.classes
        boxes[row, :own, :2] = made.place(film.boxes[:, :2] * sizes[row])
        boxes[row, :own, 2:] = made.place_sides(film.boxes[:, 2:] * sizes[row])
    shares = boxes[..., 2:] / np.array([rule.width, rule.height])
    return PlacedBoxes(classes, boxes, _usual(shares, classes, count))


def _corners(fitted: Fitted | HandView, size: NDArray[np.int64]) -> tuple[float, float, float, float]:
    columns, rows = size.tolist()
    placed = fitted.place(np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]))
    (left, top), (right, bottom) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
    return left, top, right, bottom


def _usual(shares: NDArray[np.floating[Any]], classes: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Take the medians of each class."""
    usual = np.full((count, 2), _UNKNOWN, dtype=np.float32)
    for kind in range(count):
        known = shares[(classes == kind) & np.isfinite(shares).all(axis=-1)]
        if len(known):
            usual[kind] = np.median(known, axis=0)
    return usual
