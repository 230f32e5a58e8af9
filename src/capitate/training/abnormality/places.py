"""Films with boxes beside the screen's own: which cells of a picture a box lies in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.abnormality.films import ScreenFilms
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_boxes
from capitate.training.data.pictures import films_of
from capitate.training.pictures.reading import Item
from capitate.training.settings.abnormality import PlacesConfig

__all__ = ["box_pictures", "with_places"]


def with_places(films: ScreenFilms, data: Path, config: PlacesConfig) -> ScreenFilms:
    """Add films with boxes, which have no label of their own.

    Args:
        films: of the screen.
        data: table or folder of these; `config.films` is named from its folder.
        config: where films and boxes lie.

    Raises:
        TableError: if a table cannot be used.
        UsageError: if no film has a box, or a film stands in both tables.
    """
    place = (data if data.is_dir() else data.parent) / config.films
    boxes = by_film(read_boxes((place if place.is_dir() else place.parent) / config.boxes))
    studies = [study for study in films_of(place) if boxes.get(study.id)]
    if not studies:
        raise UsageError(
            f"none of the {len(boxes)} films with boxes is among the films of {place}, got ids such as "
            f"{next(iter(boxes), '')!r}; a table of boxes names a film by its file"
        )
    twice = {item.id for item in films.items} & {study.id for study in studies}
    if twice:
        raise UsageError(
            f"{len(twice)} films of places.films stand among the labelled ones too, such as {min(twice)!r}; take them "
            "out of one of both tables"
        )
    names = [study.study_id or study.id for study in studies]
    return films.joined(
        items=tuple(Item(study.id, study.path) for study in studies),
        studies=names,
        groups=[study.patient_id or name for study, name in zip(studies, names, strict=True)],
        boxes=[_corners(boxes[study.id]) for study in studies],
    )


def _corners(boxes: Sequence[LabelledBox]) -> NDArray[np.float64]:
    """Give left, top, right and bottom as fractions of the film, (k, 4), clipped to it."""
    return np.array([clipped(box).corners for box in boxes], dtype=np.float64)


def box_pictures(boxes: Sequence[NDArray[np.float64]], *, size: tuple[int, int]) -> Tensor:
    """Draw boxes into pictures that films are stretched to.

    Args:
        boxes: of each film, float (k, 4), left, top, right and bottom as fractions.
        size: rows and columns.

    Returns:
        float32 (films, 1, rows, columns), 1 inside a box; one that is smaller than a pixel takes its pixel.
    """
    height, width = size
    drawn = torch.zeros(len(boxes), 1, height, width)
    for picture, places in zip(drawn, boxes, strict=True):
        for left, top, right, bottom in places * [width, height, width, height]:
            rows = slice(min(int(top), height - 1), max(round(bottom), int(top) + 1))
            columns = slice(min(int(left), width - 1), max(round(right), int(left) + 1))
            picture[0, rows, columns] = 1.0
    return drawn
