"""Films read and compared with their labels, in the order of the table; what cannot be read is a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError
from capitate.evaluation.detection import FilmBoxes
from capitate.evaluation.joints.moves import Move
from capitate.evaluation.joints.reader import HandReading, JointReader
from capitate.evaluation.joints.truth import TrueHand
from capitate.hand import BoneClass, Joint
from capitate.training.manifest import Study
from capitate.types import Box, Side

__all__ = ["CLASSES", "NAMES", "FilmResult", "MovedReading", "Places", "read_films"]

CLASSES = tuple(bone.value for bone in BoneClass)
NAMES = tuple(joint.value for joint in Joint)
Places = Mapping[Joint, tuple[float, float]]
"""Where joints lie, film pixels."""


@dataclass(frozen=True)
class MovedReading:
    """What was found on a moved film, brought back to the film as it was.

    Attributes:
        move: its name.
        places: middles of the named joints' boxes, pixels of the film as it was; empty if it was refused.
        side: as the film would show it unmoved.
        refusal: code, None if it was read.
    """

    move: str
    places: Places
    side: Side
    refusal: str | None = None


@dataclass(frozen=True, eq=False)
class FilmResult:
    """One labelled film.

    Attributes:
        study: what the table says of it.
        truth: its labels.
        reading: what was found, None if the film was refused.
        moved: the same with the film moved, one a move.
        in_training: whether the detector was trained on it.
        refusal: code, None if it was read.
        message: why it was refused.
    """

    study: Study
    truth: TrueHand
    reading: HandReading | None = None
    moved: tuple[MovedReading, ...] = ()
    in_training: bool = False
    refusal: str | None = None
    message: str | None = None

    @property
    def side(self) -> Side:
        """Side by the key points, otherwise by the table of films."""
        return self.study.side if self.truth.side is Side.UNKNOWN else self.truth.side

    @property
    def found_side(self) -> Side:
        """Side that naming found, unknown for a film that was refused."""
        return Side.UNKNOWN if self.reading is None else self.reading.hand.side

    @property
    def places(self) -> Places:
        """Middles of the named joints' boxes, film pixels."""
        return {} if self.reading is None else _places(self.reading)

    @property
    def true_places(self) -> Places:
        """Middles of the labelled joints whose names are known, film pixels; none for a film that was refused."""
        if self.reading is None or not self.truth.named:
            return {}
        rows, columns = self.reading.shape
        known = [(one.joint, one.box) for one in self.truth.joints if one.joint is not None]
        return {joint: (box[0] * columns, box[1] * rows) for joint, box in known}

    @property
    def by_class(self) -> FilmBoxes:
        """Labelled and found boxes of the seven classes, film pixels."""
        reading = self._read()
        found = [(CLASSES.index(one.joint), one.score, one.box) for one in reading.found]
        return self._boxes([(CLASSES.index(one.bone), one.box) for one in self.truth.joints], found)

    @property
    def by_name(self) -> FilmBoxes:
        """Labelled and named boxes of the 21 joints, film pixels; labels whose names are not known are left out."""
        reading = self._read()
        named = [(NAMES.index(one.joint), one.detection) for one in reading.hand.joints if one.detection is not None]
        named.sort(key=lambda one: -one[1].score)
        truth = [(NAMES.index(one.joint), one.box) for one in self.truth.joints if one.joint is not None]
        return self._boxes(truth, [(kind, one.score, one.box) for kind, one in named])

    def _read(self) -> HandReading:
        if self.reading is None:
            raise ValueError(f"the film {self.study.id!r} was refused and has no boxes; ask for films that were read")
        return self.reading

    def _boxes(
        self, truth: Sequence[tuple[int, tuple[float, ...]]], found: Sequence[tuple[int, float, Box]]
    ) -> FilmBoxes:
        rows, columns = self._read().shape
        size = np.array([columns, rows, columns, rows], dtype=np.float64)
        return FilmBoxes(
            id=self.study.id,
            truth_classes=np.array([kind for kind, _ in truth], dtype=np.int64),
            truth=np.array([box for _, box in truth], dtype=np.float64).reshape(-1, 4) * size,
            classes=np.array([kind for kind, *_ in found], dtype=np.int64),
            scores=np.array([score for _, score, _ in found], dtype=np.float64),
            boxes=np.array([_centred(box) for *_, box in found], dtype=np.float64).reshape(-1, 4),
        )


def read_films(
    labelled: Sequence[tuple[Study, TrueHand]],
    reader: JointReader,
    *,
    moves: Sequence[Move] = (),
    progress: Callable[[], None] | None = None,
) -> list[FilmResult]:
    """Read every film, and again after every move.

    Only a `FilmError` becomes a refusal; any other exception is a fault and passes through.

    Args:
        labelled: films with their labels.
        reader: the models.
        moves: see `make_moves`.
        progress: called after every film.
    """
    results = []
    for study, truth in labelled:
        results.append(_read(study, truth, reader, moves))
        if progress is not None:
            progress()
    return results


def _read(study: Study, truth: TrueHand, reader: JointReader, moves: Sequence[Move]) -> FilmResult:
    seen = reader.seen(study.path.stem)
    try:
        pixels = files.read(study.path).pixels
        reading = reader.read(pixels, film=study.path.stem)
    except FilmError as error:
        return FilmResult(study, truth, in_training=seen, refusal=error.code, message=str(error))
    moved = tuple(_moved(study, pixels, reader, move) for move in moves)
    return FilmResult(study, truth, reading, moved, seen)


def _moved(study: Study, pixels: NDArray[np.float32], reader: JointReader, move: Move) -> MovedReading:
    """Read a moved film and bring what was found back."""
    film = move.apply(pixels, study.id)
    try:
        reading = reader.read(film.pixels, film=study.path.stem)
    except FilmError as error:
        return MovedReading(move.name, {}, Side.UNKNOWN, error.code)
    back = film.moved.inverse
    places = {joint: back(np.array(place)) for joint, place in _places(reading).items()}
    return MovedReading(
        move.name, {joint: (float(x), float(y)) for joint, (x, y) in places.items()}, move.side(reading.hand.side)
    )


def _places(reading: HandReading) -> dict[Joint, tuple[float, float]]:
    return {one.joint: one.detection.centre for one in reading.hand.joints if one.detection is not None}


def _centred(box: Box) -> tuple[float, float, float, float]:
    return box.x + box.width / 2, box.y + box.height / 2, box.width, box.height
