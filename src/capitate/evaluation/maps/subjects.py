"""Models whose maps are measured: the screen, bone ages, grades, and the localiser's places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.hand_on_film import HandOnFilm
from capitate.errors import NoHandError, UsageError
from capitate.evaluation.bundle_folds import FoldModels
from capitate.evaluation.maps.graded_hands import GradedHands
from capitate.evaluation.maps.looks import Look, MapSubject, SeenFilm
from capitate.explain.black_box import Meaning
from capitate.radiograph import Radiograph
from capitate.runtime.abnormality import AbnormalityScreen
from capitate.runtime.bone_age import BoneAgeModel, OnFilm
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.calibration import quantile
from capitate.runtime.fractures import FractureLocaliser
from capitate.types import Sex

__all__ = ["open_subject", "subject_of"]

Films = NDArray[np.float32]
Model = TypeVar("Model")
_OUT_OF_FOLD = ("abnormality", "bone-age", "fractures")
_LEAST = 1e-6
"""Probability, and its distance from 1, at which the logit ends: what 32-bit floats still tell apart."""


def _logits(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(shares, _LEAST, 1 - _LEAST)
    logits: NDArray[np.float64] = np.log(inside / (1 - inside))
    return logits


class _OfBundle:
    """What subjects of a bundle without networks of folds share."""

    bundle: Bundle

    def knows(self, film: str) -> bool:
        return film in self.bundle.training_ids


class _OutOfFold(_OfBundle, Generic[Model]):
    """What subjects share of whose bundle the networks that may answer for a film are chosen."""

    def __init__(self, bundle: Bundle, load: Callable[..., Model], *, out_of_fold: bool, threads: int | None) -> None:
        instead = "give a bundle whose folds were joined by `capitate export --held-out`, or bone-age-ensemble"
        self.bundle, self._out_of_fold = bundle, out_of_fold
        self._networks = FoldModels(bundle, load, out_of_fold=out_of_fold, instead=instead, threads=threads)

    def knows(self, film: str) -> bool:
        return not self._out_of_fold and super().knows(film)

    def _answering(self, film: Radiograph) -> Model:
        return self._networks.answering(Path(film.name).stem)


class _Screen(_OutOfFold[AbnormalityScreen]):
    """The abnormality screen."""

    judged_in = "probability"

    def __init__(self, bundle: Bundle, *, out_of_fold: bool = False, threads: int | None) -> None:
        super().__init__(bundle, AbnormalityScreen, out_of_fold=out_of_fold, threads=threads)
        self.meaning = Meaning(bundle.name, "abnormality")
        self.threshold: float | None = self._networks.whole.threshold

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        return _ScreenedFilm(self._answering(film), film)


class _ScreenedFilm:
    def __init__(self, model: AbnormalityScreen, film: Radiograph) -> None:
        self._model, self._film = model, film

    def look(self) -> Look:
        return Look.of(self._model.explained(self._film.pixels)[1])

    def ask(self, films: Films) -> NDArray[np.float64]:
        return _logits(self._probabilities(films))

    def judged(self, pixels: Films) -> float:
        return float(self._probabilities(pixels[None])[0])

    def _probabilities(self, films: Films) -> NDArray[np.float64]:
        return self._model.films(np.stack([self._model.picture(one) for one in films]))


class _BoneAge(_OutOfFold[BoneAgeModel]):
    """The bone-age model."""

    judged_in = "months"
    threshold: float | None = None

    def __init__(self, bundle: Bundle, *, out_of_fold: bool = False, threads: int | None) -> None:
        super().__init__(bundle, BoneAgeModel, out_of_fold=out_of_fold, threads=threads)
        self.meaning = Meaning(bundle.name, "bone_age")

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        if not on_film.certain:
            raise NoHandError("no single whole hand was found with confidence, so there is no bone age to explain")
        return _AgedFilm(self._answering(film), film, on_film, sex)


class _AgedFilm:
    def __init__(self, model: BoneAgeModel, film: Radiograph, on_film: HandOnFilm, sex: Sex) -> None:
        self._model, self._film, self._on_film, self._sex = model, film, on_film, sex

    def look(self) -> Look:
        hand = OnFilm(self._on_film.located.frame, (self._film.height, self._film.width))
        views = self._model.views(self._film.pixels, hand.frame)
        return Look.of(self._model.explained(views[None], [self._sex], hand=hand)[1])

    def ask(self, films: Films) -> NDArray[np.float64]:
        frame = self._on_film.located.frame
        views = np.stack([self._model.views(one, frame) for one in films])
        return quantile(self._model.predict(views, [self._sex] * len(films)), 0.5)

    def judged(self, pixels: Films) -> float:
        return float(self.ask(pixels[None])[0])


class _Grades(_OfBundle):
    """The grader, on the 13 joints of a hand together; the answer is the sum of their expected grades."""

    judged_in = "grades"
    threshold: float | None = None

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        self.bundle, self.meaning = bundle, Meaning(bundle.name, "grade")
        self._hands = GradedHands(bundle, threads=threads)

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        if not on_film.certain:
            raise NoHandError("no single whole hand was found with confidence, so there are no grades to explain")
        return _GradedFilm(self._hands, film, on_film)


class _GradedFilm:
    def __init__(self, hands: GradedHands, film: Radiograph, on_film: HandOnFilm) -> None:
        self._hands, self._film, self._on_film = hands, film, on_film

    def look(self) -> Look:
        return Look.of(self._hands.map(self._film, self._on_film, pixels=self._film.pixels))

    def ask(self, films: Films) -> NDArray[np.float64]:
        return np.array([self.judged(one) for one in films])

    def judged(self, pixels: Films) -> float:
        return self._hands.map(self._film, self._on_film, pixels=pixels).answer


class _Localiser(_OutOfFold[FractureLocaliser]):
    """The localiser of fractures, which names places: its best mark, whatever the score from which marks are shown."""

    judged_in = "score"

    def __init__(self, bundle: Bundle, *, out_of_fold: bool = False, threads: int | None) -> None:
        super().__init__(bundle, FractureLocaliser, out_of_fold=out_of_fold, threads=threads)
        self.meaning = Meaning(bundle.name, "abnormality")
        self.threshold: float | None = self._networks.whole.threshold

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        return _MarkedFilm(self._answering(film), film)


class _MarkedFilm:
    def __init__(self, model: FractureLocaliser, film: Radiograph) -> None:
        self._model, self._film = model, film

    def look(self) -> Look:
        marks = self._model.marks(self._film.pixels, threshold=0.0)
        if not marks:
            return Look(0.0, None)
        box = marks[0].box
        place = (box.x + box.width / 2) / self._film.width, (box.y + box.height / 2) / self._film.height
        return Look(marks[0].score, place)

    def ask(self, films: Films) -> NDArray[np.float64]:
        return _logits(np.array([self.judged(one) for one in films]))

    def judged(self, pixels: Films) -> float:
        return max((one.score for one in self._model.marks(pixels, threshold=0.0)), default=0.0)


def open_subject(name: str, *, out_of_fold: bool = False, threads: int | None = None) -> MapSubject:
    """Load the bundle of a task whose maps can be measured.

    Args:
        name: of a released bundle, or a folder.
        out_of_fold: let a network answer for a film of its training that never saw it.
        threads: for a network.

    Raises:
        BundleError: if it cannot be used.
        UsageError: if it is of another task, or has no networks of folds where these are asked for.
    """
    return subject_of(load_bundle(name), out_of_fold=out_of_fold, threads=threads)


def subject_of(bundle: Bundle, *, out_of_fold: bool = False, threads: int | None = None) -> MapSubject:
    """Make a subject of a loaded bundle; arguments and errors as of `open_subject`."""
    task = str(bundle.card["task"])
    if task not in _BY_TASK:
        raise UsageError(f"maps are measured of bundles of {', '.join(_BY_TASK)}; {bundle.name!r} does {task}")
    if out_of_fold and task not in _OUT_OF_FOLD:
        raise UsageError(
            f"maps are measured out of fold of bundles of {', '.join(_OUT_OF_FOLD)}; {bundle.name!r} does {task}"
        )
    folds = {"out_of_fold": True} if out_of_fold else {}
    made: MapSubject = _BY_TASK[task](bundle, threads=threads, **folds)
    return made


_BY_TASK: Mapping[str, Callable[..., MapSubject]] = {
    "abnormality": _Screen,
    "bone-age": _BoneAge,
    "joint-grades": _Grades,
    "fractures": _Localiser,
}
