"""What runs in a worker that assesses: its models, loaded once, and one film after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capitate.types import Sex

if TYPE_CHECKING:
    from capitate.assessor import Assessed, Assessor
    from capitate.assessor.screen_reader import ScreenReader

__all__ = ["Desk", "FilmTask", "FilmWork", "assess_film", "load_models"]

_THREADS = 1
"""Of one network: as many films as there are workers are assessed at once."""


@dataclass(frozen=True)
class FilmTask:
    """A film to assess; `maps` and `screen` say what is wanted beside the bone age and the joints."""

    path: Path
    name: str
    sex: Sex | None = None
    birth_date: date | None = None
    study_date: date | None = None
    age_months: float | None = None
    maps: bool = True
    screen: bool = False
    model: str = "bone-age"


@dataclass(frozen=True)
class FilmWork:
    """What came of a film.

    Attributes:
        assessment: `capitate.assessment/1`.
        artifacts: files of the maps by name: `bone_age.png` (over the film), `bone_age.layer.png` (alone) and
            `bone_age.npz` (the numbers), and so the other kinds.
        child: identifier of the patient in a DICOM file.
        birth_date: as the file states it.
        study_date: as the file states it.
    """

    assessment: dict[str, Any]
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    child: str | None = None
    birth_date: date | None = None
    study_date: date | None = None


class Desk:
    """The models of one process; networks are shared between the ways of asking them."""

    def __init__(self, model: str) -> None:
        """Load the models that every film needs.

        Args:
            model: name or folder of the bone-age bundle.

        Raises:
            BundleError: if weights cannot be used.
        """
        from capitate.assessor import Assessor

        self._plain = Assessor(model=model, threads=_THREADS)
        self._screen: ScreenReader | None = None

    def assessor(self, *, maps: bool, screen: bool) -> Assessor:
        """Give an assessor that makes maps or screens; what a first film asks for is loaded then."""
        from capitate.assessor import Assessor, ScreenModels, ScreenReader

        if not (maps or screen):
            return self._plain
        if screen and self._screen is None:
            self._screen = ScreenReader.load(ScreenModels(), threads=_THREADS)
        return Assessor(
            model=self._plain.bone_age,
            joints=True if self._plain.joints is None else self._plain.joints,
            maps=maps,
            screen=self._screen if screen else None,
            threads=_THREADS,
        )


@lru_cache(maxsize=1)
def _desk(model: str) -> Desk:
    return Desk(model)


def load_models(tell: Callable[[str], None], model: str) -> None:
    """Load the models of this process, so that the first film does not wait for them."""
    tell("loading")
    _desk(model).assessor(maps=True, screen=False)


def assess_film(tell: Callable[[str], None], task: FilmTask) -> FilmWork:
    """Assess a film.

    Args:
        tell: called with every step.
        task: the film, and what is known of it.

    Raises:
        CapitateError: if it cannot be assessed for a reason that does not lie with the film; a film that cannot be
            read gives a refused assessment.
    """
    from capitate.assessor import Request
    from capitate.report import to_json

    request = Request(
        sex=task.sex,
        chronological_age_months=task.age_months,
        birth_date=task.birth_date,
        study_date=task.study_date,
    )
    tell("loading")
    assessor = _desk(task.model).assessor(maps=task.maps, screen=task.screen)
    assessed = assessor.assess(task.path, name=task.name, request=request, tell=tell)
    artifacts: dict[str, bytes] = {}
    if assessed.maps:
        tell("maps")
        assessed, artifacts = _with_maps(assessed)
    film = assessed.radiograph
    return FilmWork(
        to_json(assessed.assessment),
        artifacts,
        child=_patient(task.path) if film is not None and film.format == "dicom" else None,
        birth_date=None if film is None else film.birth_date,
        study_date=None if film is None else film.study_date,
    )


def _with_maps(assessed: Assessed) -> tuple[Assessed, dict[str, bytes]]:
    """Draw the maps, and let the assessment name their pictures."""
    from capitate.explain.arrays import StoredMap, npz_bytes
    from capitate.report import MapKind
    from capitate.report.map_picture import map_layer, map_picture
    from capitate.report.naming import film_identity
    from capitate.report.picture import png_bytes

    film, assessment = assessed.radiograph, assessed.assessment
    if film is None:
        return assessed, {}
    named = {kind.value: f"{kind.value}.png" if kind in assessed.maps else None for kind in MapKind}
    assessment = replace(assessment, maps=named)
    identity = film_identity(assessment)
    versions = {one.name: one.version for one in assessment.models}
    made: dict[str, bytes] = {}
    for kind in (kind for kind in MapKind if kind in assessed.maps):
        one = assessed.maps[kind]
        made[f"{kind}.png"] = png_bytes(map_picture(kind, one, assessment, film), identity=identity)
        made[f"{kind}.layer.png"] = png_bytes(map_layer(one, film=(film.height, film.width)), identity=identity)
        made[f"{kind}.npz"] = npz_bytes(StoredMap(one, version=versions.get(one.model, ""), film=identity))
    return replace(assessed, assessment=assessment), made


def _patient(path: Path) -> str | None:
    """Read the identifier of the patient from a DICOM file that was read before; None where there is none."""
    import pydicom

    from capitate.files.quiet import quiet

    with quiet():
        told = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["PatientID"])
        return str(told.get("PatientID") or "").strip() or None
