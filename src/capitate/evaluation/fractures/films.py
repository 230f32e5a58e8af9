"""Films, their labelled boxes, and what a localiser marks on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capitate import files
from capitate.assessment import ModelReference
from capitate.errors import FilmError, UsageError
from capitate.evaluation.bundle_folds import REPORTED_APART, FoldModels
from capitate.evaluation.detection import LEAST_SCORE, FilmBoxes
from capitate.runtime.bundle import load_bundle
from capitate.runtime.fractures import FractureLocaliser, Mark
from capitate.training.data.boxes import LabelledBox, by_film, clipped, read_boxes
from capitate.training.manifest import Study

__all__ = ["BundleLocaliser", "MarkedFilm", "mark_films", "read_labels"]


@dataclass(frozen=True, eq=False)
class MarkedFilm:
    """One film.

    Attributes:
        study: what the table says of it.
        labels: its labelled boxes; none for a film without a fracture.
        marks: every mark of any score, None if the film was refused.
        shape: its rows and columns.
        threshold: of shown marks, that of the network that answered.
        in_training: whether the localiser was trained on it.
        refusal: code, None if it was read.
        message: why it was refused.
    """

    study: Study
    labels: tuple[LabelledBox, ...]
    marks: tuple[Mark, ...] | None = None
    shape: tuple[int, int] = (0, 0)
    threshold: float = float("nan")
    in_training: bool = False
    refusal: str | None = None
    message: str | None = None

    @property
    def group(self) -> str:
        """What it is resampled with: its patient or examination, or itself."""
        return self.study.patient_id or self.study.study_id or self.study.id

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the table calls each labelled box."""
        return tuple(box.joint for box in self.labels)

    @property
    def boxes(self) -> FilmBoxes:
        """Labelled and marked boxes, film pixels; of a film that was refused, no mark."""
        rows, columns = self.shape
        marks = self.marks or ()
        truth = [(one.x * columns, one.y * rows, one.width * columns, one.height * rows) for one in self.labels]
        found = [
            (one.box.x + one.box.width / 2, one.box.y + one.box.height / 2, one.box.width, one.box.height)
            for one in marks
        ]
        return FilmBoxes(
            id=self.study.id,
            truth_classes=np.zeros(len(truth), dtype=np.int64),
            truth=np.array(truth, dtype=np.float64).reshape(-1, 4),
            classes=np.zeros(len(found), dtype=np.int64),
            scores=np.array([one.score for one in marks], dtype=np.float64),
            boxes=np.array(found, dtype=np.float64).reshape(-1, 4),
        )


class BundleLocaliser:
    """The localiser of a bundle, for every film or out of fold."""

    def __init__(self, name: str, *, out_of_fold: bool = False, threads: int | None = None) -> None:
        """Load the bundle.

        Args:
            name: of the bundle, or its folder.
            out_of_fold: run for every film of the bundle's training the network that never saw it.
            threads: for one network.

        Raises:
            BundleError: if the weights cannot be used.
            UsageError: if the bundle is of another task, or has no network a fold and `out_of_fold` is asked for.
        """
        self._bundle = load_bundle(name)
        self._localisers = FoldModels(
            self._bundle, FractureLocaliser, out_of_fold=out_of_fold, instead=REPORTED_APART, threads=threads
        )
        self._whole = self._localisers.whole  # so that a bundle of another task is told before any film is read

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """The bundle."""
        return (self._bundle.reference,)

    def seen(self, film: str) -> bool:
        """Whether the film of this id took part in training."""
        return self._localisers.seen(film)

    def localiser(self, film: str) -> FractureLocaliser:
        """Give the network that answers for a film."""
        return self._localisers.answering(film)


def read_labels(path: Path, studies: Sequence[Study]) -> Mapping[str, tuple[LabelledBox, ...]]:
    """Read labelled boxes by film; films that the table does not name have none.

    Raises:
        TableError: if the table cannot be used.
        UsageError: if no film of the table is among the films.
    """
    boxes = by_film(read_boxes(path))
    if not boxes.keys() & {study.id for study in studies}:
        raise UsageError(
            f"none of the {len(boxes)} films of {path.name} is among the {len(studies)} films, got ids such as "
            f"{next(iter(boxes), '')!r} and {studies[0].id if studies else ''!r}; a table of boxes names a film by its "
            "file"
        )
    return {name: tuple(clipped(box) for box in rows) for name, rows in boxes.items()}


def mark_films(
    studies: Sequence[Study],
    labels: Mapping[str, tuple[LabelledBox, ...]],
    localiser: BundleLocaliser,
    *,
    progress: Callable[[], None] | None = None,
) -> list[MarkedFilm]:
    """Let a localiser mark films, in their order.

    Only a `FilmError` becomes a refusal; any other exception is a fault and passes through.

    Args:
        studies: films.
        labels: by film.
        localiser: the bundle.
        progress: called after every film.
    """
    found = []
    for study in studies:
        found.append(_marked(study, labels.get(study.id, ()), localiser))
        if progress is not None:
            progress()
    return found


def _marked(study: Study, labels: tuple[LabelledBox, ...], bundle: BundleLocaliser) -> MarkedFilm:
    seen = bundle.seen(study.id)
    try:
        pixels = files.read(study.path).pixels
    except FilmError as error:
        return MarkedFilm(study, labels, in_training=seen, refusal=error.code, message=str(error))
    localiser = bundle.localiser(study.id)
    marks = localiser.marks(pixels, threshold=LEAST_SCORE)
    rows, columns = pixels.shape
    return MarkedFilm(study, labels, marks, (rows, columns), localiser.threshold, seen)
