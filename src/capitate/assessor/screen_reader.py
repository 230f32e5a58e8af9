"""The abnormality screen on one film, and places to look at: only where an assessment asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import ModelReference
from capitate.assessor.clock import Clock
from capitate.assessor.maps import no_map
from capitate.assessor.screening import SCREEN
from capitate.errors import NoMapError, UsageError
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.runtime.abnormality import AbnormalityScreen, StudyAnswer
from capitate.runtime.bundle import Bundle, is_bundle, load_bundle
from capitate.runtime.fractures import FractureLocaliser
from capitate.types import Box, Finding, Severity

__all__ = ["LocatesFractures", "ScreenModels", "ScreenReader", "ScreenReading", "chosen_screens"]

_LOCALISER = "fracture-localiser"
_FIELDS = {"abnormality": "screen", "fractures": "localiser"}
"""Task of a bundle, and which part it plays."""


class Marked(Protocol):
    """A place to look at."""

    @property
    def box(self) -> Box:
        """Where, film pixels."""

    @property
    def score(self) -> float:
        """How sure the localiser is, 0 to 1."""


class LocatesFractures(Protocol):
    """What marks places, such as `FractureLocaliser`."""

    bundle: Bundle

    def marks(self, pixels: NDArray[np.float32], /) -> tuple[Marked, ...]:
        """Mark places on a film (rows, columns)."""


@dataclass(frozen=True)
class ScreenModels:
    """Names or folders of the two bundles.

    Attributes:
        screen: gives the probability.
        localiser: marks places; left out where it is the released one and not installed.
    """

    screen: str = SCREEN
    localiser: str = _LOCALISER


def chosen_screens(names: Iterable[str]) -> tuple[list[str], ScreenModels]:
    """Take bundles for the screen out of those that were named; give the others, and the two.

    Raises:
        BundleError: if one is not there or was changed.
        UsageError: if two do the same.
    """
    others, parts = [], dict[str, str]()
    for name in names:
        part = _FIELDS.get(str(load_bundle(name).card["task"]))
        if part is None:
            others.append(name)
        elif part in parts:
            raise UsageError(f"two bundles for the {part}, got {parts[part]!r} and {name!r}; give one of them")
        else:
            parts[part] = name
    return others, replace(ScreenModels(), **parts)


@dataclass(frozen=True)
class ScreenReading:
    """What was found on a film, in the form of an assessment.

    Attributes:
        abnormality: of `Assessment`, None where the film's region was not learnt.
        marks: of `Assessment`, None where there is no localiser.
        findings: remarks.
        not_assessed: by part, why it is missing.
        map: what the probability rests on, or why there is no map; None where none was asked for.
    """

    abnormality: Mapping[str, Any] | None
    marks: tuple[Mapping[str, Any], ...] | None
    findings: tuple[Finding, ...]
    not_assessed: Mapping[str, str]
    map: ActivationMap | Finding | None = None


class ScreenReader:
    """Screen and localiser, loaded once; safe to share between threads."""

    def __init__(self, screen: AbnormalityScreen, *, localiser: LocatesFractures | None = None) -> None:
        """Keep models that are loaded."""
        self.screen, self.localiser = screen, localiser

    @classmethod
    def load(cls, models: ScreenModels | None = None, *, threads: int | None = None) -> ScreenReader:
        """Load the screen, and the localiser if it is installed.

        Raises:
            BundleError: if the screen is not there, a bundle that was named is not, or one was changed.
            UsageError: if a bundle is of another task.
        """
        models = models or ScreenModels()
        screen = AbnormalityScreen(load_bundle(models.screen), threads=threads)
        if models.localiser == _LOCALISER and not is_bundle(_LOCALISER):
            return cls(screen)
        return cls(screen, localiser=FractureLocaliser(load_bundle(models.localiser), threads=threads))

    @property
    def references(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""
        parts = (self.screen, self.localiser)
        return tuple(one.bundle.reference for one in parts if one is not None)

    def read(self, film: Radiograph, *, clock: Clock, maps: bool = False) -> ScreenReading:
        """Screen a film and mark places on it.

        Args:
            film: polarity resolved.
            clock: for the steps `screen` and `marks`.
            maps: whether to map what the probability rests on.
        """
        with clock.step("screen"):
            abnormality, findings, found = self._screened(film, maps=maps)
        missing = {}
        if abnormality is None:
            missing["abnormality"] = "The film is of a region that the screen has not learned."
        marks = None
        if self.localiser is None:
            missing["marks"] = f"Places to look at are not marked: no bundle {_LOCALISER!r} is installed."
        else:
            with clock.step("marks"):
                marks = tuple(_mark(one) for one in self.localiser.marks(film.pixels))
        return ScreenReading(abnormality, marks, tuple(findings), missing, found)

    def _asked(self, film: Radiograph, *, maps: bool) -> tuple[StudyAnswer, ActivationMap | Finding | None]:
        """Judge the film and, where that is wanted, map the same pass; a reason stands for a missing map."""
        missing = None
        if maps:
            try:
                return self.screen.explained(film.pixels)
            except NoMapError as error:
                missing = no_map("the screen", error)
        return self.screen.study(self.screen.picture(film.pixels)[None]), missing

    def _screened(
        self, film: Radiograph, *, maps: bool
    ) -> tuple[dict[str, Any] | None, list[Finding], ActivationMap | Finding | None]:
        """Give the part `abnormality`, remarks, and the map where it is wanted."""
        screen, region = self.screen, film.body_part
        known = screen.knows(region)
        if known is False:
            learned = ", ".join(sorted(screen.regions))
            message = f"The file says {region!r}; the abnormality screen has learned {learned} and gives no answer."
            return None, [Finding("region_not_learned", Severity.WARNING, message)], None
        answer, found = self._asked(film, maps=maps)
        findings = []
        if answer.familiar[0] is False:
            message = (
                "The film does not look like those that the abnormality screen was trained on; its answer is a guess."
            )
            findings.append(Finding("film_unfamiliar", Severity.WARNING, message))
        told = {
            "probability": round(answer.probability, 6),
            "threshold": round(screen.threshold, 6),
            "above": answer.abnormal,
            "regions": sorted(screen.regions),
            "region_known": known,
            "false_alarms": screen.bundle.card.get("false_alarms"),
        }
        return told, findings, found


def _mark(one: Marked) -> dict[str, Any]:
    box = [round(value, 1) for value in (one.box.x, one.box.y, one.box.width, one.box.height)]
    return {"box": box, "score": round(one.score, 6)}
