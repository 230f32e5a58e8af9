"""Models whose maps are measured, each asked in the same few ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.hand_on_film import HandOnFilm
from capitate.errors import NoHandError, UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Meaning
from capitate.radiograph import Radiograph
from capitate.runtime.abnormality import AbnormalityScreen
from capitate.runtime.bone_age import BoneAgeModel, OnFilm
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.calibration import quantile
from capitate.types import Sex

__all__ = ["MapSubject", "SeenFilm", "open_subject", "subject_of"]

Films = NDArray[np.float32]
_LEAST = 1e-6
"""Probability, and its distance from 1, at which the logit ends: what 32-bit floats still tell apart."""


class SeenFilm(Protocol):
    """One film as a model sees it; where the hand lies stays as it was when parts of the film change."""

    def map(self) -> ActivationMap:
        """Give the model's own map.

        Raises:
            NoMapError: if it has none.
        """

    def ask(self, films: Films) -> NDArray[np.float64]:
        """Answer for films (n, rows, columns) that show the same in the map's unit, float64 (n,)."""

    def judged(self, pixels: Films) -> float:
        """Answer for one film (rows, columns) as it is judged: months, or a probability."""


class MapSubject(Protocol):
    """A model.

    Attributes:
        bundle: that it is of.
        meaning: of its answers.
        threshold: of the judged answer; None without.
        judged_in: unit of the judged answer.
    """

    bundle: Bundle
    meaning: Meaning
    threshold: float | None
    judged_in: str

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        """Look at a film with the hand that was found on it.

        Raises:
            NoHandError: if the model needs a hand, and none was found with confidence.
        """


class _Screen:
    """The abnormality screen."""

    judged_in = "probability"

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        self.bundle, self.meaning = bundle, Meaning(bundle.name, "abnormality")
        self._model = AbnormalityScreen(bundle, threads=threads)
        self.threshold: float | None = self._model.threshold

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        return _ScreenedFilm(self._model, film)


class _ScreenedFilm:
    def __init__(self, model: AbnormalityScreen, film: Radiograph) -> None:
        self._model, self._film = model, film

    def map(self) -> ActivationMap:
        return self._model.explained(self._film.pixels)[1]

    def ask(self, films: Films) -> NDArray[np.float64]:
        probability = np.clip(self._probabilities(films), _LEAST, 1 - _LEAST)
        logits: NDArray[np.float64] = np.log(probability / (1 - probability))
        return logits

    def judged(self, pixels: Films) -> float:
        return float(self._probabilities(pixels[None])[0])

    def _probabilities(self, films: Films) -> NDArray[np.float64]:
        return self._model.films(np.stack([self._model.picture(one) for one in films]))


class _BoneAge:
    """The bone-age model."""

    judged_in = "months"
    threshold = None

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        self.bundle, self.meaning = bundle, Meaning(bundle.name, "bone_age")
        self._model = BoneAgeModel(bundle, threads=threads)

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        if not on_film.certain:
            raise NoHandError("no single whole hand was found with confidence, so there is no bone age to explain")
        return _AgedFilm(self._model, film, on_film, sex)


class _AgedFilm:
    def __init__(self, model: BoneAgeModel, film: Radiograph, on_film: HandOnFilm, sex: Sex) -> None:
        self._model, self._film, self._on_film, self._sex = model, film, on_film, sex

    def map(self) -> ActivationMap:
        hand = OnFilm(self._on_film.located.frame, (self._film.height, self._film.width))
        views = self._model.views(self._film.pixels, hand.frame)
        return self._model.explained(views[None], [self._sex], hand=hand)[1]

    def ask(self, films: Films) -> NDArray[np.float64]:
        frame = self._on_film.located.frame
        views = np.stack([self._model.views(one, frame) for one in films])
        return quantile(self._model.predict(views, [self._sex] * len(films)), 0.5)

    def judged(self, pixels: Films) -> float:
        return float(self.ask(pixels[None])[0])


def open_subject(name: str, *, threads: int | None = None) -> MapSubject:
    """Load the bundle of a task whose maps can be measured.

    Args:
        name: of a released bundle, or a folder.
        threads: for a network.

    Raises:
        BundleError: if it cannot be used.
        UsageError: if it is of another task.
    """
    return subject_of(load_bundle(name), threads=threads)


def subject_of(bundle: Bundle, *, threads: int | None = None) -> MapSubject:
    """Make a subject of a loaded bundle; arguments and errors as of `open_subject`."""
    task = str(bundle.card["task"])
    if task not in _BY_TASK:
        raise UsageError(f"maps are measured of bundles of {', '.join(_BY_TASK)}; {bundle.name!r} does {task}")
    made: MapSubject = _BY_TASK[task](bundle, threads=threads)
    return made


_BY_TASK: Mapping[str, Callable[..., MapSubject]] = {"abnormality": _Screen, "bone-age": _BoneAge}
