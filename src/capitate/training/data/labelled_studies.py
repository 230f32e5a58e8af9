"""Studies to screen, with what table or folder say about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capitate.assessment import Refusal
from capitate.assessor.screening import FilmToScreen, StudyToScreen
from capitate.training.data.studies import films_of_studies
from capitate.training.manifest import Study

__all__ = ["LabelledStudy", "labelled_studies"]


@dataclass(frozen=True)
class LabelledStudy:
    """A study and its reading.

    Attributes:
        study: its films.
        ids: of its films, as training knows them.
        label: whether it was read as abnormal; None where nobody has read it.
        group: patient or source, by which intervals are resampled; the study itself where neither is told.
        region: part of the body; empty where it is not told.
    """

    study: StudyToScreen
    ids: tuple[str, ...]
    label: bool | None
    group: str
    region: str


def labelled_studies(places: Sequence[Path]) -> list[LabelledStudy]:
    """Group films into studies, in the order of their first film; those of a table without any film come last.

    A study whose films have both labels gets a refusal: its films hardly belong together.

    Args:
        places: what `films_of_studies` takes, with its errors.
    """
    films, missing = films_of_studies(places)
    by_study: dict[str, list[Study]] = {}
    for one in films:
        by_study.setdefault(one.study_id or one.id, []).append(one)
    found = [_study(name, some) for name, some in by_study.items()]
    lost = [name for name in missing if name not in by_study]
    return [*found, *(LabelledStudy(StudyToScreen(name, ()), (), None, name, "") for name in lost)]


def _study(name: str, films: Sequence[Study]) -> LabelledStudy:
    """Put one study together."""
    labels = {one.abnormal for one in films} - {None}
    message = f"the films of the study {name!r} have both labels, so they are hardly one study; correct label or id"
    torn = Refusal("labels_contradict", message) if len(labels) > 1 else None
    shown = tuple(FilmToScreen(one.path, one.listed or str(one.path), one.region) for one in films)
    regions = sorted({one.region for one in films if one.region})
    return LabelledStudy(
        StudyToScreen(name, shown, torn),
        tuple(one.id for one in films),
        None if torn else next(iter(labels), None),
        films[0].patient_id or name,
        " and ".join(regions),
    )
