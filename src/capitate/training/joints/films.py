"""Labelled films as the detector learns from them: fitted pictures, and joints in their pixels."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError, UsageError
from capitate.runtime.film_rule import FilmRule, Fitted
from capitate.runtime.hand_view import HandView, HandViewRule
from capitate.runtime.views import ViewRule, squash
from capitate.training.data.pictures import films_of, read_pictures
from capitate.training.detector.films import BoxedFilms, placed_boxes
from capitate.training.joints.labels import JointLabels, audited, read_labels
from capitate.training.manifest import Study
from capitate.training.prepare import Refused, locator_of
from capitate.training.settings.joints import JointDetectorConfig
from capitate.training.settings.pictures import film_rule

__all__ = ["JointFilms", "detector_pictures", "open_films", "picture_of", "read_film"]

_log = logging.getLogger(__name__)


class _Read(NamedTuple):
    """A film's picture, its columns and rows, and its square at 8 bit for the audit."""

    fitted: Fitted | HandView
    size: tuple[int, int]
    square: NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class JointFilms(BoxedFilms):
    """Films in one order with their joints.

    Attributes:
        labels: as they were read, for the audit.
    """

    labels: JointLabels

    def audit(self) -> dict[str, Any]:
        """Say which labelled hands are left out, and why."""
        return {
            "hands": len(self.labels.hands),
            "known_by_points_alone": self.labels.points_alone,
            "wrong": dict(self.labels.wrong),
            "refused_films": self.refusals(),
        }


def open_films(data: Path, config: JointDetectorConfig) -> JointFilms:
    """Read labels and the films that have some.

    Args:
        data: table, folder or archive of films; names of label files are relative to its folder.
        config: the experiment.

    Raises:
        UsageError: if no labelled film is there, or a film cannot be read and the run is to stop at it.
        TableError: if a table cannot be used.
    """
    studies = films_of(data)
    labels = read_labels(config.labels, base=data if data.is_dir() else data.parent, classes=config.classes)
    labelled = [study for study in studies if study.id in labels.hands]
    if not labelled:
        raise UsageError(
            f"none of the {len(labels.hands)} labelled hands is among the {len(studies)} films of {data}, got ids such "
            f"as {next(iter(labels.hands))!r} and {studies[0].id!r}; labels name a film by its file's stem"
        )
    if len(labelled) < len(labels.hands):
        _log.warning("%d of %d labelled hands have no film", len(labels.hands) - len(labelled), len(labels.hands))
    rule = detector_pictures(config)
    job = partial(read_film, rule=rule, aspect=config.reading.aspect)
    made, refused = read_pictures(labelled, job, config=config.reading)
    labels = audited(labels, config.labels, films={study.id: read.square for study, read in made})
    made = [(study, read) for study, read in made if study.id in labels.hands]
    hands = [labels.hands[study.id] for study, _ in made]
    fitted, sizes = [read.fitted for _, read in made], np.array([read.size for _, read in made], dtype=np.int64)
    placed = placed_boxes(hands, fitted, sizes, count=len(config.classes), rule=rule)
    return JointFilms(
        studies=[study for study, _ in made],
        pictures=np.stack([read.fitted.pixels for _, read in made]),
        fitted=fitted,
        sizes=sizes,
        classes=placed.classes,
        boxes=placed.boxes,
        usual=placed.usual,
        rule=rule,
        labels=labels,
        refused=refused,
    )


def detector_pictures(config: JointDetectorConfig) -> FilmRule | HandViewRule:
    """Give the rule by which an experiment's pictures are made: whole films, or views of the hand."""
    if not config.reading.hand:
        return film_rule(config, config.reading)
    last, reading = config.optimiser.stages[-1], config.reading
    left, top, right, bottom = reading.margins
    low, high = reading.percentiles
    return HandViewRule(ViewRule(last.height, last.width, (left, top, right, bottom), (low, high)))


def read_film(study: Study, *, rule: FilmRule | HandViewRule, aspect: float) -> _Read | Refused:
    """Read one film and make its picture."""
    try:
        pixels = files.read(study.path).pixels
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    square = squash(pixels)
    fitted = picture_of(pixels, rule, aspect=aspect, square=square)
    return _Read(fitted, (pixels.shape[1], pixels.shape[0]), np.rint(square * 255).astype(np.uint8))


def picture_of(
    pixels: NDArray[np.float32],
    rule: FilmRule | HandViewRule,
    *,
    aspect: float = 0.0,
    square: NDArray[np.float32] | None = None,
) -> Fitted | HandView:
    """Make the detector's picture of a film as assessment does, a negative turned where views are cut.

    Args:
        pixels: float32 (rows, columns) in [0, 1].
        rule: by which it is made.
        aspect: width over height that the film once had; of whole films alone.
        square: `squash` of the film, where that is there already.
    """
    if isinstance(rule, FilmRule):
        return rule.fitted(pixels, aspect=aspect)
    square = squash(pixels) if square is None else square
    located = locator_of().locate(square)
    if located.negated:
        pixels, square = np.float32(1) - pixels, np.float32(1) - square
    return rule.cut(pixels, located.frame, square=square)
