"""Films of fractures as the localiser learns from them; those without a box teach what is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError, UsageError
from capitate.runtime.drawn_marks import FilledFilmRule
from capitate.runtime.film_rule import Fitted
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_boxes
from capitate.training.data.pictures import films_of, read_pictures
from capitate.training.detector.films import BoxedFilms, placed_boxes
from capitate.training.manifest import Study
from capitate.training.prepare import Refused
from capitate.training.settings.fractures import FracturesConfig
from capitate.training.settings.pictures import film_rule

__all__ = ["FractureFilms", "LabelledFilm", "fracture_pictures", "open_fractures"]


class _Read(NamedTuple):
    """A film's picture, and its columns and rows."""

    fitted: Fitted
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class LabelledFilm:
    """The fractures of one film.

    Attributes:
        kinds: what the table calls each.
        boxes: float64 (k, 4), centre x, y, width and height as fractions of the film.
    """

    kinds: tuple[str, ...]
    boxes: NDArray[np.float64]

    @property
    def classes(self) -> NDArray[np.int64]:
        """The one class of all, (k,)."""
        return np.zeros(len(self.kinds), dtype=np.int64)

    @classmethod
    def of(cls, boxes: Sequence[LabelledBox]) -> LabelledFilm:
        """Take the boxes of a film, clipped to it."""
        kept = [clipped(box) for box in boxes]
        places = np.array([[box.x, box.y, box.width, box.height] for box in kept], dtype=np.float64)
        return cls(tuple(box.joint for box in kept), places.reshape(-1, 4))


@dataclass(frozen=True, eq=False, kw_only=True)
class FractureFilms(BoxedFilms):
    """Films in one order with their fractures.

    Attributes:
        kinds: of every film, what the table calls each of its boxes.
    """

    kinds: Sequence[tuple[str, ...]]

    def audit(self) -> Mapping[str, Any]:
        """Count films, boxes and refusals."""
        return {
            "films": len(self),
            "films_without_a_box": sum(not one for one in self.kinds),
            "boxes": sum(len(one) for one in self.kinds),
            "refused_films": self.refusals(),
        }


def open_fractures(data: Path, config: FracturesConfig) -> FractureFilms:
    """Read boxes and films.

    Args:
        data: table, folder or archive of films; the table of boxes is named relative to its folder.
        config: the experiment.

    Raises:
        UsageError: if no film has a box, or a film cannot be read and the run is to stop at it.
        TableError: if a table cannot be used.
    """
    studies = films_of(data)
    boxes = by_film(read_boxes((data if data.is_dir() else data.parent) / config.labels.boxes))
    if not boxes.keys() & {study.id for study in studies}:
        raise UsageError(
            f"none of the {len(boxes)} films with boxes is among the {len(studies)} films of {data}, got ids such as "
            f"{next(iter(boxes), '')!r} and {studies[0].id!r}; a table of boxes names a film by its file"
        )
    rule = fracture_pictures(config)
    made, refused = read_pictures(
        studies, partial(_read, rule=rule, aspect=config.reading.aspect), config=config.reading
    )
    labels = [LabelledFilm.of(boxes.get(study.id, ())) for study, _ in made]
    fitted, sizes = [read.fitted for _, read in made], np.array([read.size for _, read in made], dtype=np.int64)
    placed = placed_boxes(labels, fitted, sizes, count=len(config.classes), rule=rule)
    return FractureFilms(
        studies=[study for study, _ in made],
        pictures=np.stack([one.pixels for one in fitted]),
        fitted=fitted,
        sizes=sizes,
        classes=placed.classes,
        boxes=placed.boxes,
        usual=placed.usual,
        rule=rule,
        refused=refused,
        kinds=[label.kinds for label in labels],
    )


def fracture_pictures(config: FracturesConfig) -> FilledFilmRule:
    """Give the rule by which an experiment's pictures are made, in training and in assessment."""
    return FilledFilmRule(film_rule(config, config.reading), config.reading.fill_drawn)


def _read(study: Study, *, rule: FilledFilmRule, aspect: float) -> _Read | Refused:
    """Read one film and make its picture."""
    try:
        pixels = files.read(study.path).pixels
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    return _Read(rule.fitted(pixels, aspect=aspect), (pixels.shape[1], pixels.shape[0]))
