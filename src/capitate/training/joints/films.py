"""Labelled films as the detector learns from them: fitted pictures, and joints in their pixels."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
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
from capitate.training.joints.labels import JointLabels, LabelledHand, audited, read_labels
from capitate.training.manifest import Study
from capitate.training.prepare import Refused, locator_of
from capitate.training.settings.joints import JointDetectorConfig
from capitate.training.settings.pictures import film_rule

__all__ = ["JointFilms", "detector_pictures", "open_films", "picture_of", "read_film"]

_log = logging.getLogger(__name__)
_UNKNOWN = 0.1
"""Side of a box, as a share of the picture, of a class whose sizes nobody labelled; it sets a mark's width alone."""


class _Read(NamedTuple):
    """A film's picture, its columns and rows, and its square at 8 bit for the audit."""

    fitted: Fitted | HandView
    size: tuple[int, int]
    square: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class JointFilms:
    """Films in one order with their joints.

    Attributes:
        studies: what is known of each.
        pictures: uint8 (n, height, width), by the rule.
        fitted: how each picture was made of its film.
        sizes: int64 (n, 2), columns and rows of each film.
        classes: int64 (n, most), -1 behind a film's last joint.
        boxes: float32 (n, most, 4), centre x, y, width, height in pixels of the picture; sizes NaN where unknown.
        usual: float32 (classes of the experiment, 2), median width and height as shares of the picture.
        rule: by which pictures were fitted.
        labels: as they were read, for the audit.
        refused: films that could not be read, by id.
    """

    studies: Sequence[Study]
    pictures: NDArray[np.uint8]
    fitted: Sequence[Fitted | HandView]
    sizes: NDArray[np.int64]
    classes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    usual: NDArray[np.float32]
    rule: FilmRule | HandViewRule
    labels: JointLabels
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

    def audit(self) -> dict[str, Any]:
        """Say which labelled hands are left out, and why."""
        return {
            "hands": len(self.labels.hands),
            "known_by_points_alone": self.labels.points_alone,
            "wrong": dict(self.labels.wrong),
            "refused_films": {name: {"code": one.code, "message": one.message} for name, one in self.refused.items()},
        }

    def digest(self) -> str:
        """Compute the sha256 of ids and joints in their order."""
        total = hashlib.sha256()
        for study, classes, boxes in zip(self.studies, self.classes, self.boxes, strict=True):
            total.update(f"{study.id}\n".encode() + classes.tobytes() + np.nan_to_num(boxes, nan=-1).tobytes())
        return total.hexdigest()


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
    classes, boxes = _padded(hands, [read for _, read in made])
    return JointFilms(
        studies=[study for study, _ in made],
        pictures=np.stack([read.fitted.pixels for _, read in made]),
        fitted=[read.fitted for _, read in made],
        sizes=np.array([read.size for _, read in made], dtype=np.int64),
        classes=classes,
        boxes=boxes,
        usual=_usual(boxes[..., 2:] / np.array([rule.width, rule.height]), classes, len(config.classes)),
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


def _corners(fitted: Fitted | HandView, size: NDArray[np.int64]) -> tuple[float, float, float, float]:
    columns, rows = size.tolist()
    placed = fitted.place(np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]))
    (left, top), (right, bottom) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
    return left, top, right, bottom


def _padded(hands: Sequence[LabelledHand], films: Sequence[_Read]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Bring joints to pixels of their pictures, as many a film as the one with most has."""
    most = max(len(hand.classes) for hand in hands)
    classes = np.full((len(hands), most), -1, dtype=np.int64)
    boxes = np.full((len(hands), most, 4), np.nan, dtype=np.float32)
    for row, (hand, read) in enumerate(zip(hands, films, strict=True)):
        count, size = len(hand.classes), np.array(read.size)
        classes[row, :count] = hand.classes
        boxes[row, :count, :2] = read.fitted.place(hand.boxes[:, :2] * size)
        boxes[row, :count, 2:] = read.fitted.place_sides(hand.boxes[:, 2:] * size)
    return classes, boxes


def _usual(shares: NDArray[np.floating[Any]], classes: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Take the medians of each class."""
    usual = np.full((count, 2), _UNKNOWN, dtype=np.float32)
    for kind in range(count):
        known = shares[(classes == kind) & np.isfinite(shares).all(axis=-1)]
        if len(known):
            usual[kind] = np.median(known, axis=0)
    return usual
