"""Every film looked at once: its map, where the peak lies, what the map lies on, and what changes the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from capitate import files
from capitate.assessor.hand_on_film import HandOnFilm
from capitate.errors import FilmError, NoMapError
from capitate.evaluation.changes import painted_over
from capitate.evaluation.maps.hands import FoundHand, HandFinder
from capitate.evaluation.maps.likeness import SIDE, likeness
from capitate.evaluation.maps.looks import MapSubject, SeenFilm
from capitate.evaluation.maps.regions import box_mask, corners_of, energy_share, tissue
from capitate.evaluation.maps.rows import MapRow
from capitate.explain.activation import ActivationMap
from capitate.radiograph import Radiograph
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study

__all__ = ["MapChecks", "group_of", "measure_maps"]


@dataclass(frozen=True)
class MapChecks:
    """What is measured beside the energy of maps.

    Attributes:
        boxes: annotated boxes by film id; None for no pointing game.
        surroundings: whether everything outside the dilated hand is replaced.
        randomised: by part of the network, models with that part randomised, a model a draw.
        randomised_films: ids of the films whose maps are compared with those of these models.
    """

    boxes: Mapping[str, Sequence[LabelledBox]] | None = None
    surroundings: bool = True
    randomised: Mapping[str, Sequence[MapSubject]] = field(default_factory=dict)
    randomised_films: frozenset[str] = frozenset()


def group_of(study: Study) -> str:
    """Name what a film is resampled with: its patient, its examination, the table's column `group`, or itself."""
    return study.patient_id or study.study_id or study.labels.get("group") or study.id


def measure_maps(
    studies: Sequence[Study],
    subject: MapSubject,
    finder: HandFinder,
    checks: MapChecks,
    *,
    progress: Callable[[], None] = lambda: None,
) -> list[MapRow]:
    """Measure films one by one.

    Args:
        studies: films.
        subject: the model.
        finder: of hands.
        checks: what is measured.
        progress: called after every film.

    Returns:
        A row a film, in the order of the films; a film that cannot be read or has no map is a row with the reason.

    Raises:
        NoMapError: if no film has a map, as with a bundle whose networks carry no feature maps.
    """
    rows = []
    for study in studies:
        row = MapRow(study.id, group_of(study), subject.knows(study.path.stem))
        try:
            rows.append(_measured(row, study, subject, finder, checks))
        except (FilmError, NoMapError) as error:
            rows.append(replace(row, refusal=error.code, message=str(error)))
        progress()
    if rows and all(row.refusal == NoMapError.code for row in rows):
        raise NoMapError(rows[0].message or "")
    return rows


def _measured(row: MapRow, study: Study, subject: MapSubject, finder: HandFinder, checks: MapChecks) -> MapRow:
    stored = files.read(study.path)
    upright, on_film = finder.find(stored)
    film = upright if on_film.certain else stored
    hand = finder.measured(film, on_film)
    seen = subject.see(film, on_film, sex=study.sex)
    said = seen.look()
    made = said.map
    found: dict[str, Any] = {"answer": said.answer, "peak": said.peak}
    found |= _pointed(film, (checks.boxes or {}).get(study.id, ())) | _energy(made, hand)
    if made is not None and study.id in checks.randomised_films:
        found["alike"] = _alike(made, film, on_film, study, checks.randomised)
    if checks.surroundings and hand is not None:
        found |= _without_surroundings(film, hand, seen, subject.threshold)
    return replace(row, **found)


def _pointed(film: Radiograph, boxes: Sequence[LabelledBox]) -> dict[str, Any]:
    """Give a film's boxes, and what share of it and of its tissue they hold."""
    if not boxes:
        return {}
    corners = corners_of(boxes)
    mask, limb = box_mask(corners, shape=(film.height, film.width)), tissue(film.pixels)
    share = float(mask[limb].mean()) if limb.any() else float("nan")
    return {"boxes": corners, "area": float(mask.mean()), "tissue": share}


def _energy(made: ActivationMap | None, hand: FoundHand | None) -> dict[str, Any]:
    """Give the shares of a map's energy, and of the film, on the hand and on its joints."""
    found: dict[str, Any] = {}
    if made is None or hand is None:
        return found
    masks = {"hand": hand.mask, "joints": hand.joints}
    for name, mask in masks.items():
        if mask is not None:
            found |= {f"{name}_energy": energy_share(made, mask), f"{name}_area": float(mask.mean())}
    return found


def _without_surroundings(film: Radiograph, hand: FoundHand, seen: SeenFilm, threshold: float | None) -> dict[str, Any]:
    """Ask again with everything outside the dilated hand painted over."""
    before, after = seen.judged(film.pixels), seen.judged(painted_over(film.pixels, box=hand.box))
    same = None if threshold is None else bool((before >= threshold) == (after >= threshold))
    return {"before": before, "after": after, "same_side": same}


def _alike(
    made: ActivationMap,
    film: Radiograph,
    on_film: HandOnFilm,
    study: Study,
    models: Mapping[str, Sequence[MapSubject]],
) -> dict[str, tuple[float, float, float]]:
    """Compare a map with those of the same film by randomised networks; the mean over draws."""
    here = made.at(SIDE, SIDE)
    alike: dict[str, tuple[float, float, float]] = {}
    for part, drawn in models.items():
        found = []
        for model in drawn:
            try:
                other = model.see(film, on_film, sex=study.sex).look().map
            except NoMapError:  # an answer of random weights that no quadrature sums up
                continue
            found.append(likeness(here, np.zeros_like(here) if other is None else other.at(SIDE, SIDE)))
        if found:
            means = np.mean(found, axis=0).tolist()
            alike[part] = (means[0], means[1], means[2])
    return alike
